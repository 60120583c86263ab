/* SPDX-License-Identifier: Apache-2.0
 *
 * pixels.h: from what a decoder library gives to what was asked for: 1, 3 or 4 channels of 8 or 16
 * bits, by the rules of Pillow's Image.convert().
 */
#ifndef MR_CODEC_PIXELS_H
#define MR_CODEC_PIXELS_H

#include "base/image.h"

enum mr_pixel_kind {
    MR_PIXEL_GRAY = 1,
    MR_PIXEL_GRAY_ALPHA = 2,
    MR_PIXEL_RGB = 3,
    MR_PIXEL_RGBA = 4,
    MR_PIXEL_CMYK = 5, /* inverted: 255 = no ink, as Adobe writes it */
};

struct mr_pixels { /* a format; 16 bits in native order */
    enum mr_pixel_kind kind;
    int32_t bits; /* 8 or 16; CMYK: 8 */
};

/* Channels of a kind: CMYK has 4. */
int32_t mr__pixels_channels(enum mr_pixel_kind kind);

/* Converts n pixels of format `f` at src to c channels (1: L, 3: RGB, 4: RGBA) of `bits` bits at
 * dst; the two do not overlap. Gray from colour is ITU-R 601 in 16-bit fixed point; alpha is
 * dropped for c < 4 and opaque where there is none; 8 -> 16 bits is v * 257; 16 -> 8 keeps the
 * high byte. */
void mr__pixels_convert(const struct mr_pixels *f, const void *src, int32_t c, int32_t bits,
                        void *dst, int32_t n);

/* True when pixels of format `f` are already what is asked for. */
bool mr__pixels_same(const struct mr_pixels *f, int32_t c, int32_t bits);

#endif
