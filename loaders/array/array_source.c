/* SPDX-License-Identifier: Apache-2.0 */
#include "array_source.h"

#include "base/origin.h"
#include "base/printable.h"
#include "base/shape.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (1u << 20)

/* ---- the index ------------------------------------------------------------------------------ */

/* A column 'label' of whole numbers is int64 in all sources, so that they can stand in one
 * mixture. */
static bool is_label(const struct mr_array *a)
{
    bool whole = a->dtype == MR_U8 || a->dtype == MR_I16 || a->dtype == MR_U16 ||
                 a->dtype == MR_I32 || a->dtype == MR_I64;
    return whole && !strcmp(a->name, "label");
}

static int64_t whole_at(const struct mr_array *a, const uint8_t *at)
{
    int64_t v = 0;
    int16_t i16;
    uint16_t u16;
    int32_t i32;
    switch (a->dtype) {
    case MR_U8: return *at;
    case MR_I16: return memcpy(&i16, at, sizeof i16), i16;
    case MR_U16: return memcpy(&u16, at, sizeof u16), u16;
    case MR_I32: return memcpy(&i32, at, sizeof i32), i32;
    default: return memcpy(&v, at, sizeof v), v;
    }
}

static int add_numbers(const struct mr_array *a, const uint8_t *block, uint64_t n,
                       struct mr_index_builder *b, int column, struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (uint64_t i = 0; i < n && rc >= 0; i++) {
        const uint8_t *at = block + i * a->row_bytes;
        int64_t label = is_label(a) ? whole_at(a, at) : 0;
        rc = mr__index_add_numbers(b, column, is_label(a) ? (const void *)&label : at, 1, e);
    }
    return rc;
}

/* One number per sample. */
static int index_numbers(const struct mr_array_set *set, const struct mr_array *a,
                         struct mr_index_builder *b, struct mr_errbuf *e)
{
    uint64_t most = BLOCK_BYTES / a->row_bytes;
    uint8_t *block = malloc(BLOCK_BYTES);
    int rc = mr__index_add_column(b, a->name, MR_COL_FIXED, is_label(a) ? MR_I64 : a->dtype, 1, e);
    int column = rc;
    if (!block)
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory to read the array '%s'", a->name);
    for (uint64_t at = 0; rc >= 0 && at < a->rows; at += most) {
        uint64_t n = a->rows - at < most ? a->rows - at : most;
        rc = mr__array_rows(set, a, at, n, block, e);
        if (rc >= 0)
            rc = add_numbers(a, block, n, b, column, e);
    }
    free(block);
    return rc;
}

static int index_array(const struct mr_array_set *set, const struct mr_array *a,
                       struct mr_index_builder *b, struct mr_errbuf *e)
{
    if (!a->ndim)
        return index_numbers(set, a, b, e);
    int column = mr__index_add_tensor(b, a->name, a->dtype, a->shape, a->ndim, e);
    return column < 0 ? column : mr__index_repeat(b, column, a->rows, e);
}

int mr__array_index(mr_array_opener *opener, const void *params, struct mr_index_builder *b,
                    struct mr_errbuf *e)
{
    struct mr_array_set set = {0};
    struct mr_buf *origins = mr__index_origins(b);
    int rc = opener(params, NULL, &set, origins, e);
    if (rc >= 0)
        rc = mr__array_set_check(&set, e);
    for (int i = 0; i < set.nfiles && rc >= 0; i++)
        if (!mr__origin_add(origins, set.file[i].path, &set.file[i].seen))
            rc = mr__fail(e, MR_E_MEMORY, "not enough memory to list the arrays");
    for (int i = 0; i < set.n && rc >= 0; i++)
        rc = index_array(&set, &set.array[i], b, e);
    mr__array_set_close(&set);
    return rc < 0 ? rc : MR_OK;
}

/* ---- rows ----------------------------------------------------------------------------------- */

struct array_source {
    const struct mr_index *index;
    struct mr_array_set set;
    const struct mr_array *of[MR_INDEX_MAX_COLUMNS]; /* of each column */
};

/* The array is what the index says of its column. */
static bool same_array(const struct mr_index *index, int column, const struct mr_array *a)
{
    const struct mr_column *c = &index->head->column[column];
    int64_t shape[MR_MAX_DIMS];
    if (strcmp(a->name, c->name) != 0 || a->rows != index->head->samples)
        return false;
    if (c->kind != MR_COL_TENSOR)
        return c->kind == MR_COL_FIXED && !a->ndim;
    int ndim = mr__index_shape(index, column, shape);
    return c->dtype == (uint32_t)a->dtype && ndim == a->ndim &&
           !memcmp(shape, a->shape, (size_t)ndim * sizeof *shape);
}

static int has_changed(const char *name, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_IO, "the array '%s' has changed since the data set was listed", name);
}

/* Columns that are no tensors need no array: their numbers are in the index, or a sampler has added
 * them. */
static int match(struct array_source *s, struct mr_errbuf *e)
{
    const struct mr_index_head *head = s->index->head;
    for (int i = 0; i < s->set.n; i++) {
        const struct mr_array *a = &s->set.array[i];
        int column = mr__index_column(s->index, a->name);
        if (column < 0 || !same_array(s->index, column, a))
            return has_changed(a->name, e);
        s->of[column] = a;
    }
    for (uint64_t c = 0; c < head->columns; c++)
        if (head->column[c].kind == MR_COL_TENSOR && !s->of[c])
            return has_changed(head->column[c].name, e);
    return MR_OK;
}

int mr__array_open(mr_array_opener *opener, const void *params, const struct mr_index *index,
                   void **self, struct mr_errbuf *e)
{
    struct array_source *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the source");
    s->index = index;
    int rc = opener(params, index, &s->set, NULL, e);
    if (rc >= 0)
        rc = match(s, e);
    if (rc < 0)
        mr__array_close(s);
    else
        *self = s;
    return rc < 0 ? rc : MR_OK;
}

int mr__array_roots(mr_array_opener *opener, const void *params, struct mr_buf *paths,
                    struct mr_errbuf *e)
{
    struct mr_array_set set = {0};
    int rc = opener(params, NULL, &set, NULL, e);
    for (int i = 0; i < set.nfiles && rc >= 0; i++)
        if (!mr__buf_append(paths, set.file[i].path, strlen(set.file[i].path) + 1))
            rc = mr__fail(e, MR_E_MEMORY, "not enough memory to list the arrays");
    mr__array_set_close(&set);
    return rc < 0 ? rc : MR_OK;
}

/* NULL: the column is not read, or there is no such sample. */
static const struct mr_array *find(const struct array_source *s, uint64_t sample, int column)
{
    bool known = column >= 0 && column < MR_INDEX_MAX_COLUMNS && s->of[column];
    return known && s->of[column]->ndim && sample < s->of[column]->rows ? s->of[column] : NULL;
}

int mr__array_read(void *self, uint64_t sample, int column, struct mr_buf *out, struct mr_errbuf *e)
{
    (void)self;
    out->n = 0;
    return mr__fail(e, MR_E_USAGE, "sample %llu has no file in column %d: it has arrays",
                    (unsigned long long)sample, column);
}

int mr__array_tensor(void *self, uint64_t sample, int column, bool at_once, void *to,
                     uint64_t bytes, struct mr_errbuf *e)
{
    const struct array_source *s = self;
    const struct mr_array *a = find(s, sample, column);
    if (!a || a->row_bytes != bytes)
        return mr__fail(e, MR_E_USAGE, "sample %llu has no tensor of %llu bytes in column %d",
                        (unsigned long long)sample, (unsigned long long)bytes, column);
    return mr__array_row(&s->set, a, sample, at_once, to, e);
}

enum mr_cached mr__array_read_ahead(void *self, uint64_t sample, int column, uint64_t most)
{
    const struct array_source *s = self;
    const struct mr_array *a = find(s, sample, column);
    return a ? mr__array_ahead(&s->set, a, sample, most) : MR_CACHED_UNKNOWN;
}

void mr__array_close(void *self)
{
    struct array_source *s = self;
    mr__array_set_close(&s->set);
    free(s);
}
