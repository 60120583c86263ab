/* SPDX-License-Identifier: Apache-2.0
 *
 * index.c: reading a mapped index. index_map.c has proved where the columns' arrays lie. What
 * stands in them may come from a file, and is held against the mapping's end each time.
 */
#include "index_format.h"

#include <stdbool.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value `i` of ragged ones, of which *n entries begin at number *first: none when they would not
 * lie behind `data` in the index. */
static void find_ragged(const struct mr_index *index, uint64_t offsets, uint64_t i, uint64_t data,
                        uint64_t entry, uint64_t *first, uint64_t *n)
{
    const uint64_t *at = (const uint64_t *)(index->base + offsets) + i;
    mr__index_need(index, at, 2 * sizeof *at);
    uint64_t from = at[0], to = at[1];
    bool inside = from <= to && to <= (index->bytes - data) / entry;
    *first = inside ? from : 0;
    *n = inside ? to - from : 0;
}

/* Text `i` of them. */
static const char *find_text(const struct mr_index *index, uint64_t offsets, uint64_t i,
                             uint64_t data, size_t *n)
{
    uint64_t first, bytes;
    find_ragged(index, offsets, i, data, 1, &first, &bytes);
    const uint8_t *text = index->base + data + first;
    mr__index_need(index, text, bytes);
    *n = bytes;
    return (const char *)text;
}

int mr__index_column(const struct mr_index *index, const char *name)
{
    for (int i = 0; i < (int)index->head->columns; i++)
        if (!strcmp(index->head->column[i].name, name))
            return i;
    return -1;
}

const char *mr__index_path(const struct mr_index *index, int column, uint64_t sample, size_t *n)
{
    struct mr_index part;
    *n = 0;
    if (index->head->parts && !mr__index_enter(&index, &column, &sample, &part))
        return "";
    if (index->head->column[column].kind != MR_COL_PATH)
        return "";
    const struct mr_column *c = &index->head->column[column];
    return find_text(index, c->offsets, sample, c->data, n);
}

char *mr__index_join(const void *root, size_t root_bytes, const char *path, size_t n)
{
    size_t before = n && path[0] != '/' ? root_bytes : 0;
    char *full = malloc(before + 1 + n + 1), *end = full;
    if (!full)
        return NULL;
    if (before) {
        memcpy(full, root, before);
        end += before;
        if (end[-1] != '/')
            *end++ = '/';
    }
    memcpy(end, path, n);
    end[n] = 0;
    return full;
}

char *mr__index_full_path(const struct mr_index *index, int column, uint64_t sample)
{
    struct mr_index part;
    size_t n;
    if (index->head->parts && !mr__index_enter(&index, &column, &sample, &part))
        return strdup("");
    const struct mr_index_head *head = index->head;
    const char *path = mr__index_path(index, column, sample, &n);
    return mr__index_join(index->base + head->root, head->root_bytes, path, n);
}

char *mr__index_name(const struct mr_index *index, int column, uint64_t sample)
{
    char *path = mr__index_full_path(index, column, sample), *name = NULL;
    bool named = path && *path;
    if (!path || (named ? asprintf(&name, "'%s'", path)
                        : asprintf(&name, "sample %llu", (unsigned long long)sample)) < 0)
        name = NULL;
    free(path);
    return name;
}

const void *mr__index_numbers(const struct mr_index *index, int column, uint64_t sample,
                              uint64_t *entries)
{
    struct mr_index part;
    if (index->head->parts && !mr__index_enter(&index, &column, &sample, &part)) {
        *entries = index->head->column[column].kind == MR_COL_FIXED;
        return index->base + index->head->zeros;
    }
    const struct mr_column *c = &index->head->column[column];
    uint64_t entry = c->width * mr_dtype_size(c->dtype), first = sample;
    *entries = 1;
    if (c->kind == MR_COL_FIXED && c->period)
        first = sample % c->period;
    if (c->kind == MR_COL_RAGGED)
        find_ragged(index, c->offsets, sample, c->data, entry, &first, entries);
    if (*entries > c->max_entries && c->kind == MR_COL_RAGGED)
        *entries = 0;
    const uint8_t *at = index->base + c->data + first * entry;
    mr__index_need(index, at, *entries * entry);
    return at;
}

int mr__index_shape(const struct mr_index *index, int column, int64_t *shape)
{
    struct mr_index part;
    for (uint64_t p = 0; p < index->head->parts; p++) { /* they agree: any of them */
        uint8_t own = mr__index_parts(index)[p].column[column];
        if (own == MR_INDEX_NO_COLUMN)
            continue;
        part = mr__index_of_part(index, &mr__index_parts(index)[p]);
        return mr__index_shape(&part, own, shape);
    }
    const struct mr_column *c = &index->head->column[column];
    if (index->head->parts || c->kind != MR_COL_TENSOR)
        return 0;
    const void *at = index->base + c->data;
    mr__index_need(index, at, c->max_entries * sizeof *shape);
    memcpy(shape, at, c->max_entries * sizeof *shape);
    return (int)c->max_entries;
}

bool mr__index_is_whole(const struct mr_column *c)
{
    bool whole = c->dtype == MR_U8 || c->dtype == MR_I16 || c->dtype == MR_U16 ||
                 c->dtype == MR_I32 || c->dtype == MR_I64;
    return whole && c->kind == MR_COL_FIXED && c->width == 1;
}

int64_t mr__index_whole(const struct mr_index *index, int column, uint64_t sample)
{
    uint64_t entries;
    const void *at = mr__index_numbers(index, column, sample, &entries);
    switch (index->head->column[column].dtype) {
    case MR_U8: return *(const uint8_t *)at;
    case MR_I16: return *(const int16_t *)at;
    case MR_U16: return *(const uint16_t *)at;
    case MR_I32: return *(const int32_t *)at;
    default: return *(const int64_t *)at;
    }
}

double mr__index_number(const struct mr_index *index, int column, uint64_t sample)
{
    uint64_t entries;
    const void *at = mr__index_numbers(index, column, sample, &entries);
    switch (index->head->column[column].dtype) {
    case MR_F16:
    case MR_BF16: return NAN;
    case MR_F32: return *(const float *)at;
    case MR_F64: return *(const double *)at;
    default: return (double)mr__index_whole(index, column, sample);
    }
}

void mr__index_list_columns(const struct mr_index *index, char *text, size_t bytes)
{
    size_t n = 0;
    text[0] = 0;
    for (uint64_t i = 0; i < index->head->columns && n < bytes; i++)
        n += (size_t)snprintf(text + n, bytes - n, "%s%s", i ? ", " : "",
                              index->head->column[i].name);
}

const char *mr__index_class(const struct mr_index *index, uint64_t number, size_t *n)
{
    const struct mr_index_head *head = index->head;
    *n = 0;
    if (number >= head->classes)
        return NULL;
    return find_text(index, head->class_offsets, number, head->class_data, n);
}
