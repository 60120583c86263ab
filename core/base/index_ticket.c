/* SPDX-License-Identifier: Apache-2.0
 *
 * index_ticket.c: what the index helper leaves in the memfd when the index is in a file: the file's
 * path and the checksum of its head. Whoever opens it by that path holds the head against it: if
 * somebody has put another index there meanwhile, it is not taken for the one that was looked at.
 */
#include "index_file.h"

#include "index_format.h"
#include "open_file.h"
#include "printable.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ticket {
    uint64_t magic, sum, bytes, index_bytes; /* of the file's head */
    char path[PATH_MAX];
};

int mr__index_ticket_write(int memfd, const char *path, const struct mr_index_file_head *head,
                           struct mr_errbuf *e)
{
    struct ticket t = {.magic = MR_INDEX_TICKET_MAGIC,
                       .sum = head->sum,
                       .bytes = head->bytes,
                       .index_bytes = head->index_bytes};
    size_t n = strlen(path);
    if (n >= sizeof t.path)
        return mr__fail(e, MR_E_IO, "the path of the index's file is too long");
    memcpy(t.path, path, n + 1);
    if (pwrite(memfd, &t, sizeof t, 0) != (ssize_t)sizeof t ||
        fcntl(memfd, F_ADD_SEALS, MR_INDEX_SEALS) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot say where the index of the data set is");
    return MR_OK;
}

int mr__index_ticket_open(int memfd, uint64_t *bytes, struct mr_errbuf *e)
{
    struct ticket t;
    struct mr_index_file_head h;
    struct stat st;
    if (pread(memfd, &t, sizeof t, 0) != (ssize_t)sizeof t || t.path[sizeof t.path - 1])
        return mr__fail(e, MR_E_CORRUPT, "the index of the data set is damaged: it is cut");
    int fd = mr__open_file(t.path);
    if (fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_size == t.bytes &&
        pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h && h.sum == t.sum && h.bytes == t.bytes) {
        *bytes = t.index_bytes;
        return fd;
    }
    mr__fail(e, MR_E_IO,
             "the index of the data set, '%s', was removed or changed while the loader was opened: "
             "open it once more",
             mr__printable(t.path, strlen(t.path)).text);
    if (fd >= 0)
        close(fd);
    return MR_E_IO;
}
