/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegturbo.c: decoding through libjpeg-turbo's scanline interface. Only the columns and rows of
 * the crop are made, and they equal those of a full decode bit for bit: two more columns on each
 * side give "fancy" chroma upsampling its neighbours, and rows are skipped by one call, from row 0
 * (skipping from anywhere else is not exact).
 */
#include "loaders/codec/jpegdecoder.h"

#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 2,            /* columns; see above */
    LEAST = 3,             /* samples of each component: where one of them has less, the library
                              chooses upsampling anew, for all and by the crop's width */
    BAND_ROWS = 16,        /* rows handed on at once, at most, and ... */
    BAND_BYTES = 32 << 10, /* ... where they are wide, so many that they stay in the cache */
};

/* What the library can give that is nearest to what is asked for. */
static struct mr_pixels choose_output(struct jpeg_decompress_struct *cinfo, int32_t c)
{
    enum mr_pixel_kind kind = MR_PIXEL_RGB;
    cinfo->out_color_space = JCS_RGB;
    if (cinfo->num_components == 4) {
        kind = MR_PIXEL_CMYK;
        cinfo->out_color_space = JCS_CMYK;
    } else if (cinfo->jpeg_color_space == JCS_GRAYSCALE && c == 1) {
        kind = MR_PIXEL_GRAY;
        cinfo->out_color_space = JCS_GRAYSCALE;
    } else if (c == 4) {
        kind = MR_PIXEL_RGBA;
        cinfo->out_color_space = JCS_EXT_RGBA;
    }
    return (struct mr_pixels){kind, 8};
}

/* A decode in progress: the stored rectangle, and where it lies in the rows that the library
 * gives. */
struct window {
    struct mr_rect roi;
    struct mr_pixels from;
    int32_t left; /* pixels before the crop in each row */
    int32_t band; /* rows read before they are handed on */
    size_t pitch; /* of the rows in the scratch memory */
};

/* libjpeg-turbo writes rows past the cache when they begin at a multiple of 16 bytes, and
 * reading them back then costs as much as a tenth of the decode. So scratch rows begin 8 bytes
 * beside one. */
enum { ROW_ALIGN = 64, ROW_BESIDE = 8 };

/* Four rows at least, and fours: so many go through the resampler together. */
static int32_t band_of(size_t pitch)
{
    size_t rows = BAND_BYTES / pitch / 4 * 4;
    return rows < 4 ? 4 : rows > BAND_ROWS ? BAND_ROWS : (int32_t)rows;
}

static void make_room(struct mr_jpeg *d, struct window *w)
{
    size_t bytes = (size_t)d->cinfo.output_width * (size_t)mr__pixels_channels(w->from.kind);
    w->pitch = (bytes + ROW_BESIDE + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    w->band = band_of(w->pitch);
    size_t need = w->pitch * (size_t)w->band + ROW_ALIGN; /* readers look some bytes ahead */
    if (need <= d->rows_bytes)
        return;
    free(d->rows);
    d->rows = aligned_alloc(ROW_ALIGN, need);
    d->rows_bytes = d->rows ? need : 0;
    if (!d->rows)
        mr__jpegerr_throw(&d->err, MR_E_MEMORY, "no memory for %zu bytes of rows", need);
}

static uint8_t *scratch_row(const struct mr_jpeg *d, const struct window *w, int32_t i)
{
    return d->rows + (size_t)i * w->pitch + ROW_BESIDE;
}

/* At a reduced size the library may keep a component at more pixels than its share and stretch the
 * rest; jpeg_crop_scanline then takes it for narrower than it is. */
static bool may_crop(const struct jpeg_decompress_struct *cinfo)
{
    for (int i = 0; i < cinfo->num_components; i++) {
        const jpeg_component_info *c = &cinfo->comp_info[i];
        int size = c->DCT_scaled_size, least = cinfo->min_DCT_scaled_size;
        if (size != least && c->h_samp_factor * size != cinfo->max_h_samp_factor * least)
            return false;
    }
    return true;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void crop(struct mr_jpeg *d, struct window *w)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    int64_t whole = cinfo->output_width, least = LEAST * cinfo->max_h_samp_factor;
    if (d->right)
        whole = (d->right + d->shown.scale - 1) / d->shown.scale;
    int64_t x0 = w->roi.x - MARGIN, x1 = (int64_t)w->roi.x + w->roi.w + MARGIN;
    x1 = larger(x1, x0 + least);
    if (x1 > whole) {
        x1 = whole;
        x0 = smaller(x0, x1 - least);
    }
    x0 = larger(x0, 0);
    JDIMENSION x = (JDIMENSION)x0, width = (JDIMENSION)(x1 - x0);
    if (width < cinfo->output_width && may_crop(cinfo))
        jpeg_crop_scanline(cinfo, &x, &width);
    else
        x = 0;
    w->left = w->roi.x - (int32_t)x;
}

/* After the last scan of a file of many scans. */
static void check_scans(struct mr_jpeg *d, bool *smoothed)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    bool incomplete = false;
    for (int c = 0; c < cinfo->num_components; c++) {
        if (!cinfo->comp_info[c].quant_table)
            mr__jpegerr_throw(&d->err, MR_E_DATA, "there is no data for component %d", c + 1);
        for (int k = 0; cinfo->coef_bits && k < DCTSIZE2; k++)
            incomplete |= cinfo->coef_bits[c][k] != 0;
    }
    if (d->err.ended_early && incomplete)
        mr__jpegerr_throw(&d->err, MR_E_DATA, "the file ends before its last scan");
    *smoothed = incomplete;
}

static void start(struct mr_jpeg *d, struct window *w)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    w->from = choose_output(cinfo, d->sink.c);
    cinfo->scale_num = 1;
    cinfo->scale_denom = (unsigned)d->shown.scale;
    cinfo->dct_method = JDCT_ISLOW;
    cinfo->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(cinfo);
    bool smoothed = false;
    if (jpeg_has_multiple_scans(cinfo))
        check_scans(d, &smoothed);
    w->left = w->roi.x;
    /* Smoothing of blocks whose last scans are absent looks further around than the margin: such
     * a file is decoded whole, as anyone else would. */
    if (smoothed) {
        make_room(d, w);
        return;
    }
    crop(d, w);
    make_room(d, w);
    if (w->roi.y > 0)
        jpeg_skip_scanlines(cinfo, (JDIMENSION)w->roi.y);
}

/* Rows that need no work on them go straight to where they belong, unless they would be written
 * past the cache there. */
static void read_direct(struct mr_jpeg *d, const struct window *w)
{
    const struct mr_view *dst = &d->sink.view;
    JSAMPROW rows[BAND_ROWS];
    size_t bytes = (size_t)dst->w * (size_t)dst->c;
    for (int32_t y = 0; y < w->roi.h;) {
        uint8_t *to = (uint8_t *)dst->data + dst->stride * y;
        int32_t n = w->roi.h - y < w->band ? w->roi.h - y : w->band;
        for (int32_t i = 0; i < n; i++) {
            uint8_t *row = to + dst->stride * i;
            rows[i] = (uintptr_t)row % 16 ? row : scratch_row(d, w, i);
        }
        n = (int32_t)jpeg_read_scanlines(&d->cinfo, rows, (JDIMENSION)n);
        for (int32_t i = 0; i < n; i++) {
            if (rows[i] != to + dst->stride * i)
                memcpy(to + dst->stride * i, rows[i], bytes);
        }
        y += n;
    }
}

/* Rows above the crop, of a file that is decoded whole. */
static void pass_over(struct mr_jpeg *d, JSAMPROW *rows, const struct window *w)
{
    JDIMENSION top = (JDIMENSION)w->roi.y;
    while (d->cinfo.output_scanline < top) {
        JDIMENSION left = top - d->cinfo.output_scanline, band = (JDIMENSION)w->band;
        jpeg_read_scanlines(&d->cinfo, rows, left < band ? left : band);
    }
}

static void read_through_sink(struct mr_jpeg *d, const struct window *w)
{
    JSAMPROW rows[BAND_ROWS];
    int32_t before = w->left * mr__pixels_channels(w->from.kind), held = 0;
    for (int32_t i = 0; i < w->band; i++)
        rows[i] = scratch_row(d, w, i);
    pass_over(d, rows, w);
    JDIMENSION end = (JDIMENSION)(w->roi.y + w->roi.h);
    while (d->cinfo.output_scanline < end) {
        JDIMENSION left = end - d->cinfo.output_scanline, room = (JDIMENSION)(w->band - held);
        held += (int32_t)jpeg_read_scanlines(&d->cinfo, rows + held, left < room ? left : room);
        if (held < w->band && d->cinfo.output_scanline < end)
            continue;
        mr__rowsink_put(&d->sink, rows[0] + before, (int64_t)w->pitch, held);
        held = 0;
    }
}

/* True when the restart marker that the decoder stopped at is the one that comes next. */
static bool restart_due(const struct jpeg_decompress_struct *cinfo)
{
    uint64_t interval = cinfo->restart_interval, width = cinfo->MCUs_per_row;
    uint64_t rows = (uint64_t)cinfo->input_iMCU_row;
    if (cinfo->comps_in_scan == 1)
        rows *= (uint64_t)cinfo->cur_comp_info[0]->v_samp_factor;
    if (rows > cinfo->MCU_rows_in_scan)
        rows = cinfo->MCU_rows_in_scan;
    if (interval == 0 || rows == 0)
        return false;
    uint64_t met = (rows * width - 1) / interval;
    uint64_t all = (cinfo->MCU_rows_in_scan * width - 1) / interval;
    return met < all && cinfo->unread_marker == JPEG_RST0 + (int)(met % 8);
}

/* Arithmetic-coded data of one scan end at EOI, or at the next restart marker where there are
 * some; at any other marker, which only damage puts there, the library went on with zeros. */
static void check_arithmetic(struct mr_jpeg *d)
{
    int marker = d->cinfo.unread_marker;
    if (d->cinfo.arith_code && marker != 0 && marker != JPEG_EOI && !restart_due(&d->cinfo))
        mr__jpegerr_throw(&d->err, MR_E_DATA,
                          "the arithmetic-coded data are cut by a marker 0xff%02x", marker);
}

/* ---- what it has cost ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Rows are read from the top to where the last one wanted is complete; a file of many scans is read
 * to its end. */
static uint64_t pixels_read(const struct jpeg_decompress_struct *cinfo, bool all)
{
    uint64_t rows = (uint64_t)cinfo->input_iMCU_row * (uint64_t)cinfo->max_v_samp_factor * DCTSIZE;
    uint64_t height = cinfo->image_height;
    return (all ? height : least(rows, height)) * cinfo->image_width;
}

/* The MCUs that the crop touches. output_width is, by now, from the left edge of the first one to
 * the right edge of the crop. */
static uint64_t pixels_made(const struct jpeg_decompress_struct *cinfo, const struct window *w)
{
    uint64_t across = (uint64_t)(cinfo->max_h_samp_factor * cinfo->min_DCT_scaled_size);
    uint64_t down = (uint64_t)(cinfo->max_v_samp_factor * cinfo->min_DCT_scaled_size);
    uint64_t first = (uint64_t)w->roi.y / down * down;
    uint64_t end = ((uint64_t)(w->roi.y + w->roi.h) + down - 1) / down * down;
    uint64_t width = ((uint64_t)cinfo->output_width + across - 1) / across * across;
    return (least(end, cinfo->output_height) - first) * width;
}

static void count(struct mr_jpeg *d, const struct window *w)
{
    bool all = jpeg_has_multiple_scans(&d->cinfo);
    d->cost.bytes = d->n - d->cinfo.src->bytes_in_buffer;
    d->cost.pixels_read = pixels_read(&d->cinfo, all);
    d->cost.pixels_made = pixels_made(&d->cinfo, w);
}

/* ---- the engine ---- */

static void read_window(struct mr_jpeg *d, struct window *w)
{
    start(d, w);
    bool whole_rows = !d->sink.to && d->sink.orientation == 1 &&
                      (int32_t)d->cinfo.output_width == w->roi.w &&
                      (int32_t)d->cinfo.output_scanline == w->roi.y;
    if (whole_rows && mr__pixels_same(&w->from, d->sink.c, d->sink.bits)) {
        read_direct(d, w);
        return;
    }
    int rc = mr__rowsink_begin(&d->sink, &w->from, w->roi.w, w->roi.h, d->err.e);
    if (rc < 0) {
        d->err.code = rc;
        longjmp(d->err.jump, 1);
    }
    read_through_sink(d, w);
}

/* Rows below the crop are nobody's business, and neither is what is wrong with them. */
static int turbo_decode(struct mr_jpeg *d, const struct mr_rect *roi)
{
    struct window w = {.roi = *roi};
    if (setjmp(d->err.jump))
        return d->err.code;
    read_window(d, &w);
    check_arithmetic(d);
    count(d, &w);
    return MR_OK;
}

const struct mr_jpeg_engine mr__jpegturbo = {MR_ENGINE_LIBJPEG, turbo_decode};
