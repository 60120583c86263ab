/* SPDX-License-Identifier: Apache-2.0
 *
 * local_file.c: shards on this machine. Read by pread: a mapping of a file that somebody cuts short
 * is a SIGBUS. Only who may look at bytes twice, and is ready for that, looks at many at once.
 */
#include "loaders/shard/shard_file.h"

#include "base/open_file.h"
#include "base/printable.h"
#include "loaders/source/ask_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct mr_printable show(const struct mr_shard_file *f)
{
    return mr__printable(f->path, strlen(f->path));
}

static int local_open(struct mr_shard_file *f, struct mr_errbuf *e)
{
    f->fd = mr__open_file(f->path);
    if (f->fd < 0) {
        bool ours = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
        return mr__fail_errno(e, ours ? MR_E_IO : MR_E_DATA, "cannot open the shard '%s'",
                              show(f).text);
    }
    int rc = MR_OK;
    if (fstat(f->fd, &f->st) < 0)
        rc = mr__fail_errno(e, MR_E_DATA, "cannot look at '%s'", show(f).text);
    else if (!S_ISREG(f->st.st_mode))
        rc = mr__fail(e, MR_E_DATA, "'%s' is no file", show(f).text);
    if (rc < 0)
        close(f->fd);
    f->bytes = (uint64_t)f->st.st_size;
    (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM); /* what is read ahead is asked for */
    return rc;
}

/* What a network or a worn disk reports may pass: it is tried once more. */
static ssize_t read_some(const struct mr_shard_file *f, void *to, uint64_t n, uint64_t at)
{
    ssize_t got = -1;
    for (int attempt = 0; attempt < 2 && got < 0;) {
        got = pread(f->fd, to, n, (off_t)at);
        if (got < 0 && errno != EINTR && errno != EIO && errno != ESTALE)
            break;
        attempt += got < 0 && errno != EINTR;
    }
    return got;
}

static int local_read(struct mr_shard_file *f, uint64_t at, void *to, uint64_t n,
                      struct mr_errbuf *e)
{
    uint8_t *into = to;
    while (n) {
        ssize_t got = read_some(f, into, n, at);
        if (got < 0)
            return mr__fail_errno(e, MR_E_DATA, "cannot read '%s' at byte %llu", show(f).text,
                                  (unsigned long long)at);
        if (got == 0)
            return mr__fail(e, MR_E_DATA, "'%s' was cut to less than %llu bytes while it was read",
                            show(f).text, (unsigned long long)(at + 1));
        into += got;
        at += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return MR_OK;
}

static bool local_look(struct mr_shard_file *f, uint64_t at, uint64_t n, mr_mapped_use *use,
                       void *ctx)
{
    return mr__cached_bytes(f->fd, at, n, use, ctx);
}

static enum mr_cached local_ahead(struct mr_shard_file *f, uint64_t at, uint64_t n)
{
    return mr__ask_range(f->fd, at, n);
}

static void local_close(struct mr_shard_file *f)
{
    close(f->fd);
}

const struct mr_shard_transport mr__shard_local = {
    .prefix = "",
    .first_bytes = 16 << 10, /* a header is rarely larger */
    .at_once = 256 << 10,    /* while they are in the cache */
    .open = local_open,
    .read = local_read,
    .look = local_look,
    .ahead = local_ahead,
    .close = local_close,
};
