/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_write.h"

#include "loaders/codec/packed/packed_streams.h"
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

static int too_large(struct mr_errbuf *e, const char *what)
{
    return mr__fail(e, MR_PACKED_VERBATIM, "%s is too large for a packed JPEG", what);
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "no memory for a packed JPEG");
}

/* A row's place, and a segment's length, which is what is in w->data from `before` on. */
static int note_row(struct mr_packed_writer *w, struct mr_errbuf *e)
{
    uint32_t at = (uint32_t)w->data.n;
    return mr__buf_append(&w->rows, &at, sizeof at) ? MR_OK : no_memory(e);
}

static int note_segment(struct mr_packed_writer *w, size_t before, struct mr_errbuf *e)
{
    uint32_t length = (uint32_t)(w->data.n - before);
    if (w->data.n - before > MR_PACKED_SEGMENT_BYTES || w->data.n > UINT32_MAX)
        return too_large(e, "a segment");
    return mr__buf_append(&w->lengths, &length, sizeof length) ? MR_OK : no_memory(e);
}

/* Streams need to know of no other segment; of Huffman's the symbols are kept until all are there.
 */
int mr__packed_writer_row(struct mr_packed_writer *w, const struct mr_packed_blocks *row,
                          struct mr_errbuf *e)
{
    const struct mr_packed_body *b = w->body;
    bool streams = b->coding == MR_PACKED_STREAMS;
    int rc = streams ? note_row(w, e) : MR_OK;
    for (int32_t s = 0; s < b->segments && rc == MR_OK; s++) {
        struct mr_packed_blocks blocks = segment_of(b, row, s);
        size_t before = w->data.n;
        if (!streams) {
            if (!mr__packed_symbols_add(&w->symbols, &blocks, b->wide - blocks.mcus))
                return no_memory(e);
            continue;
        }
        rc = mr__packed_streams_write(&blocks, &w->data, e);
        if (rc == MR_OK)
            rc = note_segment(w, before, e);
    }
    return rc;
}

void mr__packed_write_choose(struct mr_packed_body *b, const struct mr_packed_symbols *symbols,
                             struct mr_packed_write_codes write[MR_PACKED_KINDS])
{
    b->codes = b->components == 1 ? 2 : MR_PACKED_KINDS;
    for (int i = 0; i < b->codes; i++) {
        uint32_t counts[256];
        mr__packed_symbols_counts(symbols, i, counts);
        mr__packed_codes_best(counts, &b->code[i]);
        mr__packed_codes_write(&b->code[i], &write[i]);
    }
    for (int i = 0; i < b->components; i++) {
        b->component[i].dc = i ? 2 : 0;
        b->component[i].ac = i ? 3 : 1;
    }
}

static int write_segments(struct mr_packed_writer *w, struct mr_errbuf *e)
{
    struct mr_packed_write_codes write[MR_PACKED_KINDS];
    const struct mr_packed_body *b = w->body;
    mr__packed_write_choose(w->body, &w->symbols, write);
    for (size_t i = 0, n = (size_t)b->down * (size_t)b->segments; i < n; i++) {
        size_t before = w->data.n;
        int rc = i % (size_t)b->segments == 0 ? note_row(w, e) : MR_OK;
        if (rc == MR_OK && !mr__packed_symbols_write(&w->symbols, i, write, &w->data))
            rc = no_memory(e);
        if (rc == MR_OK)
            rc = note_segment(w, before, e);
        if (rc != MR_OK)
            return rc;
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
    int rc = b->coding == MR_PACKED_HUFFMAN ? write_segments(w, e) : MR_OK;
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
