/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_shard.c: any bytes as a shard whose checksums are right: what checksums do not promise must
 * not be believed. Everything in it is looked at, and the source `shards` lists it and reads it.
 */
#include "base/config.h"
#include "loaders/shard/shard_check.h"
#include "loaders/shard/shard_sums.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

extern const struct mr_source mr__source_shards;

static char path[64];
static int file = -1;

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void leave(void)
{
    char folder[64];
    unlink(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(folder);
}

/* The input is a file, but for checksums and sizes, which are made right. */
static void write_shard(const uint8_t *data, size_t n)
{
    static uint8_t copy[1 << 20];
    if (file < 0) {
        char folder[] = "/tmp/millrace-fuzz-XXXXXX";
        require(mkdtemp(folder) != NULL, "a folder");
        snprintf(path, sizeof path, "%s/x.mrs", folder);
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        require(file >= 0, "a file");
        atexit(leave);
    }
    n = n < sizeof copy ? n : sizeof copy;
    if (n)
        memcpy(copy, data, n);
    if (n >= MR_SHARD_HEAD_BYTES + MR_SHARD_FOOT_BYTES) {
        uint8_t *foot = copy + n - MR_SHARD_FOOT_BYTES;
        uint64_t at = mr__le_u64(foot + MR_SHARD_FOOT_INDEX), end = n - MR_SHARD_FOOT_BYTES;
        mr__le_put(copy + MR_SHARD_HEAD_CHECK, mr__shard_hash(copy, MR_SHARD_HEAD_CHECK), 8);
        mr__le_put(foot + MR_SHARD_FOOT_FILE_BYTES, n, 8);
        if (at <= end) {
            mr__le_put(foot + MR_SHARD_FOOT_INDEX_BYTES, end - at, 8);
            mr__le_put(foot + MR_SHARD_FOOT_INDEX_CHECK, mr__shard_hash(copy + at, end - at), 8);
        }
        mr__le_put(foot + MR_SHARD_FOOT_HEAD_CHECK, mr__shard_hash(copy, MR_SHARD_HEAD_BYTES), 8);
        mr__le_put(foot + MR_SHARD_FOOT_CHECK, mr__shard_hash(foot, MR_SHARD_FOOT_CHECK), 8);
    }
    require(ftruncate(file, 0) == 0 && pwrite(file, copy, n, 0) == (ssize_t)n, "a disk");
}

/* ---- the reader ---- */

static uint64_t seen; /* so that looking is not left out */

static void look(const void *at, uint64_t n)
{
    seen += n ? mr__shard_hash(at, n) : 0;
}

static void look_at_column(const struct mr_shard *s, const struct mr_shard_column *c)
{
    for (uint64_t i = 0; i < s->samples; i++) {
        size_t n;
        uint64_t entries;
        if (c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS) {
            const char *name = mr__shard_name(c, i, &n);
            look(name, n);
            continue;
        }
        const uint8_t *at = mr__shard_entries(c, i, &entries);
        require(c->kind == MR_SHARD_NUMBERS || entries <= c->max_entries, "too many entries");
        look(at, entries * c->width * mr_dtype_size(c->dtype));
    }
}

static void damage(void *ctx, const struct mr_shard *shard, const struct mr_shard_column *column,
                   uint64_t sample, const char *reason)
{
    (void)ctx;
    require(!column || sample < shard->samples, "a sample that is not there");
    require(*reason, "damage without a reason");
}

static void look_at_shard(void)
{
    struct mr_shard s;
    struct mr_errbuf e = {0};
    int rc = mr__shard_open(&s, path, true, &e);
    require(rc == MR_OK || strstr(e.text, "x.mrs"), "an error that names no file");
    if (rc < 0)
        return;
    for (uint64_t i = 0; i < s.classes; i++) {
        size_t n;
        const char *name = mr__shard_class(&s, i, &n);
        look(name, n);
    }
    for (uint32_t i = 0; i < s.ncolumns; i++)
        look_at_column(&s, &s.column[i]);
    struct mr_shard_checker checker = {.damage = damage};
    rc = mr__shard_check(&checker, &s, &e);
    require(rc == MR_OK, "a check that fails");
    mr__shard_checker_free(&checker);
    mr__shard_close(&s);
}

/* ---- the source ---- */

static void read_sample(void *self, const struct mr_index *index, uint64_t sample, int column)
{
    const struct mr_column *c = &index->head->column[column];
    struct mr_errbuf e = {0};
    if (c->kind == MR_COL_PATH) {
        struct mr_buf whole = {0};
        struct mr_ranges ranges;
        const uint8_t *data;
        int rc = mr__source_shards.read(self, sample, column, &whole, &e);
        require(rc == MR_OK || e.text[0], "an error without a sentence");
        look(whole.data, rc == MR_OK ? whole.n + 64 : 0);
        if (mr__source_shards.ranges(self, sample, column, &ranges, &e) == MR_OK &&
            ranges.get(ranges.ctx, ranges.n / 2, ranges.n - ranges.n / 2, &data, &e) == MR_OK)
            look(data, ranges.n - ranges.n / 2 + 64);
        mr__buf_free(&whole);
    }
    uint64_t bytes = c->width * mr_dtype_size((mr_dtype)c->dtype);
    void *to = c->kind == MR_COL_TENSOR && bytes <= 1 << 20 ? malloc(bytes) : NULL;
    if (to && mr__source_shards.tensor(self, sample, column, false, to, bytes, &e) == MR_OK)
        look(to, bytes);
    free(to);
}

static void read_all(const struct mr_index *index)
{
    const struct mr_limits limits = {.max_file_bytes = 1 << 20};
    const char *params = path;
    struct mr_errbuf e = {0};
    void *self;
    if (mr__source_shards.open(&params, index, &limits, &self, &e) < 0)
        return;
    for (uint64_t i = 0; i < index->head->samples && i < 64; i++)
        for (int c = 0; c < (int)index->head->columns; c++)
            read_sample(self, index, i, c);
    mr__source_shards.close(self);
}

static void list_and_read(void)
{
    const char *params = path;
    struct mr_errbuf e = {0};
    struct mr_index_builder *b;
    struct mr_index index;
    require(mr__index_builder_new(&b, &e) == MR_OK, "memory");
    int rc = mr__source_shards.index(&params, b, &e);
    require(rc >= 0 || e.text[0], "an error without a sentence");
    int fd = rc >= 0 ? mr__index_memfd(&e) : -1;
    if (rc >= 0 && mr__index_finish(b, fd, &e) == MR_OK) {
        require(mr__index_map(&index, fd, &e) == MR_OK, e.text);
        read_all(&index);
        mr__index_unmap(&index);
    }
    if (fd >= 0)
        close(fd);
    mr__index_builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    write_shard(data, n);
    look_at_shard();
    list_and_read();
    return (int)(seen & 0);
}
