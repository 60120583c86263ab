/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_make.c: a file is read to its end, as the JPEG codec would, and its coefficients are
 * written down again in segments. A file whose pixels this could change is left alone.
 */
#include "loaders/codec/baseline/coefficients.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegplain.h"
#include "loaders/codec/packed/packed_image.h"
#include "loaders/codec/packed/packed_streams.h"
#include "loaders/codec/packed/packed_write.h"

#include <stdlib.h>
#include <string.h>

/* ---- what can be packed ---------------------------------------------------------------------- */

static int keep(struct mr_errbuf *e, const char *why)
{
    return mr__fail(e, MR_PACKED_VERBATIM, "a JPEG %s cannot be cut into segments", why);
}

static int check_kind(const struct jpeg_decompress_struct *cinfo, struct mr_errbuf *e)
{
    bool gray = cinfo->num_components == 1 && cinfo->jpeg_color_space == JCS_GRAYSCALE;
    bool colour = cinfo->num_components == 3 && cinfo->jpeg_color_space == JCS_YCbCr;
    if (!gray && !colour)
        return keep(e, "that is neither gray nor YCbCr");
    if (cinfo->arith_code)
        return keep(e, "with arithmetic coding");
    if (cinfo->CCIR601_sampling)
        return keep(e, "with CCIR 601 sampling");
    return MR_OK;
}

/* What an MCU of padding and what one more segment cost, in bits, about. */
enum { BLOCK_BITS = 5, SEGMENT_BITS = 32 };

/* As wide as is wanted or up to a quarter less, so that little is padded at the right edge. */
static int32_t choose_width(const struct mr_packed_body *b, int segment_px)
{
    int32_t target = segment_px / b->mcu_w, best = 0, blocks = 0;
    int64_t least = INT64_MAX;
    if (target < 1)
        target = 1;
    if (b->coding == MR_PACKED_STREAMS && target > mr__packed_streams_most(b))
        target = mr__packed_streams_most(b);
    if (target >= b->across)
        return b->across;
    for (int i = 0; i < b->components; i++)
        blocks += b->component[i].h * b->component[i].v;
    for (int32_t wide = target; wide >= target - target / 4; wide--) {
        int64_t n = (b->across + wide - 1) / wide, pads = n * wide - b->across;
        int64_t bits = n * SEGMENT_BITS + pads * blocks * BLOCK_BITS;
        if (bits < least) {
            least = bits;
            best = wide;
        }
        if (b->coding != MR_PACKED_HUFFMAN) /* nothing is padded */
            break;
    }
    return best;
}

static int set_shape(struct mr_packed_body *b, const struct mr_jpeg *d, int segment_px,
                     struct mr_errbuf *e)
{
    const struct jpeg_decompress_struct *cinfo = &d->cinfo;
    b->w = (int32_t)cinfo->image_width;
    b->h = (int32_t)cinfo->image_height;
    b->orientation = d->info.orientation;
    b->components = cinfo->num_components;
    for (int i = 0; i < b->components; i++) {
        const jpeg_component_info *c = &cinfo->comp_info[i];
        b->component[i].h = b->components == 1 ? 1 : c->h_samp_factor;
        b->component[i].v = b->components == 1 ? 1 : c->v_samp_factor;
    }
    b->wide = 1;
    if (!mr__packed_shape(b))
        return keep(e, "with these sampling factors");
    b->wide = choose_width(b, segment_px);
    return mr__packed_shape(b) ? MR_OK : keep(e, "as wide as this");
}

static int set_quants(struct mr_packed_body *b, const uint16_t *const quant[3], struct mr_errbuf *e)
{
    for (int i = 0; i < b->components; i++) {
        if (!quant[i])
            return mr__fail(e, MR_E_DATA, "there is no data for component %d", i + 1);
        uint16_t *to = b->quant[b->quants];
        for (int k = 0; k < 64; k++) {
            to[k] = quant[i][k];
            if (to[k] > 255)
                return keep(e, "with quantisation tables of 16 bits");
        }
        int same = 0;
        while (memcmp(b->quant[same], to, sizeof b->quant[0]) != 0)
            same++;
        b->component[i].quant = same;
        b->quants += same == b->quants;
    }
    return MR_OK;
}

/* ---- markers --------------------------------------------------------------------------------- */

enum { SOI = 0xd8, SOS = 0xda, APP0 = 0xe0, APP15 = 0xef, COM = 0xfe, TEM = 0x01 };

/* The APP and COM markers before the first scan, as they are. */
static bool copy_markers(const uint8_t *data, size_t n, struct mr_buf *to)
{
    size_t at = 2;
    for (;;) {
        while (at < n && data[at] != 0xff)
            at++;
        while (at < n && data[at] == 0xff)
            at++;
        if (n - at < 3 || data[at] == SOS)
            return true;
        uint8_t marker = data[at++];
        if (marker <= TEM || (marker >= 0xd0 && marker <= SOI))
            continue;
        size_t length = (size_t)data[at] << 8 | data[at + 1];
        if (length < 2 || length > n - at)
            return true;
        if (((marker >= APP0 && marker <= APP15) || marker == COM) &&
            (!mr__buf_append(to, (const uint8_t[]){0xff, marker}, 2) ||
             !mr__buf_append(to, data + at, length)))
            return false;
        at += length;
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct maker {
    struct mr_jpeg d;
    struct mr_packed_body body;
    struct mr_packed_writer writer;
    struct mr_packed_image image;
    struct mr_baseline *own;
    struct mr_buf markers;
    struct mr_buf *out;
};

/* libjpeg-turbo smooths what a progressive file that lacks its last scans has not told. */
static bool incomplete(const struct jpeg_decompress_struct *cinfo)
{
    for (int c = 0; cinfo->coef_bits && c < cinfo->num_components; c++) {
        for (int k = 0; k < DCTSIZE2; k++) {
            if (cinfo->coef_bits[c][k] != 0)
                return true;
        }
    }
    return false;
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "no memory for a packed JPEG");
}

static int begin_rows(struct maker *m, const uint16_t *const quant[3], struct mr_errbuf *e)
{
    mr__packed_writer_free(&m->writer);
    m->writer = (struct mr_packed_writer){.body = &m->body};
    m->body.quants = 0;
    if (!m->image.blocks)
        m->image.blocks = malloc(mr__packed_image_blocks(&m->body) * sizeof *m->image.blocks);
    return m->image.blocks ? set_quants(&m->body, quant, e) : no_memory(e);
}

static int add_row(struct maker *m, int32_t y, struct mr_errbuf *e)
{
    struct mr_packed_blocks row;
    if (!mr__packed_image_row(&m->image, y, &row))
        return keep(e, "with coefficients that no picture has");
    return mr__packed_writer_row(&m->writer, &row, e);
}

enum { PASS = 2 }; /* nothing for our own decoder */

/* A plain file by our own decoder, on every CPU: it takes half of the time, and like decoding it
 * does not care for what follows the scan. */
static int read_own(struct maker *m, struct mr_errbuf *e)
{
    struct mr_plain_jpeg plain;
    struct mr_rect all = {0, 0, m->body.w, m->body.h};
    if (!mr__jpegplain(&m->d.cinfo, &plain))
        return PASS;
    int rc = m->own ? MR_OK : mr__baseline_new_anyhow(&m->own, e), more = 0;
    if (rc < 0)
        return rc;
    if (!mr__baseline_begin(m->own, &plain, &all, plain.components))
        return PASS;
    const uint16_t *quant[3];
    for (int i = 0; i < plain.components; i++)
        quant[i] = plain.component[i].quant;
    rc = begin_rows(m, quant, e);
    while (rc == MR_OK && (more = mr__baseline_coefficients(m->own, &m->image.own)) > 0)
        rc = add_row(m, m->image.own.row, e);
    return more < 0 ? PASS : rc;
}

/* May be left through error_exit. Behind the last scan each component has the table that it was
 * begun with. */
static int read_turbo(struct maker *m, struct mr_errbuf *e)
{
    struct jpeg_decompress_struct *cinfo = &m->d.cinfo;
    if (!jpeg_has_multiple_scans(cinfo)) /* decoding takes no such memory, so its limit is none */
        cinfo->mem->max_memory_to_use = 0;
    m->image.coefficients = jpeg_read_coefficients(cinfo);
    if (incomplete(cinfo) && m->d.err.ended_early)
        return mr__fail(e, MR_E_DATA, "the file ends before its last scan");
    if (incomplete(cinfo))
        return keep(e, "that lacks its last scans");
    const uint16_t *quant[3];
    for (int i = 0; i < m->body.components; i++) {
        const JQUANT_TBL *t = cinfo->comp_info[i].quant_table;
        quant[i] = t ? t->quantval : NULL;
    }
    int rc = begin_rows(m, quant, e);
    for (int32_t y = 0; rc == MR_OK && y < m->body.down; y++)
        rc = add_row(m, y, e);
    return rc;
}

/* With the header read. */
static int make(struct maker *m, int segment_px, struct mr_errbuf *e)
{
    m->image.cinfo = &m->d.cinfo;
    m->image.body = &m->body;
    int rc = check_kind(&m->d.cinfo, e);
    if (rc == MR_OK)
        rc = set_shape(&m->body, &m->d, segment_px, e);
    if (rc == MR_OK && !copy_markers(m->d.data, m->d.n, &m->markers))
        rc = no_memory(e);
    if (rc == MR_OK)
        rc = read_own(m, e);
    if (rc == PASS)
        rc = read_turbo(m, e);
    return rc == MR_OK ? mr__packed_writer_end(&m->writer, &m->markers, m->out, e) : rc;
}

static int make_caught(struct maker *m, int segment_px, struct mr_errbuf *e)
{
    m->d.err.e = e;
    if (setjmp(m->d.err.jump))
        return m->d.err.code;
    return make(m, segment_px, e);
}

int mr__packed_make(const uint8_t *jpeg, size_t n, enum mr_packed_coding coding, int segment_px,
                    const struct mr_limits *limits, struct mr_buf *body, struct mr_errbuf *e)
{
    if (n < 3 || jpeg[0] != 0xff || jpeg[1] != SOI || jpeg[2] != 0xff)
        return mr__fail(e, MR_PACKED_VERBATIM, "not a JPEG");
    struct maker *m = calloc(1, sizeof *m);
    if (!m)
        return no_memory(e);
    m->d.limits = *limits;
    m->d.err.limits = &m->d.limits;
    m->body.coding = coding;
    m->out = body;
    int rc = mr__jpegheader_read(&m->d, jpeg, n, e);
    if (rc == MR_OK)
        rc = make_caught(m, segment_px, e);
    mr__jpegheader_reset(&m->d);
    mr__packed_writer_free(&m->writer);
    mr__buf_free(&m->markers);
    mr__baseline_free(m->own);
    free(m->image.blocks);
    free(m);
    return rc;
}
