/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/weights_file.h"

#include "base/open_file.h"
#include "base/whole_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC 0x315448474957524dull /* "MRWIGHT1", little-endian */
#define PLACE_END (1ull << 48)

struct head {
    uint64_t magic, hash; /* the hash of the whole, this being 0 */
    uint64_t config, data, seed, rank, world;
    uint64_t epoch, batch, place;
    uint64_t leaves, rows, delay;
};

/* What a file of this loader says, but for its place. */
static struct head own_head(const mr_loader *l)
{
    const struct mr_config *c = l->s.plan->config;
    const struct mr_feedback *f = &l->s.feedback;
    return (struct head){.magic = MAGIC,
                         .config = c->stream_hash,
                         .data = l->s.index.head->hash,
                         .seed = (uint64_t)c->seed,
                         .rank = (uint64_t)c->rank,
                         .world = (uint64_t)c->world,
                         .leaves = f->weights.n,
                         .rows = f->rows,
                         .delay = f->delay};
}

static uint64_t hash_of(void *file, size_t bytes)
{
    struct head *h = file;
    uint64_t said = h->hash;
    h->hash = 0;
    uint64_t hash = XXH3_64bits(file, bytes);
    h->hash = said;
    return hash ? hash : 1;
}

int mr__weights_write(const mr_loader *l, const char *path, uint64_t *hash, struct mr_errbuf *e)
{
    const struct mr_feedback *f = &l->s.feedback;
    size_t bytes = sizeof(struct head) + mr__feedback_given_bytes(f);
    struct head *h = malloc(bytes);
    if (!h)
        return mr__fail(e, MR_E_MEMORY, "no memory for the %.1f MB of the weights",
                        (double)bytes / 1e6);
    *h = own_head(l);
    h->epoch = l->epoch;
    h->batch = l->position;
    h->place = l->learned.place;
    mr__feedback_copy(f, h->place, h + 1);
    h->hash = hash_of(h, bytes);
    *hash = h->hash;
    int rc = mr__out_file(path, h, bytes, "the weights", e);
    free(h);
    return rc;
}

/* ---- reading ---- */

static int other(struct mr_errbuf *e, const char *path, const char *of)
{
    return mr__fail(e, MR_E_CONFIG, "the weights in '%s' are of another %s", path, of);
}

static int check_head(const struct head *h, const struct head *own, const char *path,
                      struct mr_errbuf *e)
{
    if (h->seed != own->seed)
        return other(e, path, "seed");
    if (h->config != own->config)
        return other(e, path, "config: something that shapes the stream has changed since");
    if (h->data != own->data)
        return other(e, path, "data set: files were added, removed or renamed since");
    if (h->rank == own->rank && h->world == own->world)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "the weights in '%s' are of rank %llu of %llu, this is rank %llu of %llu: what "
                    "a sampler learns is each rank's own, so it goes on with as many ranks as "
                    "before, each with its own file",
                    path, (unsigned long long)h->rank, (unsigned long long)h->world,
                    (unsigned long long)own->rank, (unsigned long long)own->world);
}

/* Floats that a sampler could have written; in the feedback NAN stands for none. */
static bool sane(const float *v, uint64_t n, bool none)
{
    for (uint64_t i = 0; i < n; i++)
        if (!(v[i] >= 0 && isfinite(v[i])) && !(none && isnan(v[i])))
            return false;
    return true;
}

static int check(const mr_loader *l, void *file, size_t bytes, const char *path,
                 struct mr_errbuf *e)
{
    const struct head *h = file, own = own_head(l);
    uint64_t pending = own.delay * own.rows;
    if (bytes < sizeof *h || h->magic != MAGIC)
        return mr__fail(e, MR_E_CONFIG, "'%s' is no file that mr_save_weights wrote", path);
    int rc = check_head(h, &own, path, e);
    if (rc < 0)
        return rc;
    const float *values = (const float *)((const uint64_t *)(h + 1) + pending);
    if (h->leaves == own.leaves && h->rows == own.rows && h->delay == own.delay &&
        h->place < PLACE_END && bytes == sizeof *h + mr__feedback_given_bytes(&l->s.feedback) &&
        hash_of(file, bytes) == h->hash && sane(values, pending, true) &&
        sane(values + pending, own.leaves, false))
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG, "the weights file '%s' is damaged", path);
}

static int read_all(int fd, uint8_t *to, size_t bytes)
{
    while (bytes) {
        ssize_t n = read(fd, to, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n ? errno : ENODATA; /* it became shorter */
            return -1;
        }
        to += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static int read_file(const char *path, uint64_t most, uint8_t **file, size_t *bytes,
                     struct mr_errbuf *e)
{
    struct stat st;
    int fd = mr__open_file(path);
    *file = NULL;
    if (fd < 0 || fstat(fd, &st) < 0) {
        mr__fail_errno(e, MR_E_IO, "cannot read the weights '%s'", path);
    } else if (!S_ISREG(st.st_mode)) {
        mr__fail(e, MR_E_IO, "cannot read the weights '%s': it is no regular file", path);
    } else {
        *bytes = (uint64_t)st.st_size < most ? (size_t)st.st_size : most;
        *file = malloc(*bytes + 1);
        if (!*file)
            mr__fail(e, MR_E_MEMORY, "no memory for the %.1f MB of the weights '%s'",
                     (double)*bytes / 1e6, path);
        else if (read_all(fd, *file, *bytes) == 0)
            e->code = MR_OK;
        else
            mr__fail_errno(e, MR_E_IO, "cannot read the weights '%s'", path);
    }
    if (fd >= 0)
        close(fd);
    return e->code;
}

int mr__weights_read(const mr_loader *l, const char *path, void **given, uint64_t *hash,
                     uint64_t *place, struct mr_errbuf *e)
{
    uint64_t own = mr__feedback_given_bytes(&l->s.feedback);
    uint8_t *file;
    size_t bytes = 0;
    e->code = MR_OK;
    int rc = read_file(path, sizeof(struct head) + own + 1, &file, &bytes, e);
    if (rc >= 0)
        rc = check(l, file, bytes, path, e);
    if (rc < 0) {
        free(file);
        return rc;
    }
    const struct head *h = (const struct head *)file;
    *hash = h->hash;
    *place = h->place;
    memmove(file, file + sizeof *h, own);
    *given = file;
    return MR_OK;
}
