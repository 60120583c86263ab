/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shard_columns.h"

#include <string.h>

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the index of a shard");
}

static bool put(struct mr_buf *b, uint64_t v, int bytes)
{
    uint8_t le[8];
    mr__le_put(le, v, bytes);
    return mr__buf_append(b, le, (size_t)bytes);
}

/* ---- which columns ---- */

static bool is_files(uint32_t kind)
{
    return kind == MR_COL_PATH || kind == MR_COL_MADE || kind == MR_COL_TENSOR;
}

/* Of a column of bodies; ndim 0: they are files. */
static struct mr_shard_tensor tensor_of(const struct mr_shard_plan *plan, int column)
{
    const struct mr_column *c = &plan->index->head->column[column];
    struct mr_shard_tensor tensor = {.dtype = (mr_dtype)c->dtype};
    int64_t shape[MR_MAX_DIMS];
    if (c->kind != MR_COL_TENSOR)
        return plan->tensor[column];
    tensor.ndim = (uint32_t)mr__index_shape(plan->index, column, shape);
    for (uint32_t i = 0; i < tensor.ndim; i++)
        tensor.shape[i] = (uint64_t)shape[i];
    return tensor;
}

static struct mr_growing_column *add_column(struct mr_growing_columns *g, const char *name,
                                            int source, enum mr_shard_kind kind, uint32_t dtype,
                                            uint32_t width, struct mr_errbuf *e)
{
    if (g->n == MR_SHARD_MAX_COLUMNS) {
        mr__fail(e, MR_E_LIMIT, "column '%s': a shard has at most %d columns", name,
                 MR_SHARD_MAX_COLUMNS);
        return NULL;
    }
    struct mr_growing_column *c = &g->column[g->n++];
    *c = (struct mr_growing_column){
        .source = source, .kind = kind, .dtype = (mr_dtype)dtype, .width = width};
    memcpy(c->name, name, strlen(name) + 1); /* which an index keeps shorter */
    if (kind != MR_SHARD_NUMBERS && !put(&c->offsets, 0, 8)) {
        no_memory(e);
        return NULL;
    }
    return c;
}

static int take_column(struct mr_growing_columns *g, int source, struct mr_errbuf *e)
{
    const struct mr_column *from = &g->plan->index->head->column[source];
    const struct mr_shard_tensor tensor = tensor_of(g->plan, source);
    bool files = is_files(from->kind), shaped = files && tensor.ndim;
    enum mr_shard_kind kind = shaped                        ? MR_SHARD_TENSORS
                              : files                       ? MR_SHARD_FILES
                              : from->kind == MR_COL_RAGGED ? MR_SHARD_LISTS
                                                            : MR_SHARD_NUMBERS;
    if (strchr(from->name, '@'))
        return MR_OK;
    struct mr_growing_column *c =
        add_column(g, from->name, source, kind, shaped ? tensor.dtype : from->dtype,
                   files ? 1 : from->width, e);
    if (c && shaped)
        c->tensor = tensor;
    return c ? MR_OK : e->code;
}

static int add_sizes(struct mr_growing_columns *g, struct mr_errbuf *e)
{
    static const char *const names[] = {"image_width", "image_height"};
    int *at[] = {&g->image_w, &g->image_h};
    for (int i = 0; i < 2; i++)
        if (mr__index_column(g->plan->index, names[i]) >= 0)
            return MR_OK;
    for (int i = 0; i < 2; i++) {
        *at[i] = g->n;
        if (!add_column(g, names[i], MR_SHARD_NO_SOURCE, MR_SHARD_NUMBERS, MR_I32, 1, e))
            return e->code;
    }
    return MR_OK;
}

static uint64_t class_text_bytes(const struct mr_index *index)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < index->head->classes; i++) {
        size_t n;
        (void)mr__index_class(index, i, &n);
        bytes += n;
    }
    return bytes;
}

int mr__growing_begin(struct mr_growing_columns *g, const struct mr_shard_plan *plan,
                      struct mr_errbuf *e)
{
    struct mr_errbuf own;
    int rc = MR_OK;
    e = e ? e : &own;
    *g = (struct mr_growing_columns){
        .plan = plan, .class_bytes = class_text_bytes(plan->index), .image_w = -1, .image_h = -1};
    for (int i = 0; rc == MR_OK && i < (int)plan->index->head->columns; i++)
        rc = take_column(g, i, e);
    return rc == MR_OK && plan->sizes ? add_sizes(g, e) : rc;
}

/* ---- a sample ---- */

/* "" for a file that is made and has no name. */
static const char *name_of(const struct mr_growing_columns *g, const struct mr_growing_column *c,
                           uint64_t sample, size_t *n)
{
    return mr__index_path(g->plan->index, c->source, sample, n);
}

static bool add_file(struct mr_growing_columns *g, struct mr_growing_column *c, uint64_t sample,
                     const struct mr_shard_place *place)
{
    size_t n;
    const char *name = name_of(g, c, sample, &n);
    return mr__buf_append(&c->data, name, n) && put(&c->offsets, c->data.n, 8) &&
           put(&c->places, place->at, 8) && put(&c->places, place->bytes, 8) &&
           put(&c->places, place->check, 8);
}

static bool add_numbers(struct mr_growing_columns *g, struct mr_growing_column *c,
                        const struct mr_shard_sample *sample)
{
    uint64_t entries, size = mr_dtype_size(c->dtype);
    const void *from = mr__index_numbers(g->plan->index, c->source, sample->sample, &entries);
    if (sample->numbers[c->source])
        from = sample->numbers[c->source];
    uint64_t bytes = entries * c->width * size;
    if (!mr__buf_reserve(&c->data, bytes))
        return false;
    mr__le_copy(c->data.data + c->data.n, from, entries * c->width, size);
    c->data.n += bytes;
    c->entries += entries;
    if (entries > c->max_entries)
        c->max_entries = (uint32_t)entries;
    return c->kind == MR_SHARD_NUMBERS || put(&c->offsets, c->entries, 8);
}

int mr__growing_add(struct mr_growing_columns *g, const struct mr_shard_sample *sample,
                    const struct mr_shard_place *place, struct mr_errbuf *e)
{
    bool done = true;
    for (int i = 0; i < g->n && done; i++) {
        struct mr_growing_column *c = &g->column[i];
        if (c->source == MR_SHARD_NO_SOURCE)
            done =
                put(&c->data, (uint32_t)(i == g->image_w ? sample->image_w : sample->image_h), 4);
        else if (c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS)
            done = add_file(g, c, sample->sample, &place[i]);
        else
            done = add_numbers(g, c, sample);
    }
    g->samples++;
    return done ? MR_OK : no_memory(e);
}

uint64_t mr__growing_adds(const struct mr_growing_columns *g, const struct mr_shard_sample *sample)
{
    uint64_t bytes = 0;
    for (int i = 0; i < g->n; i++) {
        const struct mr_growing_column *c = &g->column[i];
        uint64_t entries = 1;
        size_t n = 0;
        if (c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS)
            (void)name_of(g, c, sample->sample, &n);
        else if (c->source != MR_SHARD_NO_SOURCE)
            (void)mr__index_numbers(g->plan->index, c->source, sample->sample, &entries);
        bool files = c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS;
        bytes += files ? n + 8 + MR_SHARD_PLACE_BYTES
                       : entries * c->width * mr_dtype_size(c->dtype) +
                             (c->kind == MR_SHARD_LISTS ? 8 : 0);
    }
    return bytes;
}

/* ---- the index ---- */

uint64_t mr__growing_bytes(const struct mr_growing_columns *g)
{
    const struct mr_index *index = g->plan->index;
    uint64_t bytes = MR_SHARD_INDEX_HEAD_BYTES + (uint64_t)g->n * MR_SHARD_COLUMN_BYTES;
    bytes += (index->head->classes + 1) * 8 + g->class_bytes;
    for (int i = 0; i < g->n; i++)
        bytes += g->column[i].offsets.n + g->column[i].data.n + g->column[i].places.n;
    return bytes;
}

static void write_record(const struct mr_growing_column *c, uint64_t at, uint8_t *record)
{
    const char *dtype = mr_dtype_name(c->dtype);
    memcpy(record + MR_SHARD_COLUMN_NAME, c->name, strlen(c->name));
    memcpy(record + MR_SHARD_COLUMN_DTYPE, dtype, strlen(dtype));
    mr__le_put(record + MR_SHARD_COLUMN_KIND, c->kind, 4);
    mr__le_put(record + MR_SHARD_COLUMN_WIDTH, c->width, 4);
    mr__le_put(record + MR_SHARD_COLUMN_MAX, c->kind == MR_SHARD_LISTS ? c->max_entries : 0, 4);
    mr__le_put(record + MR_SHARD_COLUMN_DIMS, c->tensor.ndim, 4);
    for (uint32_t i = 0; i < c->tensor.ndim; i++)
        mr__le_put(record + MR_SHARD_COLUMN_SHAPE + 8 * i, c->tensor.shape[i], 8);
    mr__le_put(record + MR_SHARD_COLUMN_OFFSETS, at, 8);
    mr__le_put(record + MR_SHARD_COLUMN_DATA, at + c->offsets.n, 8);
    mr__le_put(record + MR_SHARD_COLUMN_DATA_BYTES, c->data.n, 8);
    mr__le_put(record + MR_SHARD_COLUMN_PLACES, at + c->offsets.n + c->data.n, 8);
}

static void write_head(const struct mr_growing_columns *g, uint64_t classes_at, uint64_t text_at,
                       uint8_t *head)
{
    const struct mr_index *index = g->plan->index;
    mr__le_put(head + MR_SHARD_INDEX_SAMPLES, g->samples, 8);
    mr__le_put(head + MR_SHARD_INDEX_CLASSES, index->head->classes, 8);
    mr__le_put(head + MR_SHARD_INDEX_COLUMNS, (uint64_t)g->n, 4);
    mr__le_put(head + MR_SHARD_INDEX_COLUMN_BYTES, MR_SHARD_COLUMN_BYTES, 4);
    mr__le_put(head + MR_SHARD_INDEX_CLASS_OFFSETS, classes_at, 8);
    mr__le_put(head + MR_SHARD_INDEX_CLASS_TEXT, text_at, 8);
    mr__le_put(head + MR_SHARD_INDEX_CLASS_TEXT_BYTES, class_text_bytes(index), 8);
    strncpy((char *)head + MR_SHARD_INDEX_MODE, g->plan->mode, MR_SHARD_MODE_BYTES - 1);
}

static void write_classes(const struct mr_index *index, struct mr_buf *out)
{
    uint64_t at = 0;
    size_t n;
    (void)put(out, 0, 8);
    for (uint64_t i = 0; i < index->head->classes; i++) {
        (void)mr__index_class(index, i, &n);
        at += n;
        (void)put(out, at, 8);
    }
    for (uint64_t i = 0; i < index->head->classes; i++) {
        const char *name = mr__index_class(index, i, &n);
        (void)mr__buf_append(out, name, n);
    }
}

int mr__growing_write(const struct mr_growing_columns *g, struct mr_buf *out, struct mr_errbuf *e)
{
    const struct mr_index *index = g->plan->index;
    uint64_t bytes = mr__growing_bytes(g), records = (uint64_t)g->n * MR_SHARD_COLUMN_BYTES;
    uint64_t classes_at = MR_SHARD_INDEX_HEAD_BYTES + records;
    uint64_t text_at = classes_at + (index->head->classes + 1) * 8;
    uint64_t at = text_at + class_text_bytes(index);
    if (!mr__buf_reserve(out, bytes)) /* nothing below fails for want of it */
        return no_memory(e);
    uint8_t *head = out->data + out->n;
    memset(head, 0, classes_at);
    out->n += classes_at;
    write_head(g, classes_at, text_at, head);
    write_classes(index, out);
    for (int i = 0; i < g->n; i++) {
        const struct mr_growing_column *c = &g->column[i];
        write_record(c, at, head + MR_SHARD_INDEX_HEAD_BYTES + i * MR_SHARD_COLUMN_BYTES);
        (void)mr__buf_append(out, c->offsets.data, c->offsets.n);
        (void)mr__buf_append(out, c->data.data, c->data.n);
        (void)mr__buf_append(out, c->places.data, c->places.n);
        at += c->offsets.n + c->data.n + c->places.n;
    }
    return MR_OK;
}

void mr__growing_free(struct mr_growing_columns *g)
{
    for (int i = 0; i < g->n; i++) {
        mr__buf_free(&g->column[i].offsets);
        mr__buf_free(&g->column[i].data);
        mr__buf_free(&g->column[i].places);
    }
    g->n = 0;
}
