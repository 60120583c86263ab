/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes for NEON, which multiplies 32 bits: weights are taken as they are. Across, the
 * channels of a pixel are the lanes; down, sixteen columns are. The narrowing shift rounds and
 * saturates in one. Proved under an emulator (tests/kernel/neon_check.sh), not yet timed on a real
 * CPU.
 */
#include "augment/kernel/passes.h"

#if defined(__aarch64__)
#include "augment/kernel/neon.h"
#include "augment/kernel/turn.h"

/* A sum's 32 bits to 16, rounded; below 0 is 0. Two shifts, since one narrows by 16 at most: the
 * first one cuts, which the rounding of the second does not see: floor(floor(s / 2^6 + 2^15) /
 * 2^16) is floor((s + 2^21) / 2^22). */
NEON_INLINE uint16x4_t rounded(int32x4_t sum)
{
    return vqrshrun_n_s32(vshrq_n_s32(sum, MR_COEF_BITS - 16), 16);
}

/* Channels of a pixel in 32 bits each; reads eight bytes. */
NEON_INLINE int32x4_t pixel(const uint8_t *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vld1_u8(p)))));
}

NEON_INLINE int32x4_t sum_pixel(const uint8_t *p, const int32_t *k, int32_t used, int c)
{
    int32x4_t sum = vdupq_n_s32(0);

    for (int32_t j = 0; j < used; j++, p += c)
        sum = vmlaq_n_s32(sum, pixel(p), k[j]);
    return sum;
}

/* A pixel is written as four bytes; the next one writes over the fourth, the last into the slack.
 */
NEON_INLINE void across_channels(const struct mr_axis *axis, int c, const uint8_t *src,
                                 uint8_t *out)
{
    for (int32_t i = 0; i < axis->n; i++, out += c) {
        const uint8_t *p = src + (size_t)axis->start[i] * (size_t)c;
        const int32_t *k = axis->k + (size_t)i * (size_t)axis->taps;
        uint16x4_t v = rounded(sum_pixel(p, k, axis->used[i], c));
        uint32x2_t four = vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(v, v)));
        vst1_lane_u32((void *)out, four, 0);
    }
}

/* One channel: four inputs of an output at a time are the lanes. */
static void across_gray(const struct mr_axis *axis, const uint8_t *src, uint8_t *out)
{
    for (int32_t i = 0; i < axis->n; i++) {
        const uint8_t *p = src + axis->start[i];
        const int32_t *k = axis->k + (size_t)i * (size_t)axis->taps;
        int32_t used = axis->used[i], j = 0;
        int32x4_t sums = vdupq_n_s32(0);
        for (; j + 4 <= used; j += 4)
            sums = vmlaq_s32(sums, pixel(p + j), vld1q_s32(k + j));
        uint32_t sum = (uint32_t)vaddvq_s32(sums);
        for (; j < used; j++)
            sum += (uint32_t)k[j] * p[j];
        uint16x4_t v = rounded(vdupq_n_s32((int32_t)sum));
        out[i] = vget_lane_u8(vqmovn_u16(vcombine_u16(v, v)), 0);
    }
}

static void across_row(const struct mr_axis *axis, int c, const uint8_t *src, uint8_t *out)
{
    if (c == 3)
        across_channels(axis, 3, src, out);
    else if (c == 4)
        across_channels(axis, 4, src, out);
    else
        across_gray(axis, src, out);
}

static void across(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                   uint8_t *const out[MR_BAND])
{
    for (int row = 0; row < MR_BAND; row++) {
        if (row == 0 || out[row] != out[row - 1])
            across_row(axis, c, src[row], out[row]);
    }
}

NEON_INLINE uint8x8_t narrow(int32x4_t a, int32x4_t b)
{
    return vqmovn_u16(vcombine_u16(rounded(a), rounded(b)));
}

static void down(const struct mr_axis *axis, int32_t y, const uint8_t *const *rows, int n,
                 uint8_t *out)
{
    const int32_t *k = axis->k + (size_t)y * (size_t)axis->taps;

    for (int at = 0; at < n; at += 16) {
        int32x4_t s[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
        for (int32_t j = 0; j < axis->used[y]; j++) {
            uint8x16_t p = vld1q_u8(rows[j] + at);
            uint16x8_t low = vmovl_u8(vget_low_u8(p)), high = vmovl_high_u8(p);
            s[0] = vmlaq_n_s32(s[0], vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), k[j]);
            s[1] = vmlaq_n_s32(s[1], vreinterpretq_s32_u32(vmovl_high_u16(low)), k[j]);
            s[2] = vmlaq_n_s32(s[2], vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))), k[j]);
            s[3] = vmlaq_n_s32(s[3], vreinterpretq_s32_u32(vmovl_high_u16(high)), k[j]);
        }
        vst1q_u8(out + at, vcombine_u8(narrow(s[0], s[1]), narrow(s[2], s[3])));
    }
}

static void turn(int c, size_t n, const uint8_t *src, uint8_t *out)
{
    enum { VECTOR = 16 };
    static const uint8_t places[][VECTOR] = MR_TURN_PLACES_16;
    const uint8x16_t turned = vld1q_u8(places[c - 1]);
    size_t left = n * (size_t)c, step = (size_t)(VECTOR / c * c);

    for (; left >= VECTOR; left -= step, out += step)
        vst1q_u8(out, vqtbl1q_u8(vld1q_u8(src + left - VECTOR), turned));
    mr__turn_plain(c, left / (size_t)c, src, out);
}

const struct mr_kernel mr__kernel_neon = {
    .name = "neon",
    .level = MR_CPU_NEON,
    .across = across,
    .down = down,
    .turn = turn,
    .put = mr__put_neon,
};
#endif
