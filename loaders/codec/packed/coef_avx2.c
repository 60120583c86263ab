/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding a segment with AVX2.
 */
#include "loaders/codec/packed/coef_segment.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/packed/coef_parts.h"

#include <immintrin.h>

#define VECTOR __attribute__((target(MR_TARGET_AVX2)))
#define LANES VECTOR static inline __attribute__((always_inline))

LANES void copy32(uint8_t *to, const uint8_t *from)
{
    _mm256_storeu_si256((void *)to, _mm256_loadu_si256((const void *)from));
}

LANES uint64_t lowest(const uint8_t *from)
{
    uint64_t mask = 0;

    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(from + i));
        v = _mm_cmpeq_epi8(v, _mm_set1_epi8(-128));
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(v) << i;
    }
    return mask;
}

LANES uint64_t deposit(uint64_t bits, uint64_t map)
{
    return _pdep_u64(bits, map);
}

LANES void widen_halves(const uint8_t *from, size_t n, uint8_t *to)
{
    const __m256i value = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8));

    for (size_t i = 0; i < n; i += 16) {
        __m256i v = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(from + i)));
        v = _mm256_or_si256(v, _mm256_slli_epi16(v, 4));
        v = _mm256_shuffle_epi8(value, _mm256_and_si256(v, _mm256_set1_epi8(15)));
        _mm256_storeu_si256((void *)(to + 2 * i), v);
    }
}

LANES void widen_signs(const uint8_t *from, size_t n, uint8_t *to)
{
    const __m256i byte = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                          2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);

    for (size_t i = 0; i < n; i += 4) {
        int32_t four;
        memcpy(&four, from + i, sizeof four);
        __m256i v = _mm256_shuffle_epi8(_mm256_set1_epi32(four), byte);
        v = _mm256_cmpeq_epi8(_mm256_and_si256(v, bit), bit);
        _mm256_storeu_si256((void *)(to + 8 * i), _mm256_or_si256(v, _mm256_set1_epi8(1)));
    }
}

enum { PUT = 2 };

/* Places 16 i to 16 i + 15 of a block, in zigzag order. */
LANES __m128i spread(const struct collected *c, int i)
{
    uint32_t low = c->map >> 16 * i & 255, high = c->map >> (16 * i + 8) & 255;
    int before = i ? __builtin_popcountll(c->map << (64 - 16 * i)) : 0;
    __m128i order = _mm_loadl_epi64((const void *)mr__coef_spread[high]);

    order =
        _mm_add_epi8(_mm_slli_si128(order, 8), _mm_load_si128((const void *)mr__coef_spread[low]));
    return _mm_shuffle_epi8(_mm_loadu_si128((const void *)(c->values + before)), order);
}

LANES __m256i spread_two(const struct collected *c, bool two, int i)
{
    __m256i v = _mm256_castsi128_si256(spread(c, i));

    return two ? _mm256_inserti128_si256(v, spread(c + 1, i), 1) : v;
}

LANES __m256i order_of(int pair, int i)
{
    return _mm256_broadcastsi128_si256(
        _mm_load_si128((const void *)(mr__coef_order[pair / 2][i] + pair % 2 * 16)));
}

LANES void store(int16_t *to, __m256i row, bool two)
{
    if (two)
        _mm256_storeu_si256((void *)to, row);
    else
        _mm_storeu_si128((void *)to, _mm256_castsi256_si128(row));
}

/* Two rows of both blocks: natural positions 16 * pair and on. */
LANES void store_rows(int16_t *to, int pair, __m256i v, bool two)
{
    store(to + 64 * pair, _mm256_srai_epi16(_mm256_unpacklo_epi8(v, v), 8), two);
    store(to + 64 * pair + 32, _mm256_srai_epi16(_mm256_unpackhi_epi8(v, v), 8), two);
}

/* A lane has a block. */
LANES void put(const struct collected *c, uint64_t map, bool two, int16_t *to)
{
    __m256i from[4];

    from[0] = spread_two(c, two, 0);
    if (map >> (MR_LAST_CORNER + 1) == 0) {
        for (int pair = 0; pair < 2; pair++)
            store_rows(to, pair, _mm256_shuffle_epi8(from[0], order_of(pair, 0)), two);
        return;
    }
    for (int i = 1; i < 4; i++)
        from[i] = spread_two(c, two, i);
    for (int pair = 0; pair < 4; pair++) {
        __m256i v = _mm256_shuffle_epi8(from[1], order_of(pair, 1));
        v = _mm256_or_si256(v, _mm256_shuffle_epi8(from[2], order_of(pair, 2)));
        if (pair < 3)
            v = _mm256_or_si256(v, _mm256_shuffle_epi8(from[0], order_of(pair, 0)));
        if (pair > 0)
            v = _mm256_or_si256(v, _mm256_shuffle_epi8(from[3], order_of(pair, 3)));
        store_rows(to, pair, v, two);
    }
}

#include "loaders/codec/packed/coef_lanes.h"

const struct mr_coef_version mr__coef_avx2 = {.level = MR_CPU_AVX2, .decode = decode};
#endif
