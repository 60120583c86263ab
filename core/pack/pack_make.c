/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_make.c: a thread makes the bodies of one sample's files.
 */
#include "loaders/codec/find.h"
#include "loaders/codec/packed/packed.h"
#include "loaders/codec/raw/raw_body.h"
#include "loaders/shard/shard_writer.h"
#include "pack/pack_pixels.h"

#include <stdlib.h>
#include <string.h>

struct mr_pack_maker {
    const struct mr_pack_recipe *recipe;
    const struct mr_pack_data *data;
    void *reader;
    struct mr_pack_pixels *pixels;
    struct mr_buf in, jpeg;
};

int mr__pack_maker_new(struct mr_pack_maker **maker, const struct mr_pack_recipe *recipe,
                       const struct mr_pack_data *d, struct mr_errbuf *e)
{
    struct mr_pack_maker *m = *maker = calloc(1, sizeof *m);
    if (!m)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a packing thread");
    m->recipe = recipe;
    m->data = d;
    int rc = mr__pack_pixels_new(&m->pixels, &recipe->limits, e);
    if (rc >= 0)
        rc = mr__pack_data_reader(d, &m->reader, e);
    if (rc < 0) {
        mr__pack_maker_free(m);
        *maker = NULL;
    }
    return rc;
}

void mr__pack_maker_free(struct mr_pack_maker *m)
{
    if (!m)
        return;
    mr__pack_data_reader_close(m->data, m->reader);
    mr__pack_pixels_free(m->pixels);
    mr__buf_free(&m->in);
    mr__buf_free(&m->jpeg);
    free(m);
}

/* ---- bodies ---- */

/* The file is the body. */
static int keep(struct mr_pack_maker *m, struct mr_buf *body)
{
    struct mr_buf file = m->in;
    m->in = *body;
    *body = file;
    return MR_OK;
}

/* A body that comes from other shards is a JPEG again. */
static int unpack_first(struct mr_pack_maker *m, struct mr_errbuf *e)
{
    if (!mr__packed_probe(m->in.data, m->in.n))
        return MR_OK;
    int rc = mr__packed_to_jpeg(m->in.data, m->in.n, &m->jpeg, e);
    if (rc < 0)
        return rc;
    struct mr_buf body = m->in;
    m->in = m->jpeg;
    m->jpeg = body;
    return MR_OK;
}

static bool is_jpeg(const struct mr_buf *b)
{
    return b->n >= 3 && b->data[0] == 0xff && b->data[1] == 0xd8 && b->data[2] == 0xff;
}

/* Cuts m->in, if it is a JPEG that can be. */
static int cut(struct mr_pack_maker *m, struct mr_buf *body, struct mr_errbuf *e)
{
    const struct mr_pack_recipe *r = m->recipe;
    enum mr_packed_coding coding = r->mode == MR_PACK_COEF ? MR_PACKED_STREAMS : MR_PACKED_HUFFMAN;
    if (!is_jpeg(&m->in))
        return keep(m, body);
    int rc = mr__packed_make(m->in.data, m->in.n, coding, r->segment, &r->limits, body, e);
    return rc == MR_PACKED_VERBATIM ? keep(m, body) : rc;
}

static int make_jpeg(struct mr_pack_maker *m, bool mask, struct mr_pack_made *made,
                     struct mr_buf *body)
{
    const struct mr_pack_recipe *r = m->recipe;
    struct mr_errbuf *e = &made->e;
    int rc = unpack_first(m, e);
    if (rc < 0 || !r->max_side)
        return rc < 0 ? rc : cut(m, body, e);
    struct mr_view small;
    rc = mask ? mr__pack_pixels_mask(m->pixels, &m->in, made, &small, e)
              : mr__pack_pixels_shrink(m->pixels, &m->in, r->max_side, made, &small, e);
    if (rc < 0 || !small.data)
        return rc < 0 ? rc : cut(m, body, e);
    if (mask) /* a JPEG would blur its numbers */
        return mr__raw_make(&small, MR_PACK_MASK_LEVEL, body, e);
    rc = mr__pack_jpeg_write(&small, r->quality, &m->in, e);
    return rc < 0 ? rc : cut(m, body, e);
}

static int make_raw(struct mr_pack_maker *m, bool mask, struct mr_pack_made *made,
                    struct mr_buf *body)
{
    const struct mr_pack_recipe *r = m->recipe;
    struct mr_view image = {0};
    int rc = MR_OK;
    if (r->max_side)
        rc = mask ? mr__pack_pixels_mask(m->pixels, &m->in, made, &image, &made->e)
                  : mr__pack_pixels_shrink(m->pixels, &m->in, r->max_side, made, &image, &made->e);
    if (rc >= 0 && !image.data)
        rc = mr__pack_pixels_whole(m->pixels, &m->in, &image, &made->e);
    int level = mask ? MR_PACK_MASK_LEVEL : r->level;
    return rc < 0 ? rc : mr__raw_make(&image, level, body, &made->e);
}

static int make_keep(struct mr_pack_maker *m, bool mask, struct mr_pack_made *made,
                     struct mr_buf *body)
{
    (void)mask;
    (void)made;
    return keep(m, body);
}

static int (*const makers[])(struct mr_pack_maker *, bool, struct mr_pack_made *,
                             struct mr_buf *) = {
    [MR_PACK_JPEG] = make_jpeg, [MR_PACK_COEF] = make_jpeg,  [MR_PACK_RAW] = make_raw,
    [MR_PACK_KEEP] = make_keep, [MR_PACK_ARRAY] = make_keep,
};

/* ---- a sample ---- */

/* Numbers as a shard has them: little endian, in C's order. */
static int make_tensor(struct mr_pack_maker *m, int column, struct mr_pack_made *made)
{
    const struct mr_column *c = &m->data->index.head->column[column];
    struct mr_buf *body = &made->body[column];
    uint64_t size = mr_dtype_size((mr_dtype)c->dtype), bytes = c->width * size;
    body->n = 0;
    if (!mr__buf_reserve(body, bytes))
        return mr__fail(&made->e, MR_E_MEMORY, "not enough memory for %llu bytes of '%s'",
                        (unsigned long long)bytes, c->name);
    int rc =
        m->data->source->tensor(m->reader, made->sample, column, true, body->data, bytes, &made->e);
    if (rc < 0)
        return rc;
    mr__le_turn(body->data, c->width, size);
    body->n = bytes;
    made->bytes_in += bytes;
    return MR_OK;
}

static int make_file(struct mr_pack_maker *m, int column, struct mr_pack_made *made)
{
    const struct mr_pack_recipe *r = m->recipe;
    struct mr_buf *body = &made->body[column];
    bool decoded = column == r->image || column == r->mask;
    int rc = m->data->source->read(m->reader, made->sample, column, &m->in, &made->e);
    if (rc < 0)
        return rc;
    made->bytes_in += m->in.n;
    if (column == r->image && (rc = mr__pack_pixels_size(m->pixels, &m->in, made)) < 0)
        return rc;
    rc = decoded ? makers[r->mode](m, column == r->mask, made, body) : keep(m, body);
    if (rc == MR_E_DATA || rc == MR_E_LIMIT || rc == MR_E_VERSION) {
        if (r->on_error == MR_PACK_KEEP_BAD)
            return keep(m, body);
        char *name = mr__index_name(&m->data->index, column, made->sample);
        mr__context(&made->e, "%s", name ? name : "a sample");
        free(name);
    }
    return rc;
}

static int make_column(struct mr_pack_maker *m, int i, struct mr_pack_made *made)
{
    int column = m->data->files[i];
    bool image = column == m->recipe->image, needed = image || i == 0;
    if (!needed && !mr__pack_data_has(m->data, i, made->sample))
        return MR_OK;
    bool tensor = mr__pack_data_is_tensor(m->data, column);
    int rc = tensor ? make_tensor(m, column, made) : make_file(m, column, made);
    if (rc == MR_E_DATA && m->recipe->on_error == MR_PACK_KEEP_BAD)
        rc = MR_OK; /* what cannot even be read is not there: bad as well */
    if (rc < 0)
        return rc;
    struct mr_buf *body = &made->body[column];
    if (body->n && !mr__shard_sums(body->data, body->n, &made->sums[column]))
        return mr__fail(&made->e, MR_E_MEMORY, "not enough memory for the checksums of a sample");
    return MR_OK;
}

/* Boxes are in pixels of the image. */
static int scale_boxes(struct mr_pack_maker *m, struct mr_pack_made *made)
{
    uint64_t n;
    const int column = m->recipe->boxes;
    if (column < 0 || (made->scale_x == 1 && made->scale_y == 1))
        return MR_OK;
    const float *boxes = mr__index_numbers(&m->data->index, column, made->sample, &n);
    bool room = mr__buf_append(&made->boxes, boxes, n * 4 * sizeof *boxes);
    float *v = (float *)(void *)made->boxes.data;
    for (uint64_t i = 0; room && i < n * 4; i++)
        v[i] *= i % 2 ? made->scale_y : made->scale_x;
    return room ? MR_OK : mr__fail(&made->e, MR_E_MEMORY, "not enough memory for boxes");
}

void mr__pack_make(struct mr_pack_maker *m, struct mr_pack_made *made)
{
    int image = -1;
    for (int i = 0; i < m->data->nfiles; i++) /* the mask follows the image, and so comes later */
        if (m->data->files[i] == m->recipe->image)
            made->rc = make_column(m, image = i, made);
    for (int i = 0; i < m->data->nfiles && made->rc >= 0; i++)
        if (i != image)
            made->rc = make_column(m, i, made);
    if (made->rc >= 0)
        made->rc = scale_boxes(m, made);
}
