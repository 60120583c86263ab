/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_index_read.c: an index is believed no further than its checksum goes, which says that it is
 * what somebody wrote, not that it makes sense.
 */
#include "loaders/shard/shard_index.h"

#include "base/index.h"
#include "base/printable.h"

#include <stdio.h>
#include <string.h>

#define MAX_WIDTH (1u << 20) /* as base/index.h */

/* `count` elements of `size` bytes at `at` of the index; NULL: they do not lie in it. */
static const uint8_t *array_at(const struct mr_shard *s, uint64_t at, uint64_t count, uint64_t size)
{
    uint64_t bytes, end;
    if (__builtin_mul_overflow(count, size, &bytes) || __builtin_add_overflow(at, bytes, &end) ||
        end > s->index.n)
        return NULL;
    return s->index.data + at;
}

/* u64[n + 1]: from 0 on, never falling, up to `most`, no step above `step`. */
static bool offsets_rise(const uint8_t *offsets, uint64_t n, uint64_t most, uint64_t step)
{
    uint64_t before = mr__le_u64(offsets);
    if (before)
        return false;
    for (uint64_t i = 1; i <= n; i++) {
        uint64_t at = mr__le_u64(offsets + 8 * i);
        if (at < before || at > most || at - before > step)
            return false;
        before = at;
    }
    return true;
}

static const uint8_t *offsets_at(const struct mr_shard *s, uint64_t at, uint64_t n)
{
    return n == UINT64_MAX ? NULL : array_at(s, at, n + 1, 8);
}

/* Items lie between head and index. */
static bool places_fit(const struct mr_shard *s, const uint8_t *places, uint64_t each)
{
    for (uint64_t i = 0; i < s->samples; i++) {
        uint64_t at = mr__le_u64(places + i * MR_SHARD_PLACE_BYTES);
        uint64_t bytes = mr__le_u64(places + i * MR_SHARD_PLACE_BYTES + 8);
        if (!bytes)
            continue;
        if (at < MR_SHARD_HEAD_BYTES || at > s->index_at || bytes > s->index_at - at ||
            mr__shard_sums_bytes(bytes) > s->index_at - at - bytes || (each && bytes != each))
            return false;
    }
    return true;
}

static bool text_fits(const char *text, size_t cap)
{
    size_t n = strnlen(text, cap);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return n < cap;
}

static int find_dtype(const char *name)
{
    for (int i = 0; i < MR_DTYPE_COUNT; i++)
        if (!strcmp(mr_dtype_name((mr_dtype)i), name))
            return i;
    return -1;
}

/* Of a tensor; 0: it cannot be. */
static uint64_t tensor_bytes(const struct mr_shard_column *c)
{
    uint64_t bytes = mr_dtype_size(c->dtype);
    for (uint32_t i = 0; i < c->ndim; i++)
        if (__builtin_mul_overflow(bytes, c->shape[i], &bytes))
            return 0;
    return bytes;
}

static bool read_files(const struct mr_shard *s, struct mr_shard_column *c, const uint8_t *record)
{
    uint64_t each = 0;
    if (c->kind == MR_SHARD_TENSORS && (c->ndim > MR_SHARD_MAX_DIMS || !(each = tensor_bytes(c))))
        return false;
    c->places =
        array_at(s, mr__le_u64(record + MR_SHARD_COLUMN_PLACES), s->samples, MR_SHARD_PLACE_BYTES);
    return c->places && places_fit(s, c->places, each) &&
           offsets_rise(c->offsets, s->samples, c->data_bytes, UINT64_MAX);
}

static bool read_numbers(const struct mr_shard *s, struct mr_shard_column *c)
{
    uint64_t entry = c->width * mr_dtype_size(c->dtype), bytes;
    if (c->width < 1 || c->width > MAX_WIDTH)
        return false;
    if (c->kind == MR_SHARD_LISTS)
        return offsets_rise(c->offsets, s->samples, c->data_bytes / entry, c->max_entries);
    return !__builtin_mul_overflow(entry, s->samples, &bytes) && bytes == c->data_bytes;
}

static bool read_column(struct mr_shard *s, struct mr_shard_column *c, const uint8_t *record)
{
    char dtype[MR_SHARD_DTYPE_BYTES + 1] = "";
    memcpy(c->name, record + MR_SHARD_COLUMN_NAME, sizeof c->name);
    memcpy(dtype, record + MR_SHARD_COLUMN_DTYPE, MR_SHARD_DTYPE_BYTES);
    uint32_t kind = mr__le_u32(record + MR_SHARD_COLUMN_KIND);
    int type = find_dtype(dtype);
    if (!text_fits(c->name, sizeof c->name) || !c->name[0] || strchr(c->name, '@') || type < 0 ||
        kind < MR_SHARD_NUMBERS || kind > MR_SHARD_TENSORS)
        return false;
    c->kind = (enum mr_shard_kind)kind;
    c->dtype = (mr_dtype)type;
    c->width = mr__le_u32(record + MR_SHARD_COLUMN_WIDTH);
    c->ndim = mr__le_u32(record + MR_SHARD_COLUMN_DIMS);
    c->max_entries = mr__le_u32(record + MR_SHARD_COLUMN_MAX);
    for (int i = 0; i < MR_SHARD_MAX_DIMS; i++)
        c->shape[i] = mr__le_u64(record + MR_SHARD_COLUMN_SHAPE + 8 * i);
    c->data_bytes = mr__le_u64(record + MR_SHARD_COLUMN_DATA_BYTES);
    c->data = array_at(s, mr__le_u64(record + MR_SHARD_COLUMN_DATA), c->data_bytes, 1);
    if (c->kind != MR_SHARD_NUMBERS)
        c->offsets = offsets_at(s, mr__le_u64(record + MR_SHARD_COLUMN_OFFSETS), s->samples);
    if (!c->data || (c->kind != MR_SHARD_NUMBERS && !c->offsets))
        return false;
    bool files = c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS;
    return files ? read_files(s, c, record) : read_numbers(s, c);
}

static int read_columns(struct mr_shard *s, uint64_t record_bytes, struct mr_errbuf *e)
{
    const uint8_t *records = array_at(s, MR_SHARD_INDEX_HEAD_BYTES, s->ncolumns, record_bytes);
    if (!records || record_bytes < MR_SHARD_COLUMN_BYTES)
        return mr__shard_damaged(s, "its columns do not lie in its index", e);
    for (uint32_t i = 0; i < s->ncolumns; i++) {
        struct mr_shard_column *c = &s->column[i];
        char what[80];
        if (!read_column(s, c, records + i * record_bytes) || mr__shard_column(s, c->name) != c) {
            snprintf(what, sizeof what, "column %u of its index cannot be", i);
            return mr__shard_damaged(s, what, e);
        }
    }
    return MR_OK;
}

int mr__shard_index_read(struct mr_shard *s, struct mr_errbuf *e)
{
    const uint8_t *head = array_at(s, 0, MR_SHARD_INDEX_HEAD_BYTES, 1);
    if (!head || mr__le_u64(head + MR_SHARD_INDEX_SAMPLES) != s->samples)
        return mr__shard_damaged(s, "its index is of another number of samples", e);
    s->ncolumns = mr__le_u32(head + MR_SHARD_INDEX_COLUMNS);
    if (s->ncolumns < 1 || s->ncolumns > MR_SHARD_MAX_COLUMNS)
        return mr__shard_damaged(s, "impossible number of columns", e);
    memcpy(s->mode, head + MR_SHARD_INDEX_MODE, MR_SHARD_MODE_BYTES);
    if (!text_fits(s->mode, sizeof s->mode))
        return mr__shard_damaged(s, "its mode is no text", e);
    s->classes = mr__le_u64(head + MR_SHARD_INDEX_CLASSES);
    s->class_text_bytes = mr__le_u64(head + MR_SHARD_INDEX_CLASS_TEXT_BYTES);
    s->class_offsets = offsets_at(s, mr__le_u64(head + MR_SHARD_INDEX_CLASS_OFFSETS), s->classes);
    s->class_text =
        array_at(s, mr__le_u64(head + MR_SHARD_INDEX_CLASS_TEXT), s->class_text_bytes, 1);
    if (!s->class_offsets || !s->class_text ||
        !offsets_rise(s->class_offsets, s->classes, s->class_text_bytes, UINT64_MAX))
        return mr__shard_damaged(s, "its classes do not lie in its index", e);
    return read_columns(s, mr__le_u32(head + MR_SHARD_INDEX_COLUMN_BYTES), e);
}

/* ---- what is in it ---- */

struct mr_shard_place mr__shard_place(const struct mr_shard_column *c, uint64_t sample)
{
    const uint8_t *at = c->places + sample * MR_SHARD_PLACE_BYTES;
    return (struct mr_shard_place){mr__le_u64(at), mr__le_u64(at + 8), mr__le_u64(at + 16)};
}

static uint64_t offset(const uint8_t *offsets, uint64_t i)
{
    return mr__le_u64(offsets + 8 * i);
}

const char *mr__shard_name(const struct mr_shard_column *c, uint64_t sample, size_t *n)
{
    uint64_t from = offset(c->offsets, sample);
    *n = offset(c->offsets, sample + 1) - from;
    return (const char *)c->data + from;
}

const uint8_t *mr__shard_entries(const struct mr_shard_column *c, uint64_t sample,
                                 uint64_t *entries)
{
    uint64_t from = sample, entry = c->width * mr_dtype_size(c->dtype);
    *entries = 1;
    if (c->kind == MR_SHARD_LISTS) {
        from = offset(c->offsets, sample);
        *entries = offset(c->offsets, sample + 1) - from;
    }
    return c->data + from * entry;
}

const char *mr__shard_class(const struct mr_shard *s, uint64_t number, size_t *n)
{
    uint64_t from = offset(s->class_offsets, number);
    *n = offset(s->class_offsets, number + 1) - from;
    return (const char *)s->class_text + from;
}

const struct mr_shard_column *mr__shard_column(const struct mr_shard *s, const char *name)
{
    for (uint32_t i = 0; i < s->ncolumns; i++)
        if (!strcmp(s->column[i].name, name))
            return &s->column[i];
    return NULL;
}
