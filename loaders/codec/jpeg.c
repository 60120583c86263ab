/* SPDX-License-Identifier: Apache-2.0
 *
 * jpeg.c: JPEG through libjpeg-turbo's scanline interface. Only the columns and rows of the crop
 * are made, and they equal those of a full decode bit for bit: two more columns on each side give
 * "fancy" chroma upsampling its neighbours, and rows are skipped by one call, from row 0 (skipping
 * from anywhere else is not exact).
 */
#include "base/descriptor.h"
#include "loaders/codec/exif.h"
#include "loaders/codec/jpegerr.h"
#include "loaders/codec/jpegscans.h"
#include "loaders/codec/limits.h"
#include "loaders/codec/orient.h"
#include "loaders/codec/rowsink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 2 };       /* columns; see above */
enum { ROWS_PER_CALL = 8 }; /* more than the library gives at once */

struct decoder {
    struct jpeg_decompress_struct cinfo;
    struct mr_jpegerr err;
    struct mr_limits limits;
    struct mr_image_info info;
    int32_t orientation; /* met so far in this file, 0: none */
    bool created, ready; /* ready: header was called, decode may be */
    uint8_t *rows;       /* ROWS_PER_CALL rows of the widest image so far */
    size_t rows_bytes;
    struct mr_rowsink sink;
};

static struct decoder *owner(j_decompress_ptr cinfo)
{
    return (struct decoder *)cinfo; /* its first member */
}

/* APP1, read in place: the source is memory, so nothing is copied. */
static boolean on_app1(j_decompress_ptr cinfo)
{
    static const uint8_t head[6] = {'E', 'x', 'i', 'f', 0, 0};
    struct jpeg_source_mgr *src = cinfo->src;
    const uint8_t *p = src->next_input_byte;
    if (src->bytes_in_buffer < 2)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "the file ends inside its header");
    size_t n = (size_t)p[0] << 8 | p[1];
    if (n < 2)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "an APP1 marker of %zu bytes", n);
    if (n > src->bytes_in_buffer)
        mr__jpegerr_throw(&owner(cinfo)->err, MR_E_DATA, "the file ends inside its header");
    src->next_input_byte += n;
    src->bytes_in_buffer -= n;
    if (owner(cinfo)->orientation == 0 && n >= 2 + sizeof head && !memcmp(p + 2, head, sizeof head))
        owner(cinfo)->orientation = mr__exif_orientation(p + 2 + sizeof head, n - 2 - sizeof head);
    return TRUE;
}

static void reset(struct decoder *d)
{
    if (d->created)
        jpeg_destroy_decompress(&d->cinfo);
    d->created = d->ready = false;
}

/* A new object for each image (0.3 us): in an old one the tables of the image before are still
 * there, so that a file that lacks its own would be decoded with whatever came before it. */
static void create(struct decoder *d)
{
    mr__jpegerr_attach(&d->err, &d->cinfo);
    jpeg_create_decompress(&d->cinfo);
    d->created = true;
    mr__jpegerr_watch(&d->err, &d->cinfo);
    jpeg_set_marker_processor(&d->cinfo, JPEG_APP0 + 1, on_app1);
    if (d->limits.max_decode_bytes > 0)
        d->cinfo.mem->max_memory_to_use = (long)d->limits.max_decode_bytes;
}

static void jpeg_close(void *decoder)
{
    struct decoder *d = decoder;
    reset(d);
    free(d->rows);
    free(d->sink.strip);
    free(d);
}

static int jpeg_open(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mr__fail(e, MR_E_MEMORY, "no memory for a JPEG decoder");
    d->limits = *limits;
    d->err.limits = &d->limits;
    *decoder = d;
    return MR_OK;
}

/* ---- header ---------------------------------------------------------------------------------- */

static void read_header(struct decoder *d, const uint8_t *data, size_t n)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    jpeg_mem_src(cinfo, (unsigned char *)(uintptr_t)data, (unsigned long)n);
    jpeg_read_header(cinfo, TRUE);
    int c = cinfo->num_components;
    if (c != 1 && c != 3 && c != 4)
        mr__jpegerr_throw(&d->err, MR_E_DATA, "a JPEG with %d components is not supported", c);
    if (cinfo->data_precision != 8)
        mr__jpegerr_throw(&d->err, MR_E_DATA, "a JPEG with %d bits per sample is not supported",
                          cinfo->data_precision);
}

/* The library has read up to the first scan's data. */
static int check_scan_count(const struct decoder *d, struct mr_errbuf *e)
{
    const struct jpeg_source_mgr *src = d->cinfo.src;
    int64_t max = d->limits.max_scans;
    if (max <= 0 || mr__jpegscans_count(src->next_input_byte, src->bytes_in_buffer, max) < max)
        return MR_OK;
    return mr__fail(e, MR_E_LIMIT,
                    "the JPEG has more than %" PRId64 " scans, which is limits.max_scans", max);
}

static void fill_info(struct decoder *d)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    int32_t orientation = d->orientation ? d->orientation : 1;
    bool swap = mr__orient_turn(orientation).swap;
    int32_t w = (int32_t)cinfo->image_width, h = (int32_t)cinfo->image_height;
    d->info = (struct mr_image_info){.w = swap ? h : w, .h = swap ? w : h, .bits = 8,
                                     .c = cinfo->num_components, .orientation = orientation};
}

static int jpeg_header(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                       struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    reset(d);
    d->orientation = 0;
    d->err.e = e;
    d->err.ended_early = false;
    if (n == 0)
        return mr__fail(e, MR_E_DATA, "the file is empty");
    if (setjmp(d->err.jump)) {
        reset(d);
        return d->err.code;
    }
    create(d);
    read_header(d, data, n);
    int rc = mr__limits_size(&d->limits, d->cinfo.image_width, d->cinfo.image_height, e);
    if (rc == MR_OK && jpeg_has_multiple_scans(&d->cinfo))
        rc = check_scan_count(d, e);
    if (rc < 0)
        return rc;
    fill_info(d);
    *info = d->info;
    d->ready = true;
    return MR_OK;
}

/* ---- decode ---------------------------------------------------------------------------------- */

/* What the library can give that is nearest to what is asked for. */
static struct mr_pixels choose_output(struct jpeg_decompress_struct *cinfo,
                                      const struct mr_view *dst)
{
    enum mr_pixel_kind kind = MR_PIXEL_RGB;
    cinfo->out_color_space = JCS_RGB;
    if (cinfo->num_components == 4) {
        kind = MR_PIXEL_CMYK;
        cinfo->out_color_space = JCS_CMYK;
    } else if (cinfo->jpeg_color_space == JCS_GRAYSCALE && dst->c == 1) {
        kind = MR_PIXEL_GRAY;
        cinfo->out_color_space = JCS_GRAYSCALE;
    } else if (dst->c == 4) {
        kind = MR_PIXEL_RGBA;
        cinfo->out_color_space = JCS_EXT_RGBA;
    }
    return (struct mr_pixels){kind, 8};
}

/* After the last scan of a file of many scans. */
static void check_scans(struct decoder *d, bool *smoothed)
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

/* A decode in progress: the stored rectangle, and where it lies in the rows that the library
 * gives. */
struct window {
    struct mr_rect roi;
    struct mr_pixels from;
    int32_t left;      /* pixels before the crop in each row */
    size_t pitch;      /* of the rows in the scratch memory */
};

/* libjpeg-turbo writes rows past the cache when they begin at a multiple of 16 bytes, and
 * reading them back then costs as much as a tenth of the decode. So scratch rows begin 8 bytes
 * beside one. */
enum { ROW_ALIGN = 64, ROW_BESIDE = 8 };

static void make_room(struct decoder *d, struct window *w)
{
    size_t bytes = (size_t)d->cinfo.output_width * (size_t)mr__pixels_channels(w->from.kind);
    w->pitch = (bytes + ROW_BESIDE + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    size_t need = w->pitch * ROWS_PER_CALL;
    if (need <= d->rows_bytes)
        return;
    free(d->rows);
    d->rows = aligned_alloc(ROW_ALIGN, need);
    d->rows_bytes = d->rows ? need : 0;
    if (!d->rows)
        mr__jpegerr_throw(&d->err, MR_E_MEMORY, "no memory for %zu bytes of rows", need);
}

static uint8_t *scratch_row(const struct decoder *d, const struct window *w, int32_t i)
{
    return d->rows + (size_t)i * w->pitch + ROW_BESIDE;
}

static void crop(struct decoder *d, struct window *w)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    int32_t x0 = w->roi.x > MARGIN ? w->roi.x - MARGIN : 0;
    int64_t x1 = (int64_t)w->roi.x + w->roi.w + MARGIN;
    if (x1 > (int64_t)cinfo->output_width)
        x1 = cinfo->output_width;
    JDIMENSION x = (JDIMENSION)x0, width = (JDIMENSION)(x1 - x0);
    if (width < cinfo->output_width)
        jpeg_crop_scanline(cinfo, &x, &width);
    else
        x = 0;
    w->left = w->roi.x - (int32_t)x;
}

static void start(struct decoder *d, struct window *w, const struct mr_view *dst)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    w->from = choose_output(cinfo, dst);
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
static void read_direct(struct decoder *d, const struct window *w, const struct mr_view *dst)
{
    JSAMPROW rows[ROWS_PER_CALL];
    size_t bytes = (size_t)dst->w * (size_t)dst->c;
    for (int32_t y = 0; y < w->roi.h;) {
        uint8_t *to = (uint8_t *)dst->data + dst->stride * y;
        int32_t n = w->roi.h - y < ROWS_PER_CALL ? w->roi.h - y : ROWS_PER_CALL;
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

static void read_through_sink(struct decoder *d, const struct window *w)
{
    JSAMPROW rows[ROWS_PER_CALL];
    int32_t before = w->left * mr__pixels_channels(w->from.kind);
    for (int i = 0; i < ROWS_PER_CALL; i++)
        rows[i] = scratch_row(d, w, i);
    JDIMENSION end = (JDIMENSION)(w->roi.y + w->roi.h);
    while (d->cinfo.output_scanline < end) {
        JDIMENSION y = d->cinfo.output_scanline, left = end - y;
        JDIMENSION n =
            jpeg_read_scanlines(&d->cinfo, rows, left < ROWS_PER_CALL ? left : ROWS_PER_CALL);
        for (JDIMENSION i = 0; i < n; i++) {
            if (y + i >= (JDIMENSION)w->roi.y)
                mr__rowsink_put(&d->sink, rows[i] + before);
        }
    }
}

static void read_window(struct decoder *d, const struct mr_rect *roi, const struct mr_view *dst)
{
    struct window w = {.roi = mr__orient_stored(d->info.orientation, roi,
                                                (int32_t)d->cinfo.image_width,
                                                (int32_t)d->cinfo.image_height)};
    start(d, &w, dst);
    bool whole_rows = d->info.orientation == 1 && (int32_t)d->cinfo.output_width == roi->w &&
                      (int32_t)d->cinfo.output_scanline == roi->y;
    if (whole_rows && mr__pixels_same(&w.from, dst->c, dst->bits)) {
        read_direct(d, &w, dst);
        return;
    }
    int rc = mr__rowsink_begin(&d->sink, dst, &w.from, d->info.orientation, w.roi.w, w.roi.h,
                               d->err.e);
    if (rc < 0) {
        d->err.code = rc;
        longjmp(d->err.jump, 1);
    }
    read_through_sink(d, &w);
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
static void check_arithmetic(struct decoder *d)
{
    int marker = d->cinfo.unread_marker;
    if (d->cinfo.arith_code && marker != 0 && marker != JPEG_EOI && !restart_due(&d->cinfo))
        mr__jpegerr_throw(&d->err, MR_E_DATA,
                          "the arithmetic-coded data are cut by a marker 0xff%02x", marker);
}

static int jpeg_decode(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                       struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->ready)
        return mr__fail(e, MR_E_USAGE, "a JPEG's header must be read before each decode");
    int rc = mr__limits_request(&d->info, roi, dst, e);
    if (rc < 0)
        return rc;
    d->err.e = e;
    if (setjmp(d->err.jump)) {
        reset(d);
        return d->err.code;
    }
    read_window(d, roi, dst);
    check_arithmetic(d);
    /* Rows below the crop are nobody's business, and neither is what is wrong with them. */
    reset(d);
    return MR_OK;
}

static bool jpeg_probe(const uint8_t *data, size_t n)
{
    return n >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

#define TEXT(x) #x
#define TEXT_OF(macro) TEXT(macro)
static const char *jpeg_version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " TEXT_OF(LIBJPEG_TURBO_VERSION) " (when this was built)";
#else
    return "libjpeg " TEXT_OF(JPEG_LIB_VERSION);
#endif
}

static const char *const jpeg_extensions[] = {"jpg", "jpeg", "jpe", "jfif", NULL};

const struct mr_codec mr__codec_jpeg = {
    .d = {.name = "jpeg",
          .help =
              "JPEG by libjpeg-turbo: baseline, progressive, gray, CMYK; decodes only the crop"},
    .version = jpeg_version,
    .extensions = jpeg_extensions,
    .probe = jpeg_probe,
    .open = jpeg_open,
    .close = jpeg_close,
    .header = jpeg_header,
    .decode = jpeg_decode,
};
