/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse DCT for NEON: a register is a row of one block, halves of it have 32 bits on the way.
 * idct_scalar.c says what each step does to numbers that no picture has.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__aarch64__)
#include "loaders/codec/baseline/idct_factors.h"
#include "loaders/codec/baseline/pixel_neon.h"

/* a * ka + b * kb. */
static inline int32x4_t two(int16x4_t a, int16_t ka, int16x4_t b, int16_t kb)
{
    return vmlal_n_s16(vmull_n_s16(a, ka), b, kb);
}

static inline int16x4_t descaled(int32x4_t sum, int bits)
{
    int32x4_t rounded = vaddq_s32(sum, vdupq_n_s32(1 << (bits - 1)));

    return vqmovn_s32(vshlq_s32(rounded, vdupq_n_s32(-bits)));
}

static inline void butterfly(const int32x4_t even[4], const int32x4_t odd[4], int bits,
                             int16x4_t out[8])
{
    for (int i = 0; i < 4; i++) {
        out[i] = descaled(vaddq_s32(even[i], odd[i]), bits);
        out[7 - i] = descaled(vsubq_s32(even[i], odd[i]), bits);
    }
}

static inline void half_pass(const int16x4_t i[8], int bits, int16x4_t out[8])
{
    int16x4_t z3 = vadd_s16(i[7], i[3]), z4 = vadd_s16(i[5], i[1]);
    int32x4_t sum = vshll_n_s16(vadd_s16(i[0], i[4]), 13);
    int32x4_t difference = vshll_n_s16(vsub_s16(i[0], i[4]), 13);
    int32x4_t e3 = two(i[2], F_0_541 + F_0_765, i[6], F_0_541);
    int32x4_t e2 = two(i[2], F_0_541, i[6], F_0_541 - F_1_847);
    int32x4_t o3 = two(z3, F_1_175 - F_1_961, z4, F_1_175);
    int32x4_t o4 = two(z3, F_1_175, z4, F_1_175 - F_0_390);
    const int32x4_t even[4] = {vaddq_s32(sum, e3), vaddq_s32(difference, e2),
                               vsubq_s32(difference, e2), vsubq_s32(sum, e3)};
    const int32x4_t odd[4] = {
        vaddq_s32(o4, two(i[7], -F_0_899, i[1], F_1_501 - F_0_899)),
        vaddq_s32(o3, two(i[5], -F_2_562, i[3], F_3_072 - F_2_562)),
        vaddq_s32(o4, two(i[5], F_2_053 - F_2_562, i[3], -F_2_562)),
        vaddq_s32(o3, two(i[7], F_0_298 - F_0_899, i[1], -F_0_899)),
    };

    butterfly(even, odd, bits, out);
}

static inline void full_pass(int16x8_t v[8], int bits)
{
    int16x4_t low[8], high[8], made_low[8], made_high[8];

    for (int i = 0; i < 8; i++) {
        low[i] = vget_low_s16(v[i]);
        high[i] = vget_high_s16(v[i]);
    }
    half_pass(low, bits, made_low);
    half_pass(high, bits, made_high);
    for (int i = 0; i < 8; i++)
        v[i] = vcombine_s16(made_low[i], made_high[i]);
}

/* The same where 4 to 7 are zero. */
static inline void half_corner(const int16x4_t i[4], int bits, int16x4_t out[8])
{
    int32x4_t sum = vshll_n_s16(i[0], 13);
    int32x4_t e3 = vmull_n_s16(i[2], F_0_541 + F_0_765), e2 = vmull_n_s16(i[2], F_0_541);
    const int32x4_t even[4] = {vaddq_s32(sum, e3), vaddq_s32(sum, e2), vsubq_s32(sum, e2),
                               vsubq_s32(sum, e3)};
    const int32x4_t odd[4] = {
        two(i[3], F_1_175, i[1], F_1_501 - F_0_899 + F_1_175 - F_0_390),
        two(i[3], F_3_072 - F_2_562 + F_1_175 - F_1_961, i[1], F_1_175),
        two(i[3], F_1_175 - F_2_562, i[1], F_1_175 - F_0_390),
        two(i[3], F_1_175 - F_1_961, i[1], F_1_175 - F_0_899),
    };

    butterfly(even, odd, bits, out);
}

static inline void transpose(int16x8_t v[8])
{
    int16x8_t a[8];
    int32x4_t b[8];

    for (int i = 0; i < 8; i += 2) {
        a[i] = vtrn1q_s16(v[i], v[i + 1]);
        a[i + 1] = vtrn2q_s16(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = i; j < i + 2; j++) {
            int32x4_t p = vreinterpretq_s32_s16(a[j]), q = vreinterpretq_s32_s16(a[j + 2]);
            b[j] = vtrn1q_s32(p, q);
            b[j + 2] = vtrn2q_s32(p, q);
        }
    }
    for (int i = 0; i < 4; i++) {
        int64x2_t p = vreinterpretq_s64_s32(b[i]), q = vreinterpretq_s64_s32(b[i + 4]);
        v[i] = vreinterpretq_s16_s64(vtrn1q_s64(p, q));
        v[i + 4] = vreinterpretq_s16_s64(vtrn2q_s64(p, q));
    }
}

/* Only rows and columns 0 to 3 hold anything: four columns for the first pass. */
static inline void corner(int16x8_t v[8])
{
    const int16x4_t zero = vdup_n_s16(0);
    int16x4_t in[4], low[8], high[8];

    for (int i = 0; i < 4; i++)
        in[i] = vget_low_s16(v[i]);
    half_corner(in, BETWEEN, low);
    for (int i = 0; i < 8; i++)
        v[i] = vcombine_s16(low[i], zero);
    transpose(v);
    for (int i = 0; i < 4; i++)
        in[i] = vget_low_s16(v[i]);
    half_corner(in, OUTPUT, low);
    for (int i = 0; i < 4; i++)
        in[i] = vget_high_s16(v[i]);
    half_corner(in, OUTPUT, high);
    for (int i = 0; i < 8; i++)
        v[i] = vcombine_s16(low[i], high[i]);
}

static inline int16x8_t row(const struct mr_tile *tile, const uint16_t quant[64], int r, int b)
{
    return vmulq_s16(vld1q_s16(tile->v[r][b]), vreinterpretq_s16_u16(vld1q_u16(quant + 8 * r)));
}

static inline void block(const struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                         ptrdiff_t stride, int last, int b)
{
    int16x8_t v[8];

    for (int r = 0; r < 8; r++)
        v[r] = row(tile, quant, r, b);
    if (last <= MR_LAST_CORNER) {
        corner(v);
    } else {
        full_pass(v, BETWEEN);
        transpose(v);
        full_pass(v, OUTPUT);
    }
    transpose(v);
    for (int r = 0; r < 8; r++) {
        uint8x8_t s = vreinterpret_u8_s8(vqmovn_s16(v[r]));
        vst1_u8(out + r * stride, veor_u8(s, vdup_n_u8(0x80)));
    }
}

/* Four times some number of row 0 does not fit in 16 bits: blocks with nothing but row 0 are
 * different then, and such tiles are nobody's pictures. */
static bool is_wild(const struct mr_tile *tile, const uint16_t quant[64])
{
    uint16x8_t any = vdupq_n_u16(0);

    for (int b = 0; b < 4; b++) {
        int16x8_t v = vaddq_s16(row(tile, quant, 0, b), vdupq_n_s16(0x2000));
        any = vorrq_u16(any, vreinterpretq_u16_s16(v));
    }
    return vmaxvq_u16(vandq_u16(any, vdupq_n_u16(0xc000))) != 0;
}

void mr__idct_neon(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                   int last)
{
    if (last == 0) {
        mr__idct_dc(tile, quant, out, stride);
        return;
    }
    if (is_wild(tile, quant)) {
        mr__idct_scalar(tile, quant, out, stride, last);
        return;
    }
    for (int b = 0; b < 4; b++)
        block(tile, quant, out + 8 * b, stride, last, b);
    memset(tile, 0, sizeof *tile);
}
#endif
