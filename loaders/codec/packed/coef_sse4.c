/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding a segment with registers of 128 bits.
 */
#include "loaders/codec/packed/coef_segment.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/packed/coef_parts.h"

#include <immintrin.h>

#define VECTOR __attribute__((target(MR_TARGET_SSE4)))
#define LANES VECTOR static inline __attribute__((always_inline))

LANES __m128i load(const void *from)
{
    return _mm_loadu_si128(from);
}

LANES void copy32(uint8_t *to, const uint8_t *from)
{
    __m128i a = load(from), b = load(from + 16);

    _mm_storeu_si128((void *)to, a);
    _mm_storeu_si128((void *)(to + 16), b);
}

LANES uint64_t lowest(const uint8_t *from)
{
    uint64_t mask = 0;

    for (int i = 0; i < 64; i += 16) {
        __m128i v = load(from + i);
        v = _mm_cmpeq_epi8(v, _mm_set1_epi8(-128));
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(v) << i;
    }
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
    const __m128i value = _mm_setr_epi8(-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8);
    const __m128i half = _mm_set1_epi8(15);

    for (size_t i = 0; i < n; i += 16) {
        __m128i v = load(from + i), high = _mm_and_si128(_mm_srli_epi16(v, 4), half);
        v = _mm_shuffle_epi8(value, _mm_and_si128(v, half));
        high = _mm_shuffle_epi8(value, high);
        _mm_storeu_si128((void *)(to + 2 * i), _mm_unpacklo_epi8(v, high));
        _mm_storeu_si128((void *)(to + 2 * i + 16), _mm_unpackhi_epi8(v, high));
    }
}

LANES void widen_signs(const uint8_t *from, size_t n, uint8_t *to)
{
    const __m128i byte = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const __m128i bit = _mm_set1_epi64x((long long)0x8040201008040201);

    for (size_t i = 0; i < n; i += 2) {
        __m128i v = _mm_shuffle_epi8(_mm_cvtsi32_si128(from[i] | from[i + 1] << 8), byte);
        v = _mm_cmpeq_epi8(_mm_and_si128(v, bit), bit);
        _mm_storeu_si128((void *)(to + 8 * i), _mm_or_si128(v, _mm_set1_epi8(1)));
    }
}

enum { PUT = 1 };

/* Places 16 i to 16 i + 15 of a block, in zigzag order. */
LANES __m128i spread(const struct collected *c, int i)
{
    uint32_t low = c->map >> 16 * i & 255, high = c->map >> (16 * i + 8) & 255;
    int before = i ? __builtin_popcountll(c->map << (64 - 16 * i)) : 0;
    __m128i order = _mm_loadl_epi64((const void *)mr__coef_spread[high]);

    order = _mm_add_epi8(_mm_slli_si128(order, 8), load(mr__coef_spread[low]));
    return _mm_shuffle_epi8(load(c->values + before), order);
}

/* Two rows of a block: natural positions 16 * pair and on, from places up to 16 n. */
LANES void two_rows(const __m128i *from, int n, int pair, int16_t *to)
{
    __m128i v = _mm_shuffle_epi8(from[0], load(mr__coef_order[pair / 2][0] + pair % 2 * 16));

    for (int i = 1; i < n; i++)
        v = _mm_or_si128(
            v, _mm_shuffle_epi8(from[i], load(mr__coef_order[pair / 2][i] + pair % 2 * 16)));
    _mm_store_si128((void *)(to + 64 * pair), _mm_cvtepi8_epi16(v));
    _mm_store_si128((void *)(to + 64 * pair + 32), _mm_srai_epi16(_mm_unpackhi_epi8(v, v), 8));
}

LANES void put(const struct collected *c, uint64_t map, bool two, int16_t *to)
{
    __m128i from[4];

    (void)two;
    from[0] = spread(c, 0);
    if (map >> (MR_LAST_CORNER + 1) == 0) {
        two_rows(from, 1, 0, to);
        two_rows(from, 1, 1, to);
        return;
    }
    for (int i = 1; i < 4; i++)
        from[i] = spread(c, i);
    for (int pair = 0; pair < 4; pair++)
        two_rows(from, 4, pair, to);
}

#include "loaders/codec/packed/coef_lanes.h"

const struct mr_coef_version mr__coef_sse4 = {.level = MR_CPU_SSE4, .decode = decode};
#endif
