/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsampling for AVX2: 32 samples at a time. A byte multiply-add does 3 * nearer + farther; outputs
 * of even and odd places are the two bytes of 16 bits. The first and the last sample, which have a
 * neighbour on one side only, are done by themselves: the last after the vectors, which wrote
 * something else there.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

#include <string.h>

enum { STEP = 32 };

/* Samples 0 to 7 and 16 to 23 as 16 bits: 3 * near + far; and the others. */
AVX2_INLINE __m256i sum_low(__m256i near, __m256i far)
{
    return _mm256_maddubs_epi16(_mm256_unpacklo_epi8(near, far), _mm256_set1_epi16(0x0103));
}

AVX2_INLINE __m256i sum_high(__m256i near, __m256i far)
{
    return _mm256_maddubs_epi16(_mm256_unpackhi_epi8(near, far), _mm256_set1_epi16(0x0103));
}

AVX2_INLINE __m256i rounded(__m256i sum, int bias, int bits)
{
    return _mm256_srli_epi16(_mm256_add_epi16(sum, _mm256_set1_epi16((short)bias)), bits);
}

/* Even and odd outputs, less than 256, side by side. */
AVX2_INLINE __m256i beside(__m256i even, __m256i odd)
{
    return _mm256_or_si256(even, _mm256_slli_epi16(odd, 8));
}

/* Outputs of samples 0 to 7 and 16 to 23, and of the others, in order. */
AVX2_INLINE void store_both(uint8_t *out, __m256i low, __m256i high)
{
    store32(out, _mm256_permute2x128_si256(low, high, 0x20));
    store32(out + STEP, _mm256_permute2x128_si256(low, high, 0x31));
}

AVX2 static void h2v1(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        __m256i left = load32(in + i - 1), here = load32(in + i), right = load32(in + i + 1);
        __m256i low =
            beside(rounded(sum_low(here, left), 1, 2), rounded(sum_low(here, right), 2, 2));
        __m256i high =
            beside(rounded(sum_high(here, left), 1, 2), rounded(sum_high(here, right), 2, 2));
        store_both(out + 2 * i, low, high);
    }
    mr__h2v1_ends(in, n, out);
}

/* 3 * here + there, rounded, of sums of two rows. */
AVX2_INLINE __m256i even_of(__m256i here3, __m256i left)
{
    return rounded(_mm256_add_epi16(here3, left), 8, 4);
}

AVX2_INLINE __m256i odd_of(__m256i here3, __m256i right)
{
    return rounded(_mm256_add_epi16(here3, right), 7, 4);
}

AVX2_INLINE __m256i thrice(__m256i v)
{
    return _mm256_add_epi16(v, _mm256_add_epi16(v, v));
}

AVX2 static void h2v2(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        __m256i n0 = load32(near + i - 1), n1 = load32(near + i), n2 = load32(near + i + 1);
        __m256i f0 = load32(far + i - 1), f1 = load32(far + i), f2 = load32(far + i + 1);
        __m256i low = thrice(sum_low(n1, f1)), high = thrice(sum_high(n1, f1));
        low = beside(even_of(low, sum_low(n0, f0)), odd_of(low, sum_low(n2, f2)));
        high = beside(even_of(high, sum_high(n0, f0)), odd_of(high, sum_high(n2, f2)));
        store_both(out + 2 * i, low, high);
    }
    mr__h2v2_ends(near, far, n, out);
}

AVX2 static void h1v2(const uint8_t *near, const uint8_t *far, size_t n, bool lower, uint8_t *out)
{
    int bias = lower ? 2 : 1;

    for (size_t i = 0; i < n; i += STEP) {
        __m256i a = load32(near + i), b = load32(far + i);
        store32(out + i, _mm256_packus_epi16(rounded(sum_low(a, b), bias, 2),
                                             rounded(sum_high(a, b), bias, 2)));
    }
}

AVX2 static void repeat(const uint8_t *in, size_t n, int times, uint8_t *out)
{
    if (times != 2) {
        mr__repeat_scalar(in, n, times, out);
        return;
    }
    for (size_t i = 0; i < n; i += STEP) {
        __m256i v = load32(in + i);
        store_both(out + 2 * i, _mm256_unpacklo_epi8(v, v), _mm256_unpackhi_epi8(v, v));
    }
}

const struct mr_pixel_kernels mr__pixels_avx2 = {
    .level = MR_CPU_AVX2,
    .idct = mr__idct_avx2,
    .h2v1 = h2v1,
    .h2v2 = h2v2,
    .h1v2 = h1v2,
    .repeat = repeat,
    .rgb = mr__rgb_avx2,
    .rgba = mr__rgba_avx2,
    .gray_rgb = mr__gray_rgb_avx2,
    .gray_rgba = mr__gray_rgba_avx2,
};
#endif
