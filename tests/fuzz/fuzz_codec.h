/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_codec.h: what holds for any bytes given to a codec: no crash, a sentence with every error;
 * where both succeed, a crop equal to that part of the whole, every pixel written and nothing
 * beside them, at full size and at a fraction of it; rows handed on that are the crop, with the
 * same verdict; no image where the library itself says that pixels are lost. The last eight bytes
 * of the input, which stay a part of the file, choose crop, format, scale and limits.
 */
#ifndef MR_TESTS_FUZZ_CODEC_H
#define MR_TESTS_FUZZ_CODEC_H

#include "base/descriptor.h"
#include "tests/oracle/plain_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small, so that an execution takes microseconds; the tight ones are met all the time. */
static const struct mr_limits fuzz_limits[2] = {
    {.max_pixels = 1 << 14, .max_side = 4096, .max_scans = 100, .max_decode_bytes = 16 << 20},
    {.max_pixels = 1 << 10, .max_side = 50, .max_scans = 3, .max_decode_bytes = 200000},
};

static void fuzz_require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

struct fuzz_shape { /* of a decode */
    struct mr_rect roi;
    int32_t c, bits;
    size_t gap;    /* bytes between rows */
    int32_t scale; /* so many times smaller */
};

static size_t fuzz_row(const struct fuzz_shape *s)
{
    return (size_t)s->roi.w * (size_t)s->c * (size_t)(s->bits / 8);
}

static int32_t fuzz_pick(const uint8_t knob[2], int32_t n)
{
    return (knob[0] << 8 | knob[1]) % n;
}

static void fuzz_crop(const uint8_t knob[8], const struct mr_image_info *info, struct mr_rect *roi)
{
    roi->w = 1 + fuzz_pick(knob, info->w);
    roi->h = 1 + fuzz_pick(knob + 2, info->h);
    roi->x = fuzz_pick(knob + 4, info->w - roi->w + 1);
    roi->y = fuzz_pick(knob + 5, info->h - roi->h + 1);
}

/* Decodes into exactly as much memory as it needs, filled with `paint` before; NULL on error. */
static uint8_t *fuzz_decode(const struct mr_codec *codec, void *decoder, const uint8_t *data,
                            size_t n, const struct fuzz_shape *s, int paint)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    size_t row = fuzz_row(s), stride = row + s->gap, bytes = stride * (size_t)s->roi.h - s->gap;
    uint8_t *pixels = malloc(bytes);
    struct mr_view dst = {pixels, s->roi.w, s->roi.h, s->c, s->bits, (int64_t)stride};
    fuzz_require(pixels, "memory");
    memset(pixels, paint, bytes);
    struct mr_shrunk shrunk;
    int rc = codec->header(decoder, data, n, &info, &e);
    if (rc == MR_OK && s->scale > 1)
        rc = codec->shrink(decoder, s->scale, &shrunk, &e);
    if (rc == MR_OK)
        rc = codec->decode(decoder, &s->roi, &dst, &e);
    fuzz_require(rc == MR_OK || (e.text[0] && e.code == rc), "an error without a sentence");
    fuzz_require(rc == MR_OK || rc == MR_E_DATA || rc == MR_E_LIMIT, e.text);
    for (size_t at = row; at + s->gap < bytes; at += stride) {
        for (size_t i = 0; i < s->gap; i++)
            fuzz_require(pixels[at + i] == paint, "written beside the rows");
    }
    if (rc == MR_OK)
        return pixels;
    free(pixels);
    return NULL;
}

/* An image that we deliver, held against the library's own. */
static void fuzz_judge(const uint8_t *data, size_t n, const struct mr_image_info *info,
                       const struct fuzz_shape *s, const uint8_t *whole)
{
    struct plain p;
    plain_decode(data, n, fuzz_limits[0].max_pixels, &p);
    fuzz_require(p.verdict != PLAIN_LOSS && p.verdict != PLAIN_ERROR, p.text);
    if (info->orientation == 1 && s->c == 3 && s->bits == 8 && s->gap == 0)
        fuzz_require(!memcmp(p.rgb, whole, fuzz_row(s) * (size_t)s->roi.h), "other pixels");
    free(p.rgb);
}

static void fuzz_compare(const struct fuzz_shape *all, const uint8_t *whole,
                         const struct fuzz_shape *some, const uint8_t *part)
{
    size_t pixel = (size_t)all->c * (size_t)(all->bits / 8);
    size_t row = fuzz_row(some), stride = row + some->gap, whole_stride = fuzz_row(all) + all->gap;
    for (int32_t y = 0; y < some->roi.h; y++) {
        size_t at = (size_t)(some->roi.y + y) * whole_stride + (size_t)some->roi.x * pixel;
        fuzz_require(!memcmp(whole + at, part + (size_t)y * stride, row), "the crop differs");
    }
}

/* ---- rows that are handed on ---- */

struct fuzz_rows {
    uint8_t *pixels;
    size_t row;
    int32_t taken, h;
};

static int fuzz_begin(void *ctx, struct mr_errbuf *e)
{
    struct fuzz_rows *r = ctx;
    (void)e;
    r->taken = 0;
    return MR_OK;
}

static void fuzz_take(void *ctx, const void *data, int64_t stride, int32_t n)
{
    struct fuzz_rows *r = ctx;
    fuzz_require(n >= 1 && n <= r->h - r->taken, "more rows than were asked for");
    for (int32_t i = 0; i < n; i++, r->taken++)
        memcpy(r->pixels + (size_t)r->taken * r->row, (const char *)data + i * stride, r->row);
}

/* `part`: what decode gave for the same crop, NULL: an error. */
static void fuzz_go_on(const struct mr_codec *codec, void *decoder, const uint8_t *data, size_t n,
                       const struct fuzz_shape *s, const uint8_t *part)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    struct fuzz_rows r = {.row = fuzz_row(s), .h = s->roi.h};
    struct mr_row_taker to = {
        .begin = fuzz_begin, .rows = fuzz_take, .ctx = &r, .most = (int32_t)(s->gap % 3)};
    r.pixels = malloc(r.row * (size_t)r.h);
    fuzz_require(r.pixels, "memory");
    int rc = codec->header(decoder, data, n, &info, &e);
    if (rc == MR_OK)
        rc = codec->rows(decoder, &s->roi, s->c, s->bits, &to, &e);
    fuzz_require((rc == MR_OK) == (part != NULL), "rows have another verdict");
    fuzz_require(!part || r.taken == r.h, "rows are missing");
    for (int32_t y = 0; part && y < r.h; y++)
        fuzz_require(!memcmp(part + (size_t)y * (r.row + s->gap), r.pixels + (size_t)y * r.row,
                             r.row), "the rows differ");
    free(r.pixels);
}

/* ---- a fraction of the size ---- */

static void fuzz_shrink(const struct mr_codec *codec, void *decoder, const uint8_t *data, size_t n,
                        const uint8_t knob[8], const struct mr_image_info *info)
{
    int32_t scale = 2 << knob[7] / 8 % 3;
    struct mr_image_info small = *info;
    small.w = (info->w + scale - 1) / scale;
    small.h = (info->h + scale - 1) / scale;
    struct fuzz_shape all = {{0, 0, small.w, small.h}, 3, 8, 0, scale}, some = all;
    fuzz_crop(knob, &small, &some.roi);
    uint8_t *whole = fuzz_decode(codec, decoder, data, n, &all, 0xa5);
    uint8_t *part = fuzz_decode(codec, decoder, data, n, &some, 0x5a);
    fuzz_require(part || !whole, "the small whole is good but not a part of it");
    if (whole)
        fuzz_compare(&all, whole, &some, part);
    free(whole);
    free(part);
}

static int fuzz_codec(const struct mr_codec *codec, const uint8_t *data, size_t n)
{
    static void *decoders[2]; /* for the whole run, as in a producer */
    uint8_t knob[8] = {0};
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    if (n >= sizeof knob)
        memcpy(knob, data + n - sizeof knob, sizeof knob);
    bool tight = knob[7] % 8 == 7;
    void **decoder = &decoders[tight];
    if (!*decoder)
        fuzz_require(codec->open(decoder, &fuzz_limits[tight], &e) == MR_OK, "open");
    if (codec->header(*decoder, data, n, &info, &e) < 0) {
        fuzz_require(e.text[0] && e.code < 0, "an error without a sentence");
        return 0;
    }
    fuzz_require(info.w > 0 && info.h > 0, "an image without pixels");
    struct fuzz_shape all = {.roi = {0, 0, info.w, info.h},
                             .c = (const int32_t[]){3, 1, 4, 3}[knob[6] % 4],
                             .bits = knob[6] & 4 ? 16 : 8,
                             .gap = knob[6] & 8 ? 1 + knob[6] % 32 : 0};
    all.gap *= (size_t)all.bits / 8; /* 16-bit pixels are aligned */
    struct fuzz_shape some = all;
    fuzz_crop(knob, &info, &some.roi);
    uint8_t *whole = fuzz_decode(codec, *decoder, data, n, &all, 0xa5);
    uint8_t *part = fuzz_decode(codec, *decoder, data, n, &some, 0x5a);
    fuzz_require(part || !whole, "the whole is good but not a part of it");
    if (whole)
        fuzz_compare(&all, whole, &some, part);
    if (whole)
        fuzz_judge(data, n, &info, &all, whole);
    if (info.orientation == 1)
        fuzz_go_on(codec, *decoder, data, n, &some, part);
    if (codec->shrink)
        fuzz_shrink(codec, *decoder, data, n, knob, &info);
    free(whole);
    free(part);
    return 0;
}

#endif
