/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/built_files.h"

#include "base/index_format.h"
#include "loaders/shard/body_reader.h"
#include "loaders/shard/shards_index.h"
#include "loaders/source/read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mr__built_files_begin(struct mr_built_files *f, const struct mr_index_builder *b,
                          const struct mr_limits *limits, struct mr_errbuf *e)
{
    *f = (struct mr_built_files){.b = b, .limits = limits};
    if (mr__index_built_column(b, MR_SHARDS_PLACE, MR_COL_FIXED) >= 0) {
        char *path = strndup((const char *)b->root.data, b->root.n);
        int rc = path ? mr__shard_set_read(&f->set, path, e)
                      : mr__fail(e, MR_E_MEMORY, "not enough memory for a path");
        free(path);
        if (rc < 0)
            return rc;
        f->shard = calloc(f->set.n + 1, sizeof *f->shard);
        if (!f->shard) {
            mr__shard_set_free(&f->set);
            return mr__fail(e, MR_E_MEMORY, "not enough memory for %llu shards",
                            (unsigned long long)f->set.n);
        }
    }
    pthread_mutex_init(&f->mutex, NULL);
    return MR_OK;
}

static int need_shard(struct mr_built_files *f, uint64_t number, struct mr_errbuf *e)
{
    pthread_mutex_lock(&f->mutex);
    int rc = f->shard[number].file
                 ? MR_OK
                 : mr__shard_set_open(&f->set, number, false, &f->shard[number], e);
    pthread_mutex_unlock(&f->mutex);
    return rc;
}

static int read_body(struct mr_built_files *f, const int64_t *numbers, bool *none,
                     struct mr_buf *out, struct mr_errbuf *e)
{
    const struct mr_shard_place place = {.at = (uint64_t)numbers[MR_PLACE_AT],
                                         .bytes = (uint64_t)numbers[MR_PLACE_BYTES],
                                         .check = (uint64_t)numbers[MR_PLACE_CHECK]};
    uint64_t number = (uint64_t)numbers[MR_PLACE_SHARD];
    struct mr_body body = {0};
    *none = !place.bytes;
    if (*none)
        return MR_OK;
    if (number >= f->set.n)
        return mr__fail(e, MR_E_DATA, "it lies in no shard");
    if (place.bytes > (uint64_t)f->limits->max_file_bytes)
        return mr__fail(e, MR_E_DATA, "it is larger than limits.max_file_bytes allows");
    int rc = need_shard(f, number, e);
    if (rc == MR_OK && !mr__buf_reserve(out, place.bytes + MR_READ_PADDING))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu bytes",
                      (unsigned long long)place.bytes);
    if (rc == MR_OK)
        rc = mr__body_straight(&body, f->shard[number].file, &place, false, out->data, e);
    if (rc == MR_OK) {
        memset(out->data + place.bytes, 0, MR_READ_PADDING);
        out->n = place.bytes;
    }
    mr__body_free(&body);
    return rc;
}

int mr__built_files_read(struct mr_built_files *f, int column, uint64_t sample, bool *none,
                         struct mr_buf *out, struct mr_errbuf *e)
{
    char name[MR_INDEX_NAME + sizeof MR_SHARDS_PLACE];
    out->n = 0;
    snprintf(name, sizeof name, "%s" MR_SHARDS_PLACE, f->b->head.column[column].name);
    int place = f->set.n ? mr__index_built_column(f->b, name, MR_COL_FIXED) : -1;
    if (place >= 0) {
        const int64_t *all = (const int64_t *)(const void *)f->b->column[place].data.data;
        return read_body(f, all + sample * MR_PLACE_NUMBERS, none, out, e);
    }
    char *path = mr__index_built_path(f->b, column, sample);
    if (!path)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a path");
    *none = !*path;
    int rc = *none ? MR_OK : mr__read_file(path, f->limits->max_file_bytes, out, e);
    free(path);
    return rc;
}

void mr__built_files_end(struct mr_built_files *f)
{
    for (uint64_t i = 0; f->shard && i < f->set.n; i++)
        mr__shard_close(&f->shard[i]);
    free(f->shard);
    mr__shard_set_free(&f->set);
    pthread_mutex_destroy(&f->mutex);
}
