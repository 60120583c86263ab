/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsampling and colour for NEON: 16 samples at a time. Stores that interleave do what takes
 * shuffles elsewhere.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__aarch64__)
#include "loaders/codec/baseline/pixel_neon.h"

enum { STEP = 16 };

/* 3 * near + far, 16 bits. */
static inline uint16x8_t sum_low(uint8x16_t near, uint8x16_t far)
{
    return vmlal_u8(vmovl_u8(vget_low_u8(far)), vget_low_u8(near), vdup_n_u8(3));
}

static inline uint16x8_t sum_high(uint8x16_t near, uint8x16_t far)
{
    return vmlal_u8(vmovl_u8(vget_high_u8(far)), vget_high_u8(near), vdup_n_u8(3));
}

static inline uint8x16_t quarter(uint16x8_t low, uint16x8_t high, uint16_t bias)
{
    uint16x8_t b = vdupq_n_u16(bias);

    return vcombine_u8(vshrn_n_u16(vaddq_u16(low, b), 2), vshrn_n_u16(vaddq_u16(high, b), 2));
}

static void h2v1(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        uint8x16_t l = vld1q_u8(in + i - 1), here = vld1q_u8(in + i), r = vld1q_u8(in + i + 1);
        uint8x16x2_t both = {{quarter(sum_low(here, l), sum_high(here, l), 1),
                              quarter(sum_low(here, r), sum_high(here, r), 2)}};
        vst2q_u8(out + 2 * i, both);
    }
    mr__h2v1_ends(in, n, out);
}

static inline uint8x8_t sixteenth(uint16x8_t here, uint16x8_t there, uint16_t bias)
{
    return vshrn_n_u16(vaddq_u16(vmlaq_n_u16(there, here, 3), vdupq_n_u16(bias)), 4);
}

static void h2v2(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        uint8x16_t n0 = vld1q_u8(near + i - 1), n1 = vld1q_u8(near + i),
                   n2 = vld1q_u8(near + i + 1);
        uint8x16_t f0 = vld1q_u8(far + i - 1), f1 = vld1q_u8(far + i), f2 = vld1q_u8(far + i + 1);
        uint16x8_t low = sum_low(n1, f1), high = sum_high(n1, f1);
        uint8x16x2_t both = {
            {vcombine_u8(sixteenth(low, sum_low(n0, f0), 8), sixteenth(high, sum_high(n0, f0), 8)),
             vcombine_u8(sixteenth(low, sum_low(n2, f2), 7),
                         sixteenth(high, sum_high(n2, f2), 7))}};
        vst2q_u8(out + 2 * i, both);
    }
    mr__h2v2_ends(near, far, n, out);
}

static void h1v2(const uint8_t *near, const uint8_t *far, size_t n, bool lower, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16_t a = vld1q_u8(near + i), b = vld1q_u8(far + i);
        vst1q_u8(out + i, quarter(sum_low(a, b), sum_high(a, b), lower ? 2 : 1));
    }
}

static void repeat(const uint8_t *in, size_t n, int times, uint8_t *out)
{
    if (times != 2) {
        mr__repeat_scalar(in, n, times, out);
        return;
    }
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16_t v = vld1q_u8(in + i);
        vst2q_u8(out + 2 * i, (uint8x16x2_t){{v, v}});
    }
}

/* 2 * (v - 128). */
static inline int16x8_t twice_centred(uint8x8_t v)
{
    return vshlq_n_s16(vreinterpretq_s16_u16(vsubl_u8(v, vdup_n_u8(128))), 1);
}

static inline int16x8_t scaled(int16x8_t twice, int16_t factor)
{
    return vqrdmulhq_n_s16(twice, factor);
}

static inline int16x4_t green_half(int16x4_t cb2, int16x4_t cr2)
{
    return vrshrn_n_s32(vmlal_n_s16(vmull_n_s16(cb2, -MR_CB_GREEN), cr2, -MR_CR_GREEN), 16);
}

static inline uint8x8x3_t eight(uint8x8_t y, uint8x8_t cb, uint8x8_t cr)
{
    int16x8_t l = vreinterpretq_s16_u16(vmovl_u8(y));
    int16x8_t b2 = twice_centred(cb), r2 = twice_centred(cr);
    int16x8_t g = vcombine_s16(green_half(vget_low_s16(b2), vget_low_s16(r2)),
                               green_half(vget_high_s16(b2), vget_high_s16(r2)));

    return (uint8x8x3_t){{vqmovun_s16(vaddq_s16(l, scaled(r2, MR_CR_RED))),
                          vqmovun_s16(vaddq_s16(l, g)),
                          vqmovun_s16(vaddq_s16(l, scaled(b2, MR_CB_BLUE)))}};
}

static inline uint8x16x3_t sixteen(const uint8_t *y, const uint8_t *cb, const uint8_t *cr)
{
    uint8x8x3_t a = eight(vld1_u8(y), vld1_u8(cb), vld1_u8(cr));
    uint8x8x3_t b = eight(vld1_u8(y + 8), vld1_u8(cb + 8), vld1_u8(cr + 8));

    return (uint8x16x3_t){{vcombine_u8(a.val[0], b.val[0]), vcombine_u8(a.val[1], b.val[1]),
                           vcombine_u8(a.val[2], b.val[2])}};
}

static void rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP)
        vst3q_u8(out + 3 * i, sixteen(y + i, cb + i, cr + i));
}

static void rgba(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16x3_t p = sixteen(y + i, cb + i, cr + i);
        vst4q_u8(out + 4 * i, (uint8x16x4_t){{p.val[0], p.val[1], p.val[2], vdupq_n_u8(255)}});
    }
}

static void gray_rgb(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16_t v = vld1q_u8(y + i);
        vst3q_u8(out + 3 * i, (uint8x16x3_t){{v, v, v}});
    }
}

static void gray_rgba(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        uint8x16_t v = vld1q_u8(y + i);
        vst4q_u8(out + 4 * i, (uint8x16x4_t){{v, v, v, vdupq_n_u8(255)}});
    }
}

const struct mr_pixel_kernels mr__pixels_neon = {
    .level = MR_CPU_NEON,
    .idct = mr__idct_neon,
    .h2v1 = h2v1,
    .h2v2 = h2v2,
    .h1v2 = h1v2,
    .repeat = repeat,
    .rgb = rgb,
    .rgba = rgba,
    .gray_rgb = gray_rgb,
    .gray_rgba = gray_rgba,
};
#endif
