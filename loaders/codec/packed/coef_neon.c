/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding a segment with NEON.
 */
#include "loaders/codec/packed/coef_segment.h" /* what lies below may be for another CPU */

#if defined(__aarch64__)
#include "loaders/codec/packed/coef_parts.h"

#include <arm_neon.h>

#define VECTOR
#define LANES static inline __attribute__((always_inline))

LANES void copy32(uint8_t *to, const uint8_t *from)
{
    uint8x16_t a = vld1q_u8(from), b = vld1q_u8(from + 16);

    vst1q_u8(to, a);
    vst1q_u8(to + 16, b);
}

LANES uint64_t lowest(const uint8_t *from)
{
    uint64_t mask = 0;

    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(from[i] == 0x80) << i;
    return mask;
}

LANES uint64_t deposit(uint64_t bits, uint64_t map)
{
    uint64_t all = 0;

    for (; bits; bits >>= 1, map &= map - 1)
        all |= bits & 1 ? map & -map : 0;
    return all;
}

LANES void widen_halves(const uint8_t *from, size_t n, uint8_t *to)
{
    static const int8_t list[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8};
    const uint8x16_t value = vreinterpretq_u8_s8(vld1q_s8(list));

    for (size_t i = 0; i < n; i += 16) {
        uint8x16_t v = vld1q_u8(from + i);
        uint8x16_t low = vqtbl1q_u8(value, vandq_u8(v, vdupq_n_u8(15)));
        uint8x16_t high = vqtbl1q_u8(value, vshrq_n_u8(v, 4));
        vst1q_u8(to + 2 * i, vzip1q_u8(low, high));
        vst1q_u8(to + 2 * i + 16, vzip2q_u8(low, high));
    }
}

LANES void widen_signs(const uint8_t *from, size_t n, uint8_t *to)
{
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));

    for (size_t i = 0; i < n; i += 2) {
        uint8x16_t v = vcombine_u8(vdup_n_u8(from[i]), vdup_n_u8(from[i + 1]));
        vst1q_u8(to + 8 * i, vorrq_u8(vtstq_u8(v, bit), vdupq_n_u8(1)));
    }
}

enum { PUT = 1 };

/* Places 16 i to 16 i + 15 of a block, in zigzag order. */
LANES uint8x16_t spread(const struct collected *c, int i)
{
    uint32_t low = c->map >> 16 * i & 255, high = c->map >> (16 * i + 8) & 255;
    int before = i ? __builtin_popcountll(c->map << (64 - 16 * i)) : 0;
    uint8x16_t order = vcombine_u8(vdup_n_u8(0), vld1_u8(mr__coef_spread[high]));

    order = vaddq_u8(order, vld1q_u8(mr__coef_spread[low]));
    return vqtbl1q_u8(vld1q_u8(c->values + before), order);
}

LANES void put(const struct collected *c, uint64_t map, bool two, int16_t *to)
{
    uint8x16x4_t from;

    (void)two;
    for (int i = 0; i < 4; i++)
        from.val[i] = spread(c, i);
    for (int pair = 0; pair < (map >> (MR_LAST_CORNER + 1) ? 4 : 2); pair++) {
        uint8x16_t order = vld1q_u8(mr__coef_zigzag + 16 * pair);
        int8x16_t v = vreinterpretq_s8_u8(vqtbl4q_u8(from, order));
        vst1q_s16(to + 64 * pair, vmovl_s8(vget_low_s8(v)));
        vst1q_s16(to + 64 * pair + 32, vmovl_high_s8(v));
    }
}

#include "loaders/codec/packed/coef_lanes.h"

const struct mr_coef_version mr__coef_neon = {.level = MR_CPU_NEON, .decode = decode};
#endif
