/* SPDX-License-Identifier: Apache-2.0 */
#include "file_bytes.h"

#include <errno.h>
#include <unistd.h>

int mr__file_bytes(int fd, uint64_t at, void *to, size_t n, struct mr_errbuf *e)
{
    uint8_t *next = to;
    int tries = 2; /* an I/O error on a network or a worn disk may pass */
    while (n) {
        ssize_t got = pread(fd, next, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EIO || errno == ESTALE) && --tries)
            continue;
        if (got < 0)
            return mr__fail_errno(e, MR_E_DATA, "cannot read it");
        if (got == 0)
            return mr__fail(e, MR_E_DATA, "it ends at byte %llu, before what is looked for there",
                            (unsigned long long)at);
        next += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return MR_OK;
}
