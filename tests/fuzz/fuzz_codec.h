/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_codec.h: what holds for any bytes given to a codec: no crash, a sentence with every error,
 * and where both succeed, a crop equal to that part of the whole.
 */
#ifndef MR_TESTS_FUZZ_CODEC_H
#define MR_TESTS_FUZZ_CODEC_H

#include "base/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mr_limits fuzz_limits = {.max_pixels = 1 << 18,
                                             .max_side = 4096,
                                             .max_scans = 100,
                                             .max_decode_bytes = 64 << 20};

static void fuzz_require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static uint32_t fuzz_mix(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Decodes `roi` into exactly as much memory as it needs; NULL on error. */
static uint8_t *fuzz_decode(const struct mr_codec *codec, void *decoder, const uint8_t *data,
                            size_t n, const struct mr_rect *roi, int32_t c, int32_t bits)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    size_t row = (size_t)roi->w * (size_t)c * (size_t)(bits / 8);
    uint8_t *pixels = malloc(row * (size_t)roi->h);
    struct mr_view dst = {pixels, roi->w, roi->h, c, bits, (int64_t)row};
    fuzz_require(pixels, "memory");
    int rc = codec->header(decoder, data, n, &info, &e);
    if (rc == MR_OK)
        rc = codec->decode(decoder, roi, &dst, &e);
    fuzz_require(rc == MR_OK || e.text[0], "an error without a sentence");
    fuzz_require(rc == MR_OK || rc == MR_E_DATA || rc == MR_E_LIMIT, e.text);
    if (rc == MR_OK)
        return pixels;
    free(pixels);
    return NULL;
}

static int fuzz_codec(const struct mr_codec *codec, const uint8_t *data, size_t n)
{
    static void *decoder; /* one for the whole run, as in a producer */
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    if (!decoder)
        fuzz_require(codec->open(&decoder, &fuzz_limits, &e) == MR_OK, "open");
    if (codec->header(decoder, data, n, &info, &e) < 0) {
        fuzz_require(e.text[0] && e.code < 0, "an error without a sentence");
        return 0;
    }
    fuzz_require(info.w > 0 && info.h > 0, "an image without pixels");
    uint32_t s = (uint32_t)n * 2654435761u + data[n / 2];
    struct mr_rect all = {0, 0, info.w, info.h}, roi;
    roi.w = 1 + (int32_t)(fuzz_mix(&s) % (uint32_t)info.w);
    roi.h = 1 + (int32_t)(fuzz_mix(&s) % (uint32_t)info.h);
    roi.x = (int32_t)(fuzz_mix(&s) % (uint32_t)(info.w - roi.w + 1));
    roi.y = (int32_t)(fuzz_mix(&s) % (uint32_t)(info.h - roi.h + 1));
    int32_t c = (const int32_t[]){1, 3, 4, 3}[fuzz_mix(&s) % 4], bits = fuzz_mix(&s) % 4 ? 8 : 16;
    size_t pixel = (size_t)c * (size_t)(bits / 8);
    uint8_t *whole = fuzz_decode(codec, decoder, data, n, &all, c, bits);
    uint8_t *part = fuzz_decode(codec, decoder, data, n, &roi, c, bits);
    fuzz_require(part || !whole, "the whole is good but not a part of it");
    for (int32_t y = 0; whole && y < roi.h; y++) {
        size_t at = ((size_t)(roi.y + y) * (size_t)info.w + (size_t)roi.x) * pixel;
        size_t bytes = (size_t)roi.w * pixel;
        fuzz_require(!memcmp(whole + at, part + (size_t)y * bytes, bytes), "the crop differs");
    }
    free(whole);
    free(part);
    return 0;
}

#endif
