/* SPDX-License-Identifier: Apache-2.0 */
#include "ask_file.h"

#include "base/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* One call gets no more than the device's largest request, or its read-ahead, which are this at
 * least unless somebody has set them lower. */
#define STEP (128 << 10)

/* Not every file system can tell: then EOPNOTSUPP. */
static enum mr_cached look(int fd)
{
    char byte;
    const struct iovec to = {&byte, 1};
    ssize_t n = preadv2(fd, &to, 1, 0, RWF_NOWAIT);
    return n == 1 ? MR_CACHED : n < 0 && errno == EAGAIN ? MR_CACHED_NOT : MR_CACHED_UNKNOWN;
}

enum mr_cached mr__ask_file(const char *path, int64_t max_bytes, uint64_t most)
{
    enum mr_cached cached = MR_CACHED_UNKNOWN;
    struct stat st;
    int fd = mr__open_file(path);
    if (fd < 0)
        return cached;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= max_bytes) {
        off_t end = (uint64_t)st.st_size < most ? st.st_size : (off_t)most;
        cached = look(fd);
        for (off_t at = 0; at < end; at += STEP)
            (void)posix_fadvise(fd, at, end - at < STEP ? end - at : STEP, POSIX_FADV_WILLNEED);
    }
    close(fd);
    return cached;
}
