/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_stitch.c: a segment is what stands between two restart markers, so a JPEG file is made of
 * some by markers between them. All segments of such a file must have as many MCUs; that is why the
 * last one of a row is stored with MCUs that no picture has. They make the file wider than the
 * image, and the decoder is told where to stop (mr_jpeg's `right`): there it does what it does at
 * the image's own edge.
 */
#include "loaders/codec/packed/packed_stitch.h"

#include "loaders/codec/packed/packed_recode.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <string.h>

enum {
    SOF0 = 0xc0,
    DHT = 0xc4,
    RST0 = 0xd0,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DRI = 0xdd
};
enum { HEADER_MOST = MR_PACKED_HEAD_MOST + 256 };

/* ---- the part -------------------------------------------------------------------------------- */

static int32_t least(int64_t a, int64_t b)
{
    return (int32_t)(a < b ? a : b);
}

static int32_t most(int64_t a, int64_t b)
{
    return (int32_t)(a > b ? a : b);
}

/* Where it interpolates libjpeg-turbo looks at one sample more on each side, which is at most two
 * pixels; and it does so for components of three samples or more in a row, so that many have to be
 * there where the image has them (jpegturbo.c asks for the same columns). */
static struct mr_rect needed_mcus(const struct mr_packed_body *b, const struct mr_rect *roi,
                                  int32_t scale)
{
    enum { MARGIN = 2, SAMPLES = 3 };
    int64_t whole = (b->w + scale - 1) / scale, some = SAMPLES * (b->mcu_w / 8);
    int64_t margin_x = b->mcu_w > 8 ? MARGIN : 0, margin_y = b->mcu_h > 8 ? MARGIN : 0;
    int64_t x0 = most(roi->x - margin_x, 0), x1 = (int64_t)roi->x + roi->w + margin_x;
    int64_t y0 = roi->y - margin_y, y1 = (int64_t)roi->y + roi->h + margin_y;
    if (margin_x && x1 < x0 + some)
        x1 = x0 + some;
    if (margin_x && x1 > whole && x0 > whole - some)
        x0 = most(whole - some, 0);
    struct mr_rect r = {.x = (int32_t)(x0 * scale / b->mcu_w), .y = most(y0 * scale / b->mcu_h, 0)};
    r.w = least((x1 * scale - 1) / b->mcu_w + 1, b->across) - r.x;
    r.h = least((y1 * scale - 1) / b->mcu_h + 1, b->down) - r.y;
    return r;
}

/* ---- its header ------------------------------------------------------------------------------ */

static uint8_t *put16(uint8_t *p, int32_t v)
{
    *p++ = (uint8_t)(v >> 8);
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_marker(uint8_t *p, int marker, int32_t length)
{
    *p++ = 0xff;
    *p++ = (uint8_t)marker;
    return put16(p, length);
}

static uint8_t *put_quants(uint8_t *p, const struct mr_packed_body *b)
{
    for (int i = 0; i < b->quants; i++) {
        p = put_marker(p, DQT, 2 + 65);
        *p++ = (uint8_t)i;
        for (int k = 0; k < 64; k++)
            *p++ = (uint8_t)b->quant[i][mr__packed_natural[k]];
    }
    return p;
}

static uint8_t *put_codes(uint8_t *p, const struct mr_packed_codes *c, int class, int number)
{
    int32_t n = 0;
    for (int k = 1; k <= 16; k++)
        n += c->bits[k];
    p = put_marker(p, DHT, 2 + 17 + n);
    *p++ = (uint8_t)(class << 4 | number);
    memcpy(p, c->bits + 1, 16);
    memcpy(p + 16, c->value, (size_t)n);
    return p + 16 + n;
}

/* A component's codes have its own number in the file; one that shares another's has that one's. */
static void number_codes(const struct mr_packed_body *b, int dc[3], int ac[3])
{
    for (int i = 0; i < b->components; i++) {
        dc[i] = ac[i] = i;
        for (int k = i - 1; k >= 0; k--) {
            if (b->component[k].dc == b->component[i].dc)
                dc[i] = dc[k];
            if (b->component[k].ac == b->component[i].ac)
                ac[i] = ac[k];
        }
    }
}

static uint8_t *put_header(uint8_t *p, const struct mr_packed_body *b, int32_t w, int32_t h)
{
    int dc[3], ac[3];
    number_codes(b, dc, ac);
    *p++ = 0xff;
    *p++ = SOI;
    p = put_quants(p, b);
    p = put_marker(p, SOF0, 8 + 3 * b->components);
    *p++ = 8;
    p = put16(p, h);
    p = put16(p, w);
    *p++ = (uint8_t)b->components;
    for (int i = 0; i < b->components; i++) {
        *p++ = (uint8_t)(i + 1);
        *p++ = (uint8_t)(b->component[i].h << 4 | b->component[i].v);
        *p++ = (uint8_t)b->component[i].quant;
    }
    for (int i = 0; i < b->components; i++) {
        if (dc[i] == i)
            p = put_codes(p, &b->code[b->component[i].dc], 0, i);
        if (ac[i] == i)
            p = put_codes(p, &b->code[b->component[i].ac], 1, i);
    }
    p = put_marker(p, DRI, 4);
    p = put16(p, b->wide);
    p = put_marker(p, SOS, 6 + 2 * b->components);
    *p++ = (uint8_t)b->components;
    for (int i = 0; i < b->components; i++) {
        *p++ = (uint8_t)(i + 1);
        *p++ = (uint8_t)(dc[i] << 4 | ac[i]);
    }
    *p++ = 0;
    *p++ = 63;
    *p++ = 0;
    return p;
}

/* ---- its data -------------------------------------------------------------------------------- */

/* With a zero behind every 0xff, which is at most twice as long. */
static uint8_t *put_stuffed(uint8_t *p, const uint8_t *data, size_t n)
{
    while (n > 0) {
        const uint8_t *ff = memchr(data, 0xff, n);
        size_t some = ff ? (size_t)(ff - data) + 1 : n;
        memcpy(p, data, some);
        p += some;
        data += some;
        n -= some;
        if (ff)
            *p++ = 0;
    }
    return p;
}

static uint8_t *put_segment(uint8_t *p, const uint8_t *data, size_t n, uint32_t *marker)
{
    p = put_stuffed(p, data, n);
    *p++ = 0xff;
    *p++ = (uint8_t)(RST0 + (*marker)++ % 8);
    return p;
}

static int put_row(struct mr_packed_part *part, int32_t row, uint32_t *marker, struct mr_buf *out,
                   struct mr_errbuf *e)
{
    struct mr_packed_row r;
    int32_t segments = part->right - part->left;
    size_t bytes = 0;
    int rc = mr__packed_part_row(part, row, &r, e);
    if (rc < 0)
        return rc;
    for (int32_t s = 0; s < segments; s++)
        bytes += mr__packed_u16(r.lengths + 2 * s);
    if (!mr__buf_reserve(out, 2 * bytes + 2 * (size_t)segments))
        return mr__fail(e, MR_E_MEMORY, "no memory for the segments of a packed JPEG");
    uint8_t *p = out->data + out->n;
    for (int32_t s = 0; s < segments; s++, r.lengths += 2) {
        size_t n = mr__packed_u16(r.lengths);
        p = put_segment(p, r.data, n, marker);
        r.data += n;
    }
    out->n = (size_t)(p - out->data);
    return MR_OK;
}

static int put_rows(struct mr_packed_part *part, struct mr_buf *out, struct mr_errbuf *e)
{
    uint32_t marker = 0;
    int rc = MR_OK;
    for (int32_t row = part->top; rc == MR_OK && row < part->bottom; row++)
        rc = put_row(part, row, &marker, out, e);
    return rc;
}

static int put_recoded(const struct mr_packed_part *part, const struct mr_packed_recode *r,
                       struct mr_buf *out, struct mr_errbuf *e)
{
    struct mr_buf some = {0};
    size_t segments = (size_t)(part->right - part->left) * (size_t)(part->bottom - part->top);
    uint32_t marker = 0;
    bool good = true;
    for (size_t i = 0; i < segments && good; i++) {
        some.n = 0;
        good = mr__packed_symbols_write(&r->symbols, i, r->write, &some) &&
               mr__buf_reserve(out, 2 * some.n + 2);
        if (good)
            out->n =
                (size_t)(put_segment(out->data + out->n, some.data, some.n, &marker) - out->data);
    }
    mr__buf_free(&some);
    return good ? MR_OK : mr__fail(e, MR_E_MEMORY, "no memory for the segments of a packed JPEG");
}

/* The file, of a part whose codes, if it has none, come from `recode`. */
static int put_file(struct mr_packed_part *part, struct mr_packed_recode *recode,
                    struct mr_buf *out, struct mr_packed_stitched *to, struct mr_errbuf *e)
{
    struct mr_packed_body b = *part->body;
    bool streams = b.coding == MR_PACKED_STREAMS;
    int32_t x = part->left * b.wide * b.mcu_w, y = part->top * b.mcu_h;
    int32_t padded = (part->right - part->left) * b.wide * b.mcu_w, own = least(padded, b.w - x);
    bool pads = part->right == b.segments && b.segments * b.wide > b.across;
    int rc = streams ? mr__packed_recode(recode, part, &b, e) : MR_OK;
    if (rc < 0)
        return rc;
    out->n = 0;
    if (!mr__buf_reserve(out, HEADER_MOST))
        return mr__fail(e, MR_E_MEMORY, "no memory for the header of a packed JPEG");
    out->n = (size_t)(put_header(out->data, &b, pads ? padded : own,
                                 least(part->bottom * b.mcu_h, b.h) - y) -
                      out->data);
    rc = streams ? put_recoded(part, recode, out, e) : put_rows(part, out, e);
    if (rc < 0)
        return rc;
    out->data[out->n - 1] = EOI; /* in place of the last restart marker */
    to->right = own;
    return MR_OK;
}

int mr__packed_stitch(const struct mr_packed_body *b, const struct mr_ranges *file,
                      const struct mr_rect *roi, int32_t scale, struct mr_buf *out,
                      struct mr_packed_stitched *to, uint64_t *bytes, struct mr_errbuf *e)
{
    struct mr_packed_part part;
    struct mr_packed_recode recode = {0};
    struct mr_rect mcus = needed_mcus(b, roi, scale);
    int rc = mr__packed_part(&part, b, file, &mcus, e);
    if (rc == MR_OK)
        rc = put_file(&part, &recode, out, to, e);
    mr__packed_recode_free(&recode);
    if (rc < 0)
        return rc;
    int32_t x = part.left * b->wide * b->mcu_w, y = part.top * b->mcu_h;
    to->roi = (struct mr_rect){roi->x - x / scale, roi->y - y / scale, roi->w, roi->h};
    *bytes = part.bytes;
    return MR_OK;
}
