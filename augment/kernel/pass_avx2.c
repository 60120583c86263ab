/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes for AVX2. Across, two rows ride in the two halves of a register, and neighbouring
 * pixels are paired channel by channel (r0 r1 g0 g1 b0 b1), so that one multiply-add does two
 * taps of all channels. Down, rows are paired.
 */
#if defined(__x86_64__)
#include "augment/kernel/avx2.h"

#include <cpuid.h>
#include <string.h>

/* 16 bytes of each of two rows. */
AVX2_INLINE __m256i load_two(const uint8_t *a, const uint8_t *b)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)a)),
                                   _mm_loadu_si128((const void *)b), 1);
}

/* Two coefficients for every pair. */
AVX2_INLINE __m256i load_pair(const int16_t *k)
{
    int32_t pair;

    memcpy(&pair, k, sizeof pair);
    return _mm256_set1_epi32(pair);
}

struct across {
    const struct mr_axis *axis;
    const uint8_t *const *src;
    __m256i pair01, pair23; /* shuffles: pixels 0 and 1, 2 and 3 of a load, as 16 bits */
    __m256i round;
    __m128i shift;
    int c;
};

/* The channels of one output pixel, 32 bits each, of rows 0 and 1, 2 and 3. */
struct four {
    __m256i r01, r23;
};

AVX2_INLINE __m256i add_taps(__m256i sum, __m256i pixels, __m256i pair, __m256i k)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, pair), k));
}

AVX2_INLINE struct four sum_pixel(const struct across *a, size_t at, const int16_t *k, int taps)
{
    struct four s = {a->round, a->round};
    int j = 0;

    for (; j + 4 <= taps; j += 4, at += 4 * (size_t)a->c) {
        __m256i p01 = load_two(a->src[0] + at, a->src[1] + at), k01 = load_pair(k + j);
        __m256i p23 = load_two(a->src[2] + at, a->src[3] + at), k23 = load_pair(k + j + 2);
        s.r01 = add_taps(add_taps(s.r01, p01, a->pair01, k01), p01, a->pair23, k23);
        s.r23 = add_taps(add_taps(s.r23, p23, a->pair01, k01), p23, a->pair23, k23);
    }
    if (j < taps) {
        __m256i k01 = load_pair(k + j);
        s.r01 = add_taps(s.r01, load_two(a->src[0] + at, a->src[1] + at), a->pair01, k01);
        s.r23 = add_taps(s.r23, load_two(a->src[2] + at, a->src[3] + at), a->pair01, k01);
    }
    return (struct four){_mm256_sra_epi32(s.r01, a->shift), _mm256_sra_epi32(s.r23, a->shift)};
}

/* Four pixels of two rows as bytes. */
AVX2_INLINE void write_two(__m256i p0, __m256i p1, __m256i p2, __m256i p3, __m256i squeeze,
                           uint8_t *a, uint8_t *b)
{
    __m256i px = _mm256_packus_epi16(_mm256_packs_epi32(p0, p1), _mm256_packs_epi32(p2, p3));

    px = _mm256_shuffle_epi8(px, squeeze);
    _mm_storeu_si128((void *)a, _mm256_castsi256_si128(px));
    _mm_storeu_si128((void *)b, _mm256_extracti128_si256(px, 1));
}

enum { GROUP = 4 };

/* Four pixels of four rows at a time; the last group writes into the slack. */
AVX2_INLINE void across_taps(const struct across *a, uint8_t *const out[MR_BAND], int taps)
{
    const __m256i squeeze = _mm256_broadcastsi128_si256(
        a->c == 4 ? _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
                  : _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const int32_t *start = a->axis->start;
    const int16_t *k = a->axis->k;
    size_t c = (size_t)a->c, n = (size_t)a->axis->n;

    for (size_t i = 0; i < n; i += GROUP, k += GROUP * taps) {
        struct four p[GROUP];
        for (int j = 0; j < GROUP; j++)
            p[j] = sum_pixel(a, (size_t)start[i + (size_t)j] * c, k + j * taps, taps);
        write_two(p[0].r01, p[1].r01, p[2].r01, p[3].r01, squeeze, out[0] + i * c, out[1] + i * c);
        write_two(p[0].r23, p[1].r23, p[2].r23, p[3].r23, squeeze, out[2] + i * c, out[3] + i * c);
    }
}

AVX2_INLINE void across_channels(const struct mr_axis *axis, int c,
                                 const uint8_t *const src[MR_BAND], uint8_t *const out[MR_BAND])
{
    __m128i p01 = c == 4 ? _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1)
                         : _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    __m128i p23 = _mm_add_epi8(
        p01, _mm_and_si128(_mm_cmpgt_epi8(p01, _mm_set1_epi8(-1)), _mm_set1_epi8((char)(2 * c))));
    const struct across a = {.axis = axis,
                             .src = src,
                             .c = c,
                             .pair01 = _mm256_broadcastsi128_si256(p01),
                             .pair23 = _mm256_broadcastsi128_si256(p23),
                             .round = _mm256_set1_epi32(1 << (axis->shift - 1)),
                             .shift = _mm_cvtsi32_si128(axis->shift)};

    if (axis->taps == 2)
        across_taps(&a, out, 2);
    else if (axis->taps == 4)
        across_taps(&a, out, 4);
    else if (axis->taps == 6)
        across_taps(&a, out, 6);
    else if (axis->taps == 8)
        across_taps(&a, out, 8);
    else
        across_taps(&a, out, axis->taps);
}

/* One channel: eight pixels of a row, 32 bits gathered for each (four taps). */
AVX2 static void across_gray(const struct mr_axis *axis, const uint8_t *src, uint8_t *out)
{
    const __m256i round = _mm256_set1_epi32(1 << (axis->shift - 1));
    const __m256i low = _mm256_set1_epi32(0xff), lanes = _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0);
    const __m256i rows = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                            _mm256_set1_epi32(axis->taps / 2));
    const __m128i shift = _mm_cvtsi32_si128(axis->shift);

    for (int32_t i = 0; i < axis->n; i += 8) {
        const int16_t *k = axis->k + (size_t)i * (size_t)axis->taps;
        __m256i at = _mm256_loadu_si256((const void *)(axis->start + i)), sum = round;
        for (int j = 0; j < axis->taps; j += 2) {
            __m256i p = _mm256_i32gather_epi32((const void *)(src + j), at, 1);
            __m256i pair = _mm256_or_si256(
                _mm256_and_si256(p, low),
                _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(p, 8), low), 16));
            __m256i c = _mm256_i32gather_epi32((const void *)(k + j), rows, 4);
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pair, c));
        }
        sum = _mm256_packs_epi32(_mm256_sra_epi32(sum, shift), sum);
        sum = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(sum, sum), lanes);
        _mm_storel_epi64((void *)(out + i), _mm256_castsi256_si128(sum));
    }
}

AVX2 static void across(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                        uint8_t *const out[MR_BAND])
{
    if (c == 3)
        across_channels(axis, 3, src, out);
    else if (c == 4)
        across_channels(axis, 4, src, out);
    else
        for (int row = 0; row < MR_BAND; row++)
            across_gray(axis, src[row], out[row]);
}

/* Adds two rows' 32 bytes, times their coefficients, to sums of bytes 0-7|16-23, 8-15|24-31. */
struct sums {
    __m256i a, b, c, d;
};

AVX2_INLINE void add_pair(struct sums *s, const uint8_t *row0, const uint8_t *row1, __m256i k)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i p = _mm256_loadu_si256((const void *)row0);
    __m256i q = _mm256_loadu_si256((const void *)row1);
    __m256i lo = _mm256_unpacklo_epi8(p, q), hi = _mm256_unpackhi_epi8(p, q);

    s->a = _mm256_add_epi32(s->a, _mm256_madd_epi16(_mm256_unpacklo_epi8(lo, zero), k));
    s->b = _mm256_add_epi32(s->b, _mm256_madd_epi16(_mm256_unpackhi_epi8(lo, zero), k));
    s->c = _mm256_add_epi32(s->c, _mm256_madd_epi16(_mm256_unpacklo_epi8(hi, zero), k));
    s->d = _mm256_add_epi32(s->d, _mm256_madd_epi16(_mm256_unpackhi_epi8(hi, zero), k));
}

AVX2_INLINE void down_taps(const uint8_t *const *rows, const int16_t *k, int taps, int shift, int n,
                           uint8_t *out)
{
    const __m256i round = _mm256_set1_epi32(1 << (shift - 1));
    const __m128i by = _mm_cvtsi32_si128(shift);

    for (int i = 0; i < n; i += 32) {
        struct sums s = {round, round, round, round};
        for (int j = 0; j < taps; j += 2)
            add_pair(&s, rows[j] + i, rows[j + 1] + i, load_pair(k + j));
        __m256i ab = _mm256_packs_epi32(_mm256_sra_epi32(s.a, by), _mm256_sra_epi32(s.b, by));
        __m256i cd = _mm256_packs_epi32(_mm256_sra_epi32(s.c, by), _mm256_sra_epi32(s.d, by));
        _mm256_storeu_si256((void *)(out + i), _mm256_packus_epi16(ab, cd));
    }
}

AVX2 static void down(const uint8_t *const *rows, const int16_t *k, int taps, int shift, int n,
                      uint8_t *out)
{
    if (taps == 2)
        down_taps(rows, k, 2, shift, n, out);
    else if (taps == 4)
        down_taps(rows, k, 4, shift, n, out);
    else
        down_taps(rows, k, taps, shift, n, out);
}

/* clang's __builtin_cpu_supports does not know f16c. */
static bool has_f16c(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

const struct mr_kernel mr__kernel_avx2 = {"avx2", usable, across, down, mr__put_avx2};
#endif
