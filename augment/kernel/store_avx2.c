/* SPDX-License-Identifier: Apache-2.0
 *
 * The store for AVX2: eight pixels at a time from bytes to float32, scaled, converted and
 * written, plane by plane (CHW) or as they lie (HWC). Streaming stores were measured and are
 * slower (docs/kernels.md).
 */
#include "augment/kernel/store_versions.h"

#if defined(__x86_64__)
#include "augment/kernel/avx2.h"

#include <string.h>

/* Eight floats to eight elements at `to`. */
typedef void write8(void *to, __m256 v);

AVX2_INLINE void write_f32(void *to, __m256 v)
{
    _mm256_storeu_ps(to, v);
}

AVX2_INLINE void write_f16(void *to, __m256 v)
{
    _mm_storeu_si128(to, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

AVX2_INLINE void write_bf16(void *to, __m256 v)
{
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));

    bits = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    bits = _mm256_srli_epi32(bits, 16);
    _mm_storeu_si128(
        to, _mm_packus_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1)));
}

AVX2_INLINE void write_u8(void *to, __m256 v)
{
    __m256 in = _mm256_min_ps(_mm256_max_ps(v, _mm256_setzero_ps()), _mm256_set1_ps(255));
    __m256i i = _mm256_cvtps_epi32(in);
    __m128i s = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));

    _mm_storel_epi64(to, _mm_packus_epi16(s, s));
}

/* The last n < 8 elements. */
AVX2_INLINE void write_some(write8 *write, size_t size, void *to, __m256 v, int n)
{
    _Alignas(32) char all[32];

    write(all, v);
    memcpy(to, all, (size_t)n * size);
}

/* Pixels 0-3 and 4-7 of c channels, one in each half; reads 28 bytes for three channels. */
AVX2_INLINE __m256i load_pixels(const uint8_t *p, int c)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)p)),
                                   _mm_loadu_si128((const void *)(p + 4 * c)), 1);
}

/* Channel ch of every pixel, in the lowest byte of 32 bits. */
AVX2_INLINE __m256i spread(int c, int ch)
{
    __m128i at = _mm_setr_epi32(ch, ch + c, ch + 2 * c, ch + 3 * c);

    return _mm256_broadcastsi128_si256(_mm_or_si128(at, _mm_set1_epi32((int)0x80808000u)));
}

AVX2_INLINE void planes(const struct mr_put *put, int c, const void *pixels, void *to, size_t size,
                        write8 *write)
{
    const uint8_t *p = pixels;
    int32_t i = 0, n = put->n;
    __m256i pick[4];
    __m256 scale[4], bias[4];
    char *out[4];

    for (int ch = 0; ch < c; ch++) {
        pick[ch] = spread(c, ch);
        scale[ch] = _mm256_set1_ps(put->scale[ch]);
        bias[ch] = _mm256_set1_ps(put->bias[ch]);
        out[ch] = (char *)to + ch * put->channel;
    }
    for (; i + 8 <= n; i += 8) {
        __m256i px = load_pixels(p + c * i, c);
        for (int ch = 0; ch < c; ch++) {
            __m256 v = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(px, pick[ch]));
            write(out[ch] + (size_t)i * size, _mm256_fmadd_ps(v, scale[ch], bias[ch]));
        }
    }
    for (int ch = 0; i < n && ch < c; ch++) {
        __m256 v = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(load_pixels(p + c * i, c), pick[ch]));
        v = _mm256_fmadd_ps(v, scale[ch], bias[ch]);
        write_some(write, size, out[ch] + (size_t)i * size, v, n - i);
    }
}

/* As the pixels lie: HWC, and a single channel. Scale and bias repeat after `phases` eights: three
 * for three channels, one for others. */
AVX2_INLINE void flat(const struct mr_put *put, int phases, const void *pixels, void *to,
                      size_t size, write8 *write)
{
    const uint8_t *p = pixels;
    int32_t i = 0, n = put->n * put->c;
    float scale[24], bias[24];
    __m256 s[3], b[3];

    mr__put_repeat(put, 24, scale, bias);
    for (int k = 0; k < phases; k++) {
        s[k] = _mm256_loadu_ps(scale + 8 * k);
        b[k] = _mm256_loadu_ps(bias + 8 * k);
    }
    for (; i < n; i += 8 * phases) {
        for (int k = 0; k < phases; k++) {
            int32_t at = i + 8 * k;
            __m256i px = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p + at)));
            __m256 v = _mm256_fmadd_ps(_mm256_cvtepi32_ps(px), s[k], b[k]);
            if (at + 8 <= n)
                write((char *)to + (size_t)at * size, v);
            else if (at < n)
                write_some(write, size, (char *)to + (size_t)at * size, v, n - at);
        }
    }
}

MR_PUT(AVX2, f32, 4, write_f32)
MR_PUT(AVX2, f16, 2, write_f16)
MR_PUT(AVX2, bf16, 2, write_bf16)
MR_PUT(AVX2, u8, 1, write_u8)

MR_PUT_TABLE(all);

mr_put_row *mr__put_avx2(const struct mr_put *put)
{
    return all[put->dtype][put->chw && put->c > 1];
}
#endif
