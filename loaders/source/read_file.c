/* SPDX-License-Identifier: Apache-2.0
 *
 * read_file.c: open, look, read, look again. Never mmap: a file cut short under a mapping is a
 * SIGBUS.
 */
#include "read_file.h"

#include "base/open_file.h"
#include "base/printable.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct mr_printable show(const char *path)
{
    return mr__printable(path, strlen(path));
}

static int open_file(const char *path, struct mr_errbuf *e, int *fd)
{
    *fd = mr__open_file(path);
    if (*fd >= 0)
        return MR_OK;
    bool ours = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    if (errno == ENOENT || errno == ENOTDIR)
        return mr__fail(e, MR_E_DATA, "there is no file '%s'", show(path).text);
    return mr__fail_errno(e, ours ? MR_E_IO : MR_E_DATA, "cannot open '%s'", show(path).text);
}

static const char *kind_of(mode_t mode)
{
    return S_ISFIFO(mode)   ? "FIFO"
           : S_ISDIR(mode)  ? "folder"
           : S_ISSOCK(mode) ? "socket"
                            : "device";
}

static int check_file(const char *path, const struct stat *st, int64_t max_bytes,
                      struct mr_errbuf *e)
{
    if (!S_ISREG(st->st_mode))
        return mr__fail(e, MR_E_DATA, "'%s' is a %s, not a file", show(path).text,
                        kind_of(st->st_mode));
    if (st->st_size == 0)
        return mr__fail(e, MR_E_DATA, "'%s' is empty", show(path).text);
    if (st->st_size > max_bytes)
        return mr__fail(e, MR_E_DATA,
                        "'%s' has %lld bytes, more than limits.max_file_bytes (%lld) allows",
                        show(path).text, (long long)st->st_size, (long long)max_bytes);
    return MR_OK;
}

/* Reads until n bytes are there or the file ends. The bytes read, or -1 with errno. */
static ssize_t read_all(int fd, uint8_t *to, size_t n)
{
    size_t at = 0;
    while (at < n) {
        ssize_t got = read(fd, to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    return (ssize_t)at;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

struct job {
    const char *path;
    int64_t max_bytes;
    size_t most; /* bytes that are wanted */
    struct mr_buf *out;
    size_t *size; /* of the file */
};

/* *again: the kernel reported an I/O error, which on a network or a worn disk may pass. */
static int read_open(int fd, const struct job *j, bool *again, struct mr_errbuf *e)
{
    const char *path = j->path;
    struct mr_buf *out = j->out;
    struct stat before, after;
    if (fstat(fd, &before) < 0) {
        *again = true;
        return mr__fail_errno(e, MR_E_DATA, "cannot look at '%s'", show(path).text);
    }
    int rc = check_file(path, &before, j->max_bytes, e);
    if (rc < 0)
        return rc;
    *j->size = (size_t)before.st_size;
    size_t size = *j->size < j->most ? *j->size : j->most;
    if (!mr__buf_reserve(out, size + MR_READ_PADDING))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read '%s' (%zu bytes)",
                        show(path).text, size);
    ssize_t got = read_all(fd, out->data, size);
    if (got < 0 || fstat(fd, &after) < 0) {
        *again = true;
        return mr__fail_errno(e, MR_E_DATA, "cannot read '%s'", show(path).text);
    }
    if ((size_t)got != size || !same_file(&before, &after))
        return mr__fail(e, MR_E_DATA, "'%s' changed while it was read", show(path).text);
    memset(out->data + size, 0, MR_READ_PADDING);
    out->n = size;
    return MR_OK;
}

int mr__read_file_head(const char *path, int64_t max_bytes, size_t n, struct mr_buf *out,
                       size_t *size, struct mr_errbuf *e)
{
    const struct job j = {path, max_bytes, n, out, size};
    int rc = MR_OK;
    for (int attempt = 0; attempt < 2; attempt++) {
        bool again = false;
        int fd;
        out->n = 0;
        rc = open_file(path, e, &fd);
        if (rc == MR_OK) {
            rc = read_open(fd, &j, &again, e);
            int saved = errno;
            close(fd);
            errno = saved;
        } else {
            again = true;
        }
        if (rc == MR_OK || !again || (errno != EIO && errno != ESTALE))
            break;
    }
    return rc;
}

int mr__read_file(const char *path, int64_t max_bytes, struct mr_buf *out, struct mr_errbuf *e)
{
    size_t size;
    return mr__read_file_head(path, max_bytes, SIZE_MAX, out, &size, e);
}
