/* SPDX-License-Identifier: Apache-2.0
 *
 * Upsampling for AVX-512: 64 samples at a time, as upsample_avx2.c does 32. There is no room behind
 * a row for all that 64 samples may make, so the second half is stored only where it is needed.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

enum { STEP = 64 };

AVX512_INLINE __m512i load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

/* Samples 0 to 7 of each lane as 16 bits: 3 * near + far; and the others. */
AVX512_INLINE __m512i sum_low(__m512i near, __m512i far)
{
    return _mm512_maddubs_epi16(_mm512_unpacklo_epi8(near, far), _mm512_set1_epi16(0x0103));
}

AVX512_INLINE __m512i sum_high(__m512i near, __m512i far)
{
    return _mm512_maddubs_epi16(_mm512_unpackhi_epi8(near, far), _mm512_set1_epi16(0x0103));
}

AVX512_INLINE __m512i plus(__m512i sum, int bias)
{
    return _mm512_add_epi16(sum, _mm512_set1_epi16((short)bias));
}

/* Sums to bytes, side by side: `bits` are dropped. */
AVX512_INLINE __m512i beside(__m512i even, __m512i odd, unsigned bits)
{
    const __m512i upper = _mm512_set1_epi16((short)0xff00);
    enum { A_OR_B_AND_C = 0xf8 };

    return _mm512_ternarylogic_epi32(_mm512_srli_epi16(even, bits),
                                     _mm512_slli_epi16(odd, 8 - bits), upper, A_OR_B_AND_C);
}

/* The first `left` samples' outputs or more, from the halves of the lanes. */
AVX512_INLINE void store_both(uint8_t *out, __m512i low, __m512i high, size_t left)
{
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);

    _mm512_storeu_si512(out, _mm512_permutex2var_epi64(low, first, high));
    if (left > STEP / 2)
        _mm512_storeu_si512(out + STEP, _mm512_permutex2var_epi64(low, second, high));
}

AVX512 static void h2v1(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        __m512i l = load(in + i - 1), here = load(in + i), r = load(in + i + 1);
        __m512i low = beside(plus(sum_low(here, l), 1), plus(sum_low(here, r), 2), 2);
        __m512i high = beside(plus(sum_high(here, l), 1), plus(sum_high(here, r), 2), 2);
        store_both(out + 2 * i, low, high, n - 1 - i);
    }
    mr__h2v1_ends(in, n, out);
}

AVX512_INLINE __m512i thrice(__m512i v)
{
    return _mm512_add_epi16(v, _mm512_add_epi16(v, v));
}

/* Sums of two rows: to the left, here, to the right. */
AVX512_INLINE __m512i across(__m512i l, __m512i here, __m512i r)
{
    __m512i here3 = thrice(here);

    return beside(plus(_mm512_add_epi16(here3, l), 8), plus(_mm512_add_epi16(here3, r), 7), 4);
}

AVX512 static void h2v2(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    for (size_t i = 1; i + 1 < n; i += STEP) {
        __m512i n0 = load(near + i - 1), n1 = load(near + i), n2 = load(near + i + 1);
        __m512i f0 = load(far + i - 1), f1 = load(far + i), f2 = load(far + i + 1);
        store_both(out + 2 * i, across(sum_low(n0, f0), sum_low(n1, f1), sum_low(n2, f2)),
                   across(sum_high(n0, f0), sum_high(n1, f1), sum_high(n2, f2)), n - 1 - i);
    }
    mr__h2v2_ends(near, far, n, out);
}

AVX512 static void h1v2(const uint8_t *near, const uint8_t *far, size_t n, bool lower, uint8_t *out)
{
    int bias = lower ? 2 : 1;

    for (size_t i = 0; i < n; i += STEP) {
        __m512i a = load(near + i), b = load(far + i);
        __m512i low = _mm512_srli_epi16(plus(sum_low(a, b), bias), 2);
        __m512i high = _mm512_srli_epi16(plus(sum_high(a, b), bias), 2);
        _mm512_storeu_si512(out + i, _mm512_packus_epi16(low, high));
    }
}

AVX512 static void repeat(const uint8_t *in, size_t n, int times, uint8_t *out)
{
    if (times != 2) {
        mr__repeat_scalar(in, n, times, out);
        return;
    }
    for (size_t i = 0; i < n; i += STEP) {
        __m512i v = load(in + i);
        store_both(out + 2 * i, _mm512_unpacklo_epi8(v, v), _mm512_unpackhi_epi8(v, v), n - i);
    }
}

const struct mr_pixel_kernels mr__pixels_avx512 = {
    .level = MR_CPU_AVX512,
    .flags = MR_CPU_VBMI | MR_CPU_VNNI,
    .idct = mr__idct_avx512,
    .h2v1 = h2v1,
    .h2v2 = h2v2,
    .h1v2 = h1v2,
    .repeat = repeat,
    .rgb = mr__rgb_avx512,
    .rgba = mr__rgba_avx512,
    .gray_rgb = mr__gray_rgb_avx512,
    .gray_rgba = mr__gray_rgba_avx512,
};
#endif
