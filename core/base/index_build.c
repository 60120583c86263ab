/* SPDX-License-Identifier: Apache-2.0
 *
 * index_build.c: collecting an index in growing arrays: a path costs its text and 8 bytes.
 */
#include "index_format.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(struct mr_errbuf *e, const struct mr_index_builder *b)
{
    return mr__fail(e, MR_E_MEMORY,
                    "not enough memory for the index of the data set, after %llu samples",
                    (unsigned long long)mr__index_samples(b));
}

int mr__index_builder_new(struct mr_index_builder **b, struct mr_errbuf *e)
{
    *b = calloc(1, sizeof **b);
    if (!*b)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the index of the data set");
    return MR_OK;
}

static void free_ragged(struct mr_ragged *r)
{
    mr__buf_free(&r->offsets);
    mr__buf_free(&r->data);
}

void mr__index_builder_free(struct mr_index_builder *b)
{
    if (!b)
        return;
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++)
        free_ragged(&b->column[i]);
    free_ragged(&b->classes);
    mr__buf_free(&b->root);
    mr__buf_free(&b->origins);
    for (uint64_t i = 0; i < b->head.parts; i++)
        mr__index_builder_free(b->part[i]);
    free(b->table);
    free(b);
}

int mr__index_set_root(struct mr_index_builder *b, const char *root, struct mr_errbuf *e)
{
    b->root.n = 0;
    return mr__buf_append(&b->root, root, strlen(root)) ? MR_OK : no_memory(e, b);
}

int mr__index_add_column(struct mr_index_builder *b, const char *name, enum mr_column_kind kind,
                         enum mr_dtype dtype, uint32_t width, struct mr_errbuf *e)
{
    struct mr_index_head *head = &b->head;
    uint32_t most = kind == MR_COL_TENSOR ? UINT32_MAX : MR_INDEX_MAX_WIDTH;
    size_t n = strlen(name);
    if (n < 1 || n >= MR_INDEX_NAME)
        return mr__fail(e, MR_E_USAGE, "column name '%.80s' is not 1 to %d bytes long", name,
                        MR_INDEX_NAME - 1);
    if (head->columns == MR_INDEX_MAX_COLUMNS)
        return mr__fail(e, MR_E_LIMIT, "column '%s': a data set has at most %d columns", name,
                        MR_INDEX_MAX_COLUMNS);
    if (width < 1 || width > most || !mr_dtype_size(dtype))
        return mr__fail(e, MR_E_USAGE, "column '%s': width %u is not 1 to %u, or no such dtype",
                        name, width, most);
    for (uint64_t i = 0; i < head->columns; i++)
        if (!strcmp(head->column[i].name, name))
            return mr__fail(e, MR_E_USAGE, "column '%s' is there twice", name);
    struct mr_column *c = &head->column[head->columns];
    *c = (struct mr_column){.kind = kind, .dtype = dtype, .width = width};
    memcpy(c->name, name, n);
    return (int)head->columns++;
}

int mr__index_add_tensor(struct mr_index_builder *b, const char *name, enum mr_dtype dtype,
                         const int64_t *shape, int ndim, struct mr_errbuf *e)
{
    uint64_t n = 1;
    if (ndim < 1 || ndim > MR_MAX_DIMS - 1)
        return mr__fail(e, MR_E_USAGE, "column '%s' has %d dimensions per sample, not 1 to %d",
                        name, ndim, MR_MAX_DIMS - 1);
    for (int d = 0; d < ndim; d++)
        if (shape[d] < 1 || __builtin_mul_overflow(n, (uint64_t)shape[d], &n) || n > UINT32_MAX)
            return mr__fail(e, MR_E_LIMIT,
                            "column '%s' has %s numbers per sample; 1 to %u are possible", name,
                            shape[d] < 1 ? "no" : "too many", UINT32_MAX);
    int column = mr__index_add_column(b, name, MR_COL_TENSOR, dtype, (uint32_t)n, e);
    if (column < 0)
        return column;
    if (!mr__buf_append(&b->column[column].data, shape, (size_t)ndim * sizeof *shape))
        return no_memory(e, b);
    b->head.column[column].max_entries = (uint32_t)ndim;
    return column;
}

/* Adds a value of `bytes` bytes, which moves the offset on by `step`. Leaves nothing half done. */
static bool add_ragged(struct mr_ragged *r, const void *data, size_t bytes, uint64_t step)
{
    uint64_t at = 0;
    if (!r->offsets.n && !mr__buf_append(&r->offsets, &at, sizeof at))
        return false;
    memcpy(&at, r->offsets.data + r->offsets.n - sizeof at, sizeof at);
    at += step;
    if (!mr__buf_reserve(&r->offsets, sizeof at) || !mr__buf_append(&r->data, data, bytes))
        return false;
    return mr__buf_append(&r->offsets, &at, sizeof at);
}

static struct mr_column *column_of(struct mr_index_builder *b, int column)
{
    return column >= 0 && (uint64_t)column < b->head.columns ? &b->head.column[column] : NULL;
}

int mr__index_add_path(struct mr_index_builder *b, int column, const char *path, size_t n,
                       struct mr_errbuf *e)
{
    const struct mr_column *c = column_of(b, column);
    if (!c || c->kind != MR_COL_PATH)
        return mr__fail(e, MR_E_USAGE, "column %d holds no paths", column);
    if (n && memchr(path, 0, n))
        return mr__fail(e, MR_E_DATA, "path '%.*s' has a NUL byte in it", (int)(n < 512 ? n : 512),
                        path);
    if (!add_ragged(&b->column[column], path, n, n))
        return no_memory(e, b);
    b->samples[column]++;
    return MR_OK;
}

int mr__index_add_numbers(struct mr_index_builder *b, int column, const void *data,
                          uint64_t entries, struct mr_errbuf *e)
{
    struct mr_column *c = column_of(b, column);
    if (!c || (c->kind != MR_COL_FIXED && c->kind != MR_COL_RAGGED))
        return mr__fail(e, MR_E_USAGE, "column %d holds no numbers", column);
    if (c->kind == MR_COL_FIXED && c->period)
        return mr__fail(e, MR_E_USAGE, "column '%s' is complete", c->name);
    if (c->kind == MR_COL_FIXED && entries != 1)
        return mr__fail(e, MR_E_USAGE, "column '%s' takes one entry per sample", c->name);
    if (entries > UINT32_MAX)
        return mr__fail(e, MR_E_LIMIT, "column '%s': a sample with over 2^32 entries", c->name);
    size_t bytes;
    if (__builtin_mul_overflow(entries, c->width * mr_dtype_size(c->dtype), &bytes))
        return no_memory(e, b);
    if (c->kind == MR_COL_FIXED ? !mr__buf_append(&b->column[column].data, data, bytes)
                                : !add_ragged(&b->column[column], data, bytes, entries))
        return no_memory(e, b);
    if (entries > c->max_entries)
        c->max_entries = (uint32_t)entries;
    b->samples[column]++;
    return MR_OK;
}

int mr__index_repeat(struct mr_index_builder *b, int column, uint64_t samples, struct mr_errbuf *e)
{
    struct mr_column *c = column_of(b, column);
    if (!c || c->kind == MR_COL_PATH || c->kind == MR_COL_RAGGED)
        return mr__fail(e, MR_E_USAGE, "column %d cannot repeat its values", column);
    if (c->kind == MR_COL_FIXED && (c->period || !b->samples[column]))
        return mr__fail(e, MR_E_USAGE, "column '%s' is complete, or has no value to repeat",
                        c->name);
    if (c->kind == MR_COL_FIXED)
        c->period = b->samples[column];
    b->samples[column] = samples;
    return MR_OK;
}

int mr__index_add_class(struct mr_index_builder *b, const char *name, size_t n, struct mr_errbuf *e)
{
    if (n && memchr(name, 0, n))
        return mr__fail(e, MR_E_DATA, "class name '%.*s' has a NUL byte in it",
                        (int)(n < 512 ? n : 512), name);
    if (!add_ragged(&b->classes, name, n, n))
        return no_memory(e, b);
    b->head.classes++;
    return MR_OK;
}

void mr__index_skip(struct mr_index_builder *b, uint64_t count)
{
    b->head.skipped += count;
}

uint64_t mr__index_samples(const struct mr_index_builder *b)
{
    return b->samples[0];
}

int mr__index_built_column(const struct mr_index_builder *b, const char *name,
                           enum mr_column_kind kind)
{
    for (uint64_t i = 0; i < b->head.columns; i++)
        if (!strcmp(b->head.column[i].name, name) && b->head.column[i].kind == kind)
            return (int)i;
    return -1;
}

char *mr__index_built_path(const struct mr_index_builder *b, int column, uint64_t sample)
{
    const struct mr_ragged *r = &b->column[column];
    const uint64_t *offsets = (const uint64_t *)r->offsets.data;
    uint64_t at = offsets[sample], n = offsets[sample + 1] - at;
    return mr__index_join(b->root.data, b->root.n, n ? (const char *)r->data.data + at : "", n);
}

uint64_t mr__index_built_columns(const struct mr_index_builder *b)
{
    uint64_t n = b->head.columns;
    for (uint64_t i = 0; i < b->head.parts; i++)
        n += mr__index_built_columns(b->part[i]);
    return n;
}

struct mr_buf *mr__index_origins(struct mr_index_builder *b)
{
    return &b->origins;
}

int mr__index_gather_origins(const struct mr_index_builder *b, struct mr_buf *list,
                             struct mr_errbuf *e)
{
    int rc = MR_OK;
    if (!b->head.parts && !b->origins.n)
        return mr__fail(e, MR_E_DATA, "its source does not say what it was made from");
    if (!mr__buf_append(list, b->origins.data, b->origins.n))
        return no_memory(e, b);
    for (uint64_t i = 0; i < b->head.parts && rc == MR_OK; i++)
        rc = mr__index_gather_origins(b->part[i], list, e);
    return rc;
}
