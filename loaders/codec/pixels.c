/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/pixels.h"

#include <string.h>

int32_t mr__pixels_channels(enum mr_pixel_kind kind)
{
    return kind == MR_PIXEL_CMYK ? 4 : (int32_t)kind;
}

bool mr__pixels_same(const struct mr_pixels *f, int32_t c, int32_t bits)
{
    return (int32_t)f->kind == c && f->bits == bits;
}

struct rgba {
    uint32_t r, g, b, a;
};

static uint32_t multiply_255(uint32_t a, uint32_t b)
{
    uint32_t t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

/* One pixel at its own depth; `top` is the value of full alpha there. */
static inline struct rgba load(enum mr_pixel_kind kind, const uint32_t v[4], uint32_t top)
{
    switch (kind) {
    case MR_PIXEL_GRAY: return (struct rgba){v[0], v[0], v[0], top};
    case MR_PIXEL_GRAY_ALPHA: return (struct rgba){v[0], v[0], v[0], v[1]};
    case MR_PIXEL_RGB: return (struct rgba){v[0], v[1], v[2], top};
    case MR_PIXEL_RGBA: return (struct rgba){v[0], v[1], v[2], v[3]};
    case MR_PIXEL_CMYK: break;
    }
    uint32_t k = v[3]; /* inverted, so this is the light that black lets through */
    return (struct rgba){k - multiply_255(255 - v[0], k), k - multiply_255(255 - v[1], k),
                         k - multiply_255(255 - v[2], k), top};
}

/* The weights add up to 65536, so even 16-bit values stay below 2^32. */
static inline uint32_t luma(const struct rgba *p)
{
    return (19595 * p->r + 38470 * p->g + 7471 * p->b + 0x8000) >> 16;
}

static inline void fetch(const void *src, int32_t bits, int32_t at, int32_t channels, uint32_t v[4])
{
    for (int32_t i = 0; i < channels; i++)
        v[i] = bits == 8 ? ((const uint8_t *)src)[at + i] : ((const uint16_t *)src)[at + i];
}

static inline void store(void *dst, int32_t bits, int32_t at, uint32_t value, int32_t from_bits)
{
    if (bits == 8)
        ((uint8_t *)dst)[at] = (uint8_t)(from_bits == 8 ? value : value >> 8);
    else
        ((uint16_t *)dst)[at] = (uint16_t)(from_bits == 16 ? value : value * 257);
}

/* Inlined with constants by the callers below, so that the compiler folds every branch away. */
static inline __attribute__((always_inline)) void
convert(enum mr_pixel_kind kind, int32_t from_bits, const void *src, int32_t c, int32_t bits,
        void *dst, int32_t n)
{
    int32_t channels = kind == MR_PIXEL_CMYK ? 4 : (int32_t)kind;
    bool gray = kind == MR_PIXEL_GRAY || kind == MR_PIXEL_GRAY_ALPHA;
    for (int32_t i = 0; i < n; i++) {
        uint32_t v[4] = {0};
        fetch(src, from_bits, i * channels, channels, v);
        struct rgba p = load(kind, v, from_bits == 8 ? 255 : 65535);
        if (c == 1) {
            store(dst, bits, i, gray ? p.r : luma(&p), from_bits);
            continue;
        }
        store(dst, bits, i * c, p.r, from_bits);
        store(dst, bits, i * c + 1, p.g, from_bits);
        store(dst, bits, i * c + 2, p.b, from_bits);
        if (c == 4)
            store(dst, bits, i * c + 3, p.a, from_bits);
    }
}

typedef void convert_fn(int32_t from_bits, const void *src, int32_t c, int32_t bits, void *dst,
                        int32_t n);

#define CONVERT_FROM(name, kind)                                                                   \
    static void name(int32_t from_bits, const void *src, int32_t c, int32_t bits, void *dst,       \
                     int32_t n)                                                                    \
    {                                                                                              \
        if (from_bits == 8 && bits == 8 && c == 1)                                                 \
            convert(kind, 8, src, 1, 8, dst, n);                                                   \
        else if (from_bits == 8 && bits == 8 && c == 3)                                            \
            convert(kind, 8, src, 3, 8, dst, n);                                                   \
        else                                                                                       \
            convert(kind, from_bits, src, c, bits, dst, n);                                        \
    }
CONVERT_FROM(from_gray, MR_PIXEL_GRAY)
CONVERT_FROM(from_gray_alpha, MR_PIXEL_GRAY_ALPHA)
CONVERT_FROM(from_rgb, MR_PIXEL_RGB)
CONVERT_FROM(from_rgba, MR_PIXEL_RGBA)
CONVERT_FROM(from_cmyk, MR_PIXEL_CMYK)

void mr__pixels_convert(const struct mr_pixels *f, const void *src, int32_t c, int32_t bits,
                        void *dst, int32_t n)
{
    static convert_fn *const from[] = {
        [MR_PIXEL_GRAY] = from_gray, [MR_PIXEL_GRAY_ALPHA] = from_gray_alpha,
        [MR_PIXEL_RGB] = from_rgb,   [MR_PIXEL_RGBA] = from_rgba,
        [MR_PIXEL_CMYK] = from_cmyk,
    };
    if (mr__pixels_same(f, c, bits))
        memcpy(dst, src, (size_t)n * (size_t)c * (size_t)(bits / 8));
    else
        from[f->kind](f->bits, src, c, bits, dst, n);
}
