/* SPDX-License-Identifier: Apache-2.0
 *
 * index_file.c: everything is read by pread(), never through a mapping: a file that is cut
 * meanwhile is a short read then, and no signal. What is mapped in the end (index_map.c) was whole
 * a moment ago.
 */
#include "index_file.h"

#include "index_format.h"
#include "open_file.h"
#include "parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC 0x314548434143524dull /* "MRCACHE1" on a little-endian machine */
#define MAX_REST (1ull << 36)

/* Raise it when the file's layout changes, that of the index, or what sources and samplers put into
 * an index from the same files. */
#define VERSION 1

static uint64_t sum_of(const struct mr_index_file_head *head)
{
    struct mr_index_file_head h = *head;
    h.sum = 0;
    return XXH3_64bits(&h, sizeof h);
}

static uint64_t blocks_of(uint64_t bytes)
{
    return bytes / MR_INDEX_BLOCK + (bytes % MR_INDEX_BLOCK != 0);
}

static uint64_t rest_at(const struct mr_index_file_head *h)
{
    return (MR_INDEX_FILE_AT + h->index_bytes + MR_INDEX_ALIGN - 1) / MR_INDEX_ALIGN *
           MR_INDEX_ALIGN;
}

static uint64_t rest_bytes(const struct mr_index_file_head *h)
{
    return h->blocks * sizeof(uint64_t) + h->origins_bytes + h->roots_bytes +
           h->roots_origins_bytes;
}

/* ---- writing ---- */

static int write_at(int fd, const void *data, uint64_t n, uint64_t at, struct mr_errbuf *e)
{
    const uint8_t *from = data;
    while (n) {
        ssize_t w = pwrite(fd, from, n < 1 << 30 ? n : 1 << 30, (off_t)at);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return mr__fail_errno(e, MR_E_IO, "cannot write its %.1f MB", (double)(at + n) / 1e6);
        from += w;
        at += (uint64_t)w;
        n -= (uint64_t)w;
    }
    return MR_OK;
}

/* Block by block, so that each is in the processor's cache when it is written. */
static int write_index(int fd, const struct mr_index *index, uint64_t *sums, struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (uint64_t at = 0, i = 0; at < index->bytes && rc == MR_OK; at += MR_INDEX_BLOCK, i++) {
        uint64_t rest = index->bytes - at, n = rest < MR_INDEX_BLOCK ? rest : MR_INDEX_BLOCK;
        sums[i] = XXH3_64bits(index->base + at, n);
        rc = write_at(fd, index->base + at, n, MR_INDEX_FILE_AT + at, e);
    }
    return rc;
}

static bool gather(struct mr_buf *b, const struct mr_index_rest *rest)
{
    return mr__buf_append(b, rest->origins, rest->origins_bytes) &&
           mr__buf_append(b, rest->roots, rest->roots_bytes) &&
           mr__buf_append(b, rest->roots_origins, rest->roots_origins_bytes);
}

int mr__index_file_write(int fd, const uint64_t key[2], const struct mr_index *index,
                         const struct mr_index_rest *rest, struct mr_errbuf *e)
{
    struct mr_buf behind = {0};
    struct mr_index_file_head h = {.magic = MAGIC,
                                   .version = VERSION,
                                   .key = {key[0], key[1]},
                                   .index_bytes = index->bytes,
                                   .blocks = blocks_of(index->bytes),
                                   .contents = rest->contents,
                                   .origins_bytes = rest->origins_bytes,
                                   .roots_bytes = rest->roots_bytes,
                                   .roots_origins_bytes = rest->roots_origins_bytes};
    size_t table = h.blocks * sizeof(uint64_t);
    if (!mr__buf_reserve(&behind, table)) {
        mr__buf_free(&behind);
        return mr__fail(e, MR_E_MEMORY, "not enough memory to keep the index");
    }
    behind.n = table;
    int rc = write_index(fd, index, (uint64_t *)(void *)behind.data, e);
    if (rc == MR_OK && !gather(&behind, rest))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory to keep the index");
    if (rc == MR_OK)
        rc = write_at(fd, behind.data, behind.n, rest_at(&h), e);
    h.bytes = rest_at(&h) + behind.n;
    h.rest_sum = behind.n ? XXH3_64bits(behind.data, behind.n) : 0;
    h.sum = sum_of(&h);
    mr__buf_free(&behind);
    if (rc == MR_OK)
        rc = write_at(fd, &h, sizeof h, 0, e);
    if (rc == MR_OK && fdatasync(fd) < 0 && errno != EINVAL && errno != EROFS)
        rc = mr__fail_errno(e, MR_E_IO, "cannot write its %.1f MB", (double)h.bytes / 1e6);
    return rc;
}

/* ---- reading ---- */

/* All n bytes; false with errno, which is 0 when the file ends before. */
static bool read_at(int fd, void *to, uint64_t n, uint64_t at)
{
    uint8_t *p = to;
    while (n) {
        ssize_t r = pread(fd, p, n < 1 << 30 ? n : 1 << 30, (off_t)at);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            errno = r ? errno : 0;
            return false;
        }
        p += r;
        at += (uint64_t)r;
        n -= (uint64_t)r;
    }
    return true;
}

static int not_read(struct mr_errbuf *e)
{
    return errno ? mr__fail_errno(e, MR_E_IO, "it cannot be read")
                 : mr__fail(e, MR_E_CORRUPT, "it is cut");
}

bool mr__index_file_complete(int fd, const uint64_t key[2])
{
    struct mr_index_file_head h;
    struct stat st;
    return fstat(fd, &st) == 0 && read_at(fd, &h, sizeof h, 0) && h.magic == MAGIC &&
           h.sum == sum_of(&h) && h.bytes == (uint64_t)st.st_size && h.key[0] == key[0] &&
           h.key[1] == key[1];
}

/* Who else could write to it could make us believe anything. */
static int check_owner(const struct stat *st, struct mr_errbuf *e)
{
    if (!S_ISREG(st->st_mode))
        return mr__fail(e, MR_E_CORRUPT, "it is no regular file");
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return mr__fail(e, MR_E_CORRUPT, "it belongs to another user (%lld)",
                        (long long)st->st_uid);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return mr__fail(e, MR_E_CORRUPT, "it can be written by others than its owner");
    return MR_OK;
}

static bool sizes_fit(const struct mr_index_file_head *h)
{
    uint64_t most = h->bytes;
    if (h->index_bytes < sizeof(struct mr_index_head) || h->index_bytes > most ||
        h->blocks != blocks_of(h->index_bytes) || h->origins_bytes > most ||
        h->roots_bytes > most || h->roots_origins_bytes > most || most > INT64_MAX / 8)
        return false;
    return (h->origins_bytes | h->roots_origins_bytes) % 8 == 0 && rest_bytes(h) <= MAX_REST &&
           rest_at(h) + rest_bytes(h) == h->bytes;
}

static int check_head(const struct mr_index_file_head *h, const struct stat *st,
                      const uint64_t key[2], struct mr_errbuf *e)
{
    if (h->magic == __builtin_bswap64(MAGIC))
        return mr__fail(e, MR_E_CORRUPT, "it is of a machine with another byte order");
    if (h->magic != MAGIC)
        return mr__fail(e, MR_E_CORRUPT, "it does not begin like an index");
    if (h->version != VERSION)
        return mr__fail(e, MR_E_VERSION, "it was made by another version of Millrace");
    if (h->sum != sum_of(h))
        return mr__fail(e, MR_E_CORRUPT, "its head is damaged");
    if (h->bytes != (uint64_t)st->st_size)
        return mr__fail(e, MR_E_CORRUPT, "it has %lld bytes in place of %llu",
                        (long long)st->st_size, (unsigned long long)h->bytes);
    if (!sizes_fit(h))
        return mr__fail(e, MR_E_CORRUPT, "its sizes do not fit");
    if (h->key[0] != key[0] || h->key[1] != key[1])
        return mr__fail(e, MR_E_VERSION, "it was made by other options");
    return MR_OK;
}

static int read_rest(struct mr_index_file *f, struct mr_errbuf *e)
{
    const struct mr_index_file_head *h = &f->head;
    size_t n = rest_bytes(h);
    if (!mr__buf_reserve(&f->behind, n + 1))
        return mr__fail(e, MR_E_MEMORY, "there is not enough memory to open it");
    if (!read_at(f->fd, f->behind.data, n, rest_at(h)))
        return not_read(e);
    if ((n ? XXH3_64bits(f->behind.data, n) : 0) != h->rest_sum)
        return mr__fail(e, MR_E_CORRUPT, "it is damaged behind the index");
    struct mr_index_rest *r = &f->rest;
    *r = (struct mr_index_rest){.origins = f->behind.data + h->blocks * sizeof(uint64_t),
                                .origins_bytes = h->origins_bytes,
                                .roots_bytes = h->roots_bytes,
                                .roots_origins_bytes = h->roots_origins_bytes,
                                .contents = h->contents};
    r->roots = r->origins + r->origins_bytes;
    r->roots_origins = r->roots + r->roots_bytes;
    return MR_OK;
}

int mr__index_file_open(struct mr_index_file *f, const char *path, const uint64_t key[2],
                        struct mr_errbuf *e)
{
    struct stat st;
    *f = (struct mr_index_file){.fd = mr__open_file(path)};
    if (f->fd < 0)
        return errno == ENOENT ? MR_INDEX_FILE_NONE
                               : mr__fail_errno(e, MR_E_IO, "it cannot be opened");
    int rc = fstat(f->fd, &st) < 0 ? mr__fail_errno(e, MR_E_IO, "it cannot be read")
                                   : check_owner(&st, e);
    if (rc == MR_OK && !read_at(f->fd, &f->head, sizeof f->head, 0))
        rc = not_read(e);
    if (rc == MR_OK)
        rc = check_head(&f->head, &st, key, e);
    if (rc == MR_OK)
        rc = read_rest(f, e);
    if (rc < 0)
        mr__index_file_close(f);
    return rc;
}

int mr__index_file_copy(const struct mr_index_file *f, struct mr_index *index, struct mr_errbuf *e)
{
    int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? mr__fail_errno(e, MR_E_SYSTEM, "no file descriptor is left")
                  : mr__index_copy_file(index, fd, f->head.index_bytes, e);
}

void mr__index_file_close(struct mr_index_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    mr__buf_free(&f->behind);
}

struct verifier {
    const struct mr_index_file *f;
    uint8_t *room[MR_PARALLEL_MAX];
    struct mr_first_error failure;
};

static void verify_block(void *ctx, int worker, uint64_t i)
{
    struct verifier *v = ctx;
    struct mr_errbuf e;
    const uint64_t *sums = (const uint64_t *)(const void *)v->f->behind.data;
    uint64_t at = i * MR_INDEX_BLOCK, rest = v->f->head.index_bytes - at;
    uint64_t n = rest < MR_INDEX_BLOCK ? rest : MR_INDEX_BLOCK;
    if (__atomic_load_n(&v->failure.taken, __ATOMIC_RELAXED))
        return;
    if (!v->room[worker])
        v->room[worker] = malloc(MR_INDEX_BLOCK);
    if (!v->room[worker])
        mr__fail(&e, MR_E_MEMORY, "there is not enough memory to open it");
    else if (!read_at(v->f->fd, v->room[worker], n, MR_INDEX_FILE_AT + at))
        not_read(&e);
    else if (XXH3_64bits(v->room[worker], n) != sums[i])
        mr__fail(&e, MR_E_CORRUPT, "it is damaged between byte %llu and %llu",
                 (unsigned long long)(MR_INDEX_FILE_AT + at),
                 (unsigned long long)(MR_INDEX_FILE_AT + at + n));
    else
        return;
    mr__first_error(&v->failure, &e);
}

int mr__index_file_verify(const struct mr_index_file *f, int threads, struct mr_errbuf *e)
{
    struct verifier v = {.f = f};
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    mr__parallel(f->head.blocks, threads, verify_block, &v);
    for (int i = 0; i < MR_PARALLEL_MAX; i++)
        free(v.room[i]);
    if (v.failure.taken)
        *e = v.failure.e;
    return v.failure.taken ? e->code : MR_OK;
}
