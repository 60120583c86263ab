/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_packed.c: packed JPEGs from an enemy: no crash, a sentence with every error, a crop equal to
 * that part of the whole, the same pixels by either engine where both give some, and by the file
 * that comes of unpacking.
 *
 * An input is a body, or, when it does not begin like one, knobs and bytes that are laid over the
 * segments of one of a few bodies made here: so mutations go where the decoders are. The last eight
 * bytes choose the crop.
 */
#include "loaders/codec/packed/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

extern const struct mr_codec mr__codec_jpeg, mr__codec_packed;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { OWN, TURBO, ENGINES };
static const struct mr_limits limits[ENGINES] = {
    {.max_pixels = 1 << 14, .max_side = 4096, .max_scans = 100},
    {.max_pixels = 1 << 14, .max_side = 4096, .max_scans = 100, .engine = MR_DECODE_LIBJPEG}};

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

/* ---- bodies ---------------------------------------------------------------------------------- */

enum { SIDE = 72, QUALITIES = 2, CODINGS = 2 };
static const struct {
    int components, h, v, segment;
} shapes[] = {{1, 1, 1, 32}, {3, 1, 1, 32}, {3, 2, 1, 32}, {3, 2, 2, 32},
              {3, 1, 2, 16}, {3, 4, 1, 32}, {3, 1, 1, 99}, {3, 2, 2, 16}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void encode(int shape, int quality, unsigned char **out, unsigned long *n)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr err;
    unsigned char row[SIDE * 3];
    JSAMPROW rows[1] = {row};
    cinfo.err = jpeg_std_error(&err);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, out, n);
    cinfo.image_width = SIDE;
    cinfo.image_height = SIDE / 2;
    cinfo.input_components = shapes[shape].components;
    cinfo.in_color_space = shapes[shape].components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, quality, TRUE);
    cinfo.comp_info[0].h_samp_factor = shapes[shape].h;
    cinfo.comp_info[0].v_samp_factor = shapes[shape].v;
    jpeg_start_compress(&cinfo, TRUE);
    for (unsigned y = 0; y < SIDE / 2; y++) {
        for (size_t i = 0; i < sizeof row; i++)
            row[i] = (unsigned char)((i * i * 7 + y * y * 5 + i * y) >> (y & 3));
        jpeg_write_scanlines(&cinfo, rows, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
}

static const struct mr_buf *body(unsigned number)
{
    static struct mr_buf made[SHAPES * QUALITIES * CODINGS];
    struct mr_buf *b = &made[number % (SHAPES * QUALITIES * CODINGS)];
    if (!b->n) {
        unsigned long n = 0;
        unsigned char *jpeg = NULL;
        int k = (int)(b - made), shape = k % SHAPES;
        struct mr_errbuf e;
        bool streams = k >= SHAPES * QUALITIES;
        encode(shape, k / SHAPES % QUALITIES ? 95 : 60, &jpeg, &n);
        require(mr__packed_make(jpeg, n, streams ? MR_PACKED_STREAMS : MR_PACKED_HUFFMAN,
                                shapes[shape].segment, &limits[OWN], b, &e) == MR_OK,
                e.text);
        free(jpeg);
    }
    return b;
}

/* ---- decoding -------------------------------------------------------------------------------- */

static void *decoders[ENGINES];

static uint8_t *decode(int engine, const uint8_t *data, size_t n, const struct mr_rect *roi,
                       int32_t scale)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    struct mr_shrunk shrunk;
    size_t bytes = 3 * (size_t)roi->w * (size_t)roi->h;
    uint8_t *pixels = malloc(bytes);
    require(pixels, "memory");
    struct mr_view dst = {pixels, roi->w, roi->h, 3, 8, 3 * (int64_t)roi->w};
    void *d = decoders[engine];
    int rc = mr__codec_packed.header(d, data, n, &info, &e);
    if (rc == MR_OK && scale > 1)
        rc = mr__codec_packed.shrink(d, scale, &shrunk, &e);
    if (rc == MR_OK)
        rc = mr__codec_packed.decode(d, roi, &dst, &e);
    require(rc == MR_OK || (e.text[0] && e.code == rc), "an error without a sentence");
    require(rc == MR_OK || rc == MR_E_DATA || rc == MR_E_LIMIT, e.text);
    if (rc == MR_OK)
        return pixels;
    free(pixels);
    return NULL;
}

static void compare(const struct mr_rect *all, const uint8_t *whole, const struct mr_rect *some,
                    const uint8_t *part)
{
    size_t row = 3 * (size_t)some->w;
    for (int32_t y = 0; y < some->h; y++) {
        size_t at = 3 * ((size_t)(some->y + y) * (size_t)all->w + (size_t)some->x);
        require(!memcmp(whole + at, part + row * (size_t)y, row), "the crop differs");
    }
}

static void same(const struct mr_rect *r, const uint8_t *a, const uint8_t *b)
{
    require(!memcmp(a, b, 3 * (size_t)r->w * (size_t)r->h), "other pixels");
}

static int32_t pick(const uint8_t knob[2], int32_t n)
{
    return (knob[0] << 8 | knob[1]) % n;
}

static struct mr_rect crop_of(const uint8_t knob[8], int32_t w, int32_t h)
{
    struct mr_rect r = {.w = 1 + pick(knob, w), .h = 1 + pick(knob + 2, h)};
    r.x = pick(knob + 4, w - r.w + 1);
    r.y = pick(knob + 5, h - r.h + 1);
    return r;
}

/* Whole and crop by either engine; what the first one gives of the whole, or NULL. */
static uint8_t *decode_both(const uint8_t *data, size_t n, const struct mr_rect *all,
                            const struct mr_rect *some, int32_t scale)
{
    uint8_t *whole[ENGINES], *part[ENGINES];
    for (int i = 0; i < ENGINES; i++) {
        whole[i] = decode(i, data, n, all, scale);
        part[i] = decode(i, data, n, some, scale);
        require(part[i] || !whole[i], "the whole is good but not a part of it");
        if (whole[i])
            compare(all, whole[i], some, part[i]);
    }
    if (whole[OWN] && whole[TURBO])
        same(all, whole[OWN], whole[TURBO]);
    if (part[OWN] && part[TURBO])
        same(some, part[OWN], part[TURBO]);
    free(whole[TURBO]);
    free(part[OWN]);
    free(part[TURBO]);
    return whole[OWN];
}

/* The file that comes of unpacking, without markers that might turn it. */
static void unpack(const uint8_t *data, size_t n, const struct mr_rect *all, const uint8_t *whole)
{
    static void *jpeg;
    struct mr_errbuf e = {0};
    struct mr_buf file = {0};
    struct mr_image_info info;
    if (!jpeg)
        require(mr__codec_jpeg.open(&jpeg, &limits[TURBO], &e) == MR_OK, "open");
    int rc = mr__packed_to_jpeg(data, n, &file, &e);
    require(rc == MR_OK || (rc < 0 && e.text[0]), "an error without a sentence");
    uint8_t *pixels = malloc(3 * (size_t)all->w * (size_t)all->h);
    require(pixels, "memory");
    struct mr_view dst = {pixels, all->w, all->h, 3, 8, 3 * (int64_t)all->w};
    if (rc == MR_OK && whole &&
        mr__codec_jpeg.header(jpeg, file.data, file.n, &info, &e) == MR_OK &&
        info.orientation == 1) {
        require(mr__codec_jpeg.decode(jpeg, all, &dst, &e) == MR_OK, e.text);
        same(all, whole, pixels);
    }
    free(pixels);
    mr__buf_free(&file);
}

static void judge(const uint8_t *data, size_t n, const uint8_t knob[8])
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    for (int i = 0; i < ENGINES && !decoders[i]; i++)
        require(mr__codec_packed.open(&decoders[i], &limits[i], &e) == MR_OK, "open");
    if (mr__codec_packed.header(decoders[OWN], data, n, &info, &e) < 0) {
        require(e.text[0] && e.code < 0, "an error without a sentence");
        return;
    }
    struct mr_rect all = {0, 0, info.w, info.h}, some = crop_of(knob, info.w, info.h);
    uint8_t *whole = decode_both(data, n, &all, &some, 1);
    if (info.orientation == 1)
        unpack(data, n, &all, whole);
    free(whole);
    int32_t scale = 2 << knob[7] % 3;
    all.w = (info.w + scale - 1) / scale;
    all.h = (info.h + scale - 1) / scale;
    some = crop_of(knob, all.w, all.h);
    free(decode_both(data, n, &all, &some, scale));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum { KNOBS = 3, CHOICE = 8 };
    if (n < KNOBS + CHOICE)
        return 0;
    const uint8_t *choice = data + n - CHOICE;
    if (mr__packed_probe(data, n)) {
        judge(data, n, choice);
        return 0;
    }
    const struct mr_buf *b = body(data[0]);
    uint8_t *made = malloc(b->n); /* a sanitizer sees every byte read beyond it */
    require(made, "memory");
    memcpy(made, b->data, b->n);
    size_t at = (size_t)(data[1] << 8 | data[2]) % b->n, some = n - KNOBS - CHOICE;
    memcpy(made + at, data + KNOBS, some < b->n - at ? some : b->n - at);
    judge(made, b->n, choice);
    free(made);
    return 0;
}
