/* SPDX-License-Identifier: Apache-2.0
 *
 * png.c: PNG through libpng's low-level interface (never png_image_*): palette, gray, alpha, 16
 * bits, interlaced. Rows above the crop are inflated and dropped, rows below it are not read;
 * chunks that do not change pixels are ignored.
 */
#include "base/descriptor.h"
#include "loaders/codec/exif.h"
#include "loaders/codec/limits.h"
#include "loaders/codec/orient.h"
#include "loaders/codec/pngchunk.h"
#include "loaders/codec/rowsink.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

enum { CHUNK_CACHE = 16, CHUNK_BYTES = 8000000 };

struct decoder {
    png_structp png; /* of this image; NULL: no header was read */
    png_infop meta;
    struct mr_limits limits;
    struct mr_image_info info;
    jmp_buf jump; /* set before each call into the library */
    struct mr_errbuf *e;
    int code;       /* what the jump was for */
    bool no_memory; /* malloc said no: libpng's error comes next */
    const uint8_t *data;
    size_t n, at;   /* the file and how far it is read */
    uint8_t *rows;  /* scratch of this image */
    struct mr_rowsink sink;
    struct mr_decode_cost cost;
};

/* ---- callbacks ------------------------------------------------------------------------------- */

static void on_error(png_structp png, png_const_charp text)
{
    struct decoder *d = png_get_error_ptr(png);
    if (d->no_memory)
        d->code = mr__fail(d->e, MR_E_MEMORY, "no memory to decode a PNG of %d x %d pixels",
                           d->info.w, d->info.h);
    else
        d->code = mr__fail(d->e, MR_E_DATA, "the PNG is damaged: %s", text);
    longjmp(d->jump, 1);
}

/* What libpng warns about is beside the pixels (extra data, odd chunks); all else is an error. */
static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t bytes)
{
    struct decoder *d = png_get_mem_ptr(png);
    void *p = malloc(bytes);
    d->no_memory |= !p;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    (void)png;
    free(p);
}

static void on_read(png_structp png, png_bytep to, size_t bytes)
{
    struct decoder *d = png_get_io_ptr(png);
    if (bytes > d->n - d->at) {
        d->code =
            mr__fail(d->e, MR_E_DATA, "the PNG ends early, at byte %zu (truncated file)", d->n);
        longjmp(d->jump, 1);
    }
    memcpy(to, d->data + d->at, bytes);
    d->at += bytes;
}

static _Noreturn void throw_code(struct decoder *d, int code)
{
    d->code = code;
    longjmp(d->jump, 1);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void reset(struct decoder *d)
{
    png_destroy_read_struct(&d->png, &d->meta, NULL);
    free(d->rows);
    d->rows = NULL;
}

static void create(struct decoder *d)
{
    d->no_memory = false;
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, on_error, on_warning, d, on_malloc,
                                      on_free);
    d->meta = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->meta)
        throw_code(d, mr__fail(d->e, MR_E_MEMORY, "no memory for a PNG decoder"));
    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours are checked already */
    png_set_chunk_cache_max(d->png, CHUNK_CACHE);
    png_set_chunk_malloc_max(d->png, CHUNK_BYTES);
    /* A damaged chunk may be a tRNS, or a palette under another name: no checksum is forgiven. */
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    /* -1: everything but IHDR, PLTE, tRNS, IDAT and IEND. */
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    /* Some old writers declare a smaller window than they use; zlib's largest reads them all. */
    png_set_option(d->png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_set_read_fn(d->png, d, on_read);
}

static int codec_open(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mr__fail(e, MR_E_MEMORY, "no memory for a PNG decoder");
    d->limits = *limits;
    *decoder = d;
    return MR_OK;
}

static void codec_close(void *decoder)
{
    struct decoder *d = decoder;
    reset(d);
    free(d->sink.strip);
    free(d);
}

/* ---- header ---------------------------------------------------------------------------------- */

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The declared size, from the bytes, before libpng takes memory for it. */
static int check_size(struct decoder *d)
{
    struct mr_pngchunk c;
    size_t at = MR_PNGCHUNK_FIRST;
    if (!mr__pngchunk_next(d->data, d->n, &at, &c))
        return mr__fail(d->e, MR_E_DATA, "the PNG ends inside its header");
    if (memcmp(c.type, "IHDR", 4) || c.n != 13 || !mr__pngchunk_intact(&c))
        return mr__fail(d->e, MR_E_DATA, "the PNG's header is damaged");
    return mr__limits_size(&d->limits, big32(c.data), big32(c.data + 4), d->e);
}

static int32_t find_orientation(const struct decoder *d)
{
    struct mr_pngchunk c;
    if (!mr__pngchunk_find(d->data, d->n, "eXIf", &c) || !mr__pngchunk_intact(&c))
        return 1;
    return mr__exif_orientation(c.data, c.n);
}

static void fill_info(struct decoder *d)
{
    static const int32_t channels[8] = {[PNG_COLOR_TYPE_GRAY] = 1,
                                        [PNG_COLOR_TYPE_RGB] = 3,
                                        [PNG_COLOR_TYPE_PALETTE] = 3,
                                        [PNG_COLOR_TYPE_GRAY_ALPHA] = 2,
                                        [PNG_COLOR_TYPE_RGB_ALPHA] = 4};
    int32_t w = (int32_t)png_get_image_width(d->png, d->meta);
    int32_t h = (int32_t)png_get_image_height(d->png, d->meta);
    int32_t orientation = find_orientation(d);
    bool swap = mr__orient_turn(orientation).swap;
    bool key = png_get_valid(d->png, d->meta, PNG_INFO_tRNS) != 0;
    d->info = (struct mr_image_info){
        .w = swap ? h : w,
        .h = swap ? w : h,
        .c = channels[png_get_color_type(d->png, d->meta) & 7] + key,
        .bits = png_get_bit_depth(d->png, d->meta) == 16 ? 16 : 8,
        .orientation = orientation,
    };
}

static int codec_header(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                        struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    reset(d);
    d->e = e;
    d->data = data;
    d->n = n;
    d->at = 0;
    int rc = check_size(d);
    if (rc < 0)
        return rc;
    if (setjmp(d->jump)) {
        reset(d);
        return d->code;
    }
    create(d);
    png_read_info(d->png, d->meta);
    fill_info(d);
    *info = d->info;
    return MR_OK;
}

/* ---- decode ---------------------------------------------------------------------------------- */

/* Asks libpng for whole bytes, native order, no palette; returns what comes out. */
static struct mr_pixels choose_output(struct decoder *d, int32_t c)
{
    png_structp png = d->png;
    int type = png_get_color_type(png, d->meta), depth = png_get_bit_depth(png, d->meta);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    else if (c == 4 && png_get_valid(png, d->meta, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(png);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        png_set_swap(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, d->meta);
    return (struct mr_pixels){(enum mr_pixel_kind)png_get_channels(png, d->meta),
                              png_get_bit_depth(png, d->meta)};
}

static uint8_t *make_room(struct decoder *d, size_t row_bytes, size_t rows)
{
    int rc = mr__limits_memory(&d->limits, (uint64_t)row_bytes * rows, d->e);
    if (rc < 0)
        throw_code(d, rc);
    d->rows = calloc(rows, row_bytes);
    if (!d->rows)
        throw_code(d, mr__fail(d->e, MR_E_MEMORY, "no memory for %zu rows of %zu bytes", rows,
                               row_bytes));
    return d->rows;
}

static void read_plain(struct decoder *d, const struct mr_rect *roi, size_t left, size_t row_bytes)
{
    uint8_t *row = make_room(d, row_bytes, 1);
    for (int32_t y = 0; y < roi->y + roi->h; y++) {
        png_read_row(d->png, row, NULL);
        if (y >= roi->y)
            mr__rowsink_put(&d->sink, row + left, 0, 1);
    }
}

/* Seven passes over all rows (of the last one, over those that are needed), of which the crop's
 * rows are kept; the others share one row of scratch behind them. */
static void read_interlaced(struct decoder *d, const struct mr_rect *roi, size_t left,
                            size_t row_bytes)
{
    size_t kept = (size_t)roi->h;
    uint8_t *rows = make_room(d, row_bytes, kept + 1), *scratch = rows + kept * row_bytes;
    int32_t height = (int32_t)png_get_image_height(d->png, d->meta), end = roi->y + roi->h;
    for (int pass = 0; pass < 7; pass++) {
        for (int32_t y = 0; y < (pass < 6 ? height : end); y++) {
            bool wanted = y >= roi->y && y < end;
            png_read_row(d->png, wanted ? rows + (size_t)(y - roi->y) * row_bytes : scratch, NULL);
        }
    }
    mr__rowsink_put(&d->sink, rows + left, (int64_t)row_bytes, roi->h);
}

/* libpng has checked the CRC of every chunk that it read to the end; the one it stopped in is
 * left. */
static void check_last_chunk(struct decoder *d)
{
    struct mr_pngchunk c;
    size_t at = MR_PNGCHUNK_FIRST;
    while (at < d->at && mr__pngchunk_next(d->data, d->n, &at, &c)) {
        if (c.end > d->at && !mr__pngchunk_intact(&c))
            throw_code(d, mr__fail(d->e, MR_E_DATA, "the PNG is damaged: %s: %s", c.type,
                                   c.whole ? "CRC error" : "the file ends inside this chunk"));
    }
}

/* Of an interlaced file every pass has all rows. */
static void count(struct decoder *d, const struct mr_rect *roi, bool interlaced)
{
    uint64_t h = png_get_image_height(d->png, d->meta);
    uint64_t rows = interlaced ? h : (uint64_t)(roi->y + roi->h);
    uint64_t pixels = rows * png_get_image_width(d->png, d->meta);
    d->cost = (struct mr_decode_cost){MR_ENGINE_LIBPNG, d->at, pixels, pixels};
}

/* The target is named already. */
static void read_roi(struct decoder *d, const struct mr_rect *shown)
{
    int32_t w = (int32_t)png_get_image_width(d->png, d->meta);
    int32_t h = (int32_t)png_get_image_height(d->png, d->meta);
    struct mr_rect roi = mr__orient_stored(d->sink.orientation, shown, w, h);
    struct mr_pixels from = choose_output(d, d->sink.c);
    int rc = mr__rowsink_begin(&d->sink, &from, roi.w, roi.h, d->e);
    if (rc < 0)
        throw_code(d, rc);
    size_t left = (size_t)roi.x * (size_t)mr__pixels_channels(from.kind) * (size_t)(from.bits / 8);
    size_t row_bytes = png_get_rowbytes(d->png, d->meta);
    bool interlaced = png_get_interlace_type(d->png, d->meta) != PNG_INTERLACE_NONE;
    (interlaced ? read_interlaced : read_plain)(d, &roi, left, row_bytes);
    check_last_chunk(d);
    count(d, &roi, interlaced);
}

static int run_roi(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    d->e = e;
    if (setjmp(d->jump)) {
        reset(d);
        return d->code;
    }
    read_roi(d, roi);
    reset(d);
    return MR_OK;
}

static int no_header(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE, "a PNG's header must be read before each decode");
}

static int codec_decode(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                        struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->png)
        return no_header(e);
    int rc = mr__limits_request(d->info.w, d->info.h, roi, dst, e);
    mr__rowsink_to_view(&d->sink, dst, d->info.orientation);
    return rc < 0 ? rc : run_roi(d, roi, e);
}

static int codec_rows(void *decoder, const struct mr_rect *roi, int32_t c, int32_t bits,
                      const struct mr_row_taker *to, struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->png)
        return no_header(e);
    int rc = mr__limits_rows(&d->info, d->info.w, d->info.h, roi, c, bits, e);
    mr__rowsink_to_taker(&d->sink, to, c, bits);
    return rc < 0 ? rc : run_roi(d, roi, e);
}

static void codec_cost(const void *decoder, struct mr_decode_cost *cost)
{
    *cost = ((const struct decoder *)decoder)->cost;
}

static bool codec_probe(const uint8_t *data, size_t n)
{
    return n >= 8 && !png_sig_cmp(data, 0, 8);
}

static const char *codec_version(void)
{
    bool same = !strcmp(png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING);
    return same ? "libpng " PNG_LIBPNG_VER_STRING
                : "libpng, not the " PNG_LIBPNG_VER_STRING " that this was built with";
}

static const char *const extensions[] = {"png", NULL};

const struct mr_codec mr__codec_png = {
    .d = {.name = "png",
          .help = "PNG by libpng: palette, gray, alpha, 16 bits, interlaced"},
    .version = codec_version,
    .extensions = extensions,
    .probe = codec_probe,
    .open = codec_open,
    .close = codec_close,
    .header = codec_header,
    .decode = codec_decode,
    .rows = codec_rows,
    .cost = codec_cost,
};
