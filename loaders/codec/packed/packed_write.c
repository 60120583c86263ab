/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_write.h"

#include "loaders/codec/packed/packed_zigzag.h"

#include <string.h>

enum { VERSION = 1 };

/* ---- segments -------------------------------------------------------------------------------- */

static struct mr_packed_blocks segment_of(const struct mr_packed_body *b,
                                          const struct mr_packed_blocks *row, int32_t s)
{
    struct mr_packed_blocks some = *row;
    some.mcus = mr__packed_mcus(b, s);
    for (int i = 0; i < some.planes; i++)
        some.plane[i].block += (ptrdiff_t)s * b->wide * some.plane[i].h;
    return some;
}

bool mr__packed_writer_row(struct mr_packed_writer *w, const struct mr_packed_blocks *row)
{
    const struct mr_packed_body *b = w->body;
    for (int32_t s = 0; s < b->segments; s++) {
        struct mr_packed_blocks blocks = segment_of(b, row, s);
        if (!mr__packed_symbols_add(&w->symbols, &blocks, b->wide - blocks.mcus))
            return false;
    }
    return true;
}

/* Codes for the kinds that there are, and which ones the components use. */
static void choose_codes(struct mr_packed_writer *w,
                         struct mr_packed_write_codes write[MR_PACKED_KINDS])
{
    struct mr_packed_body *b = w->body;
    b->codes = b->components == 1 ? 2 : MR_PACKED_KINDS;
    for (int i = 0; i < b->codes; i++) {
        mr__packed_codes_best(w->symbols.count[i], &b->code[i]);
        mr__packed_codes_write(&b->code[i], &write[i]);
    }
    for (int i = 0; i < b->components; i++) {
        b->component[i].dc = i ? 2 : 0;
        b->component[i].ac = i ? 3 : 1;
    }
}

static int too_large(struct mr_errbuf *e, const char *what)
{
    return mr__fail(e, MR_PACKED_VERBATIM, "%s is too large for a packed JPEG", what);
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "no memory for a packed JPEG");
}

static int write_segments(struct mr_packed_writer *w, struct mr_errbuf *e)
{
    struct mr_packed_write_codes write[MR_PACKED_KINDS];
    const struct mr_packed_body *b = w->body;
    choose_codes(w, write);
    for (size_t i = 0, n = (size_t)b->down * (size_t)b->segments; i < n; i++) {
        size_t before = w->data.n;
        uint32_t at = (uint32_t)before;
        if ((i % (size_t)b->segments == 0 && !mr__buf_append(&w->rows, &at, sizeof at)) ||
            !mr__packed_symbols_write(&w->symbols, i, write, &w->data))
            return no_memory(e);
        uint32_t length = (uint32_t)(w->data.n - before);
        if (w->data.n - before > MR_PACKED_SEGMENT_BYTES || w->data.n > UINT32_MAX)
            return too_large(e, "a segment");
        if (!mr__buf_append(&w->lengths, &length, sizeof length))
            return no_memory(e);
    }
    return MR_OK;
}

/* ---- the body -------------------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *p, uint32_t v)
{
    *p++ = (uint8_t)v;
    *p++ = (uint8_t)(v >> 8);
    return p;
}

static uint8_t *put32(uint8_t *p, uint64_t v)
{
    return put16(put16(p, (uint32_t)v & 0xffff), (uint32_t)v >> 16);
}

static uint8_t *put_head(uint8_t *p, const struct mr_packed_body *b)
{
    memcpy(p, "MRJ1", 4);
    p[4] = VERSION;
    p[5] = (uint8_t)b->coding;
    p[6] = (uint8_t)b->components;
    p[7] = (uint8_t)b->orientation;
    p = put32(p + 8, (uint64_t)b->w);
    p = put32(p, (uint64_t)b->h);
    p = put32(p, b->rows_at);
    p = put32(p, b->data_at);
    p = put32(p, b->markers_at);
    p = put32(p, b->end);
    p = put16(p, (uint32_t)b->wide);
    *p++ = (uint8_t)b->quants;
    *p++ = (uint8_t)b->codes;
    memset(p, 0, 12);
    for (int i = 0; i < b->components; i++) {
        const struct mr_packed_component *c = &b->component[i];
        p[4 * i] = (uint8_t)(c->h << 4 | c->v);
        p[4 * i + 1] = (uint8_t)c->quant;
        p[4 * i + 2] = (uint8_t)c->dc;
        p[4 * i + 3] = (uint8_t)c->ac;
    }
    return p + 12;
}

static uint8_t *put_tables(uint8_t *p, const struct mr_packed_body *b)
{
    for (int i = 0; i < b->quants; i++) {
        for (int k = 0; k < 64; k++)
            *p++ = (uint8_t)b->quant[i][mr__packed_natural[k]];
    }
    for (int i = 0; i < b->codes; i++) {
        const struct mr_packed_codes *c = &b->code[i];
        size_t n = 0;
        for (int k = 1; k <= 16; k++)
            n += *p++ = c->bits[k];
        memcpy(p, c->value, n);
        p += n;
    }
    return p;
}

static uint8_t *put_index(uint8_t *p, const struct mr_packed_writer *w)
{
    const uint32_t *rows = (const uint32_t *)(const void *)w->rows.data;
    const uint32_t *lengths = (const uint32_t *)(const void *)w->lengths.data;
    for (size_t i = 0; i < w->rows.n / sizeof *rows; i++)
        p = put32(p, rows[i]);
    for (size_t i = 0; i < w->lengths.n / sizeof *lengths; i++)
        p = put16(p, lengths[i]);
    return p;
}

int mr__packed_writer_end(struct mr_packed_writer *w, const struct mr_buf *markers,
                          struct mr_buf *out, struct mr_errbuf *e)
{
    struct mr_packed_body *b = w->body;
    int rc = write_segments(w, e);
    if (rc != MR_OK)
        return rc;
    uint64_t segments = (uint64_t)b->down * (uint64_t)b->segments;
    b->rows_at = mr__packed_head_bytes(b);
    b->lengths_at = b->rows_at + 4 * (uint64_t)b->down;
    b->data_at = b->lengths_at + 2 * segments;
    b->markers_at = b->data_at + w->data.n;
    b->end = b->markers_at + markers->n;
    if (b->end > UINT32_MAX)
        return too_large(e, "the file");
    out->n = 0;
    if (!mr__buf_reserve(out, b->end))
        return no_memory(e);
    uint8_t *p = put_index(put_tables(put_head(out->data, b), b), w);
    memcpy(p, w->data.data, w->data.n);
    if (markers->n)
        memcpy(p + w->data.n, markers->data, markers->n);
    out->n = b->end;
    return MR_OK;
}

void mr__packed_writer_free(struct mr_packed_writer *w)
{
    mr__packed_symbols_free(&w->symbols);
    mr__buf_free(&w->data);
    mr__buf_free(&w->lengths);
    mr__buf_free(&w->rows);
}
