/* SPDX-License-Identifier: Apache-2.0 */
#include "open_file.h"

#include <errno.h>
#include <fcntl.h>

/* O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever; it does nothing to regular
 * files. O_NOCTTY: a terminal must not become ours. */
int mr__open_file(const char *path)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    return fd;
}
