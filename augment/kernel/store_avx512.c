/* SPDX-License-Identifier: Apache-2.0
 *
 * The store for AVX-512: sixteen pixels at a time, as in store_avx2.c; the last ones by a mask.
 * Whole cache lines of floats go past the caches: a batch does not fit into these, and a line that
 * is not fetched before it is written is half of the traffic (docs/kernels.md).
 */
#include "augment/kernel/store_versions.h"

#if defined(__x86_64__)
#include "augment/kernel/avx512.h"

#include <stdint.h>

/* Those of sixteen floats that the mask names to elements at `to`. */
typedef void write16(void *to, __mmask16 some, __m512 v);

AVX512_INLINE void write_f32(void *to, __mmask16 some, __m512 v)
{
    _mm512_mask_storeu_ps(to, some, v);
}

/* `to` is aligned to a cache line. */
AVX512_INLINE void stream_f32(void *to, __mmask16 some, __m512 v)
{
    if (some == 0xffff)
        _mm512_stream_ps(to, v);
    else
        _mm512_mask_storeu_ps(to, some, v);
}

AVX512_INLINE __m256i to_f16(__m512 v)
{
    return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
}

AVX512_INLINE __m256i to_bf16(__m512 v)
{
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));

    bits = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
}

AVX512_INLINE void write_f16(void *to, __mmask16 some, __m512 v)
{
    _mm256_mask_storeu_epi16(to, some, to_f16(v));
}

AVX512_INLINE void write_bf16(void *to, __mmask16 some, __m512 v)
{
    _mm256_mask_storeu_epi16(to, some, to_bf16(v));
}

/* Half a cache line; the other half comes next. */
AVX512_INLINE void stream_f16(void *to, __mmask16 some, __m512 v)
{
    if (some == 0xffff)
        _mm256_stream_si256(to, to_f16(v));
    else
        write_f16(to, some, v);
}

AVX512_INLINE void stream_bf16(void *to, __mmask16 some, __m512 v)
{
    if (some == 0xffff)
        _mm256_stream_si256(to, to_bf16(v));
    else
        write_bf16(to, some, v);
}

AVX512_INLINE void write_u8(void *to, __mmask16 some, __m512 v)
{
    __m512 in = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), _mm512_set1_ps(255));

    _mm_mask_storeu_epi8(to, some, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(in)));
}

AVX512_INLINE __mmask16 first(int32_t n)
{
    return (__mmask16)(n >= 16 ? 0xffff : (1u << n) - 1);
}

/* Channel ch of each of 16 pixels in the lowest byte of 32 bits. */
AVX512_INLINE __m512i spread(int c, int ch)
{
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return _mm512_add_epi32(_mm512_mullo_epi32(lane, _mm512_set1_epi32(c)), _mm512_set1_epi32(ch));
}

AVX512_INLINE void planes(const struct mr_put *put, int c, const void *pixels, void *to,
                          size_t size, write16 *write)
{
    const __mmask64 lowest = 0x1111111111111111;
    const uint8_t *p = pixels;
    __m512i pick[4];
    __m512 scale[4], bias[4];
    char *out[4];

    for (int ch = 0; ch < c; ch++) {
        pick[ch] = spread(c, ch);
        scale[ch] = _mm512_set1_ps(put->scale[ch]);
        bias[ch] = _mm512_set1_ps(put->bias[ch]);
        out[ch] = (char *)to + ch * put->channel;
    }
    for (int32_t i = 0; i < put->n; i += 16) {
        __m512i px = _mm512_loadu_si512(p + (size_t)c * (size_t)i);
        __mmask16 some = first(put->n - i);
        for (int ch = 0; ch < c; ch++) {
            __m512 v = _mm512_cvtepi32_ps(_mm512_maskz_permutexvar_epi8(lowest, pick[ch], px));
            write(out[ch] + (size_t)i * size, some, _mm512_fmadd_ps(v, scale[ch], bias[ch]));
        }
    }
}

/* As the pixels lie: HWC, and a single channel. Scale and bias repeat after `phases` sixteens. */
AVX512_INLINE void flat(const struct mr_put *put, int phases, const void *pixels, void *to,
                        size_t size, write16 *write)
{
    const uint8_t *p = pixels;
    int32_t n = put->n * put->c;
    float scale[48], bias[48];
    __m512 s[3], b[3];

    mr__put_repeat(put, 48, scale, bias);
    for (int k = 0; k < phases; k++) {
        s[k] = _mm512_loadu_ps(scale + 16 * k);
        b[k] = _mm512_loadu_ps(bias + 16 * k);
    }
    for (int32_t i = 0; i < n; i += 16 * phases) {
        for (int k = 0; k < phases && i + 16 * k < n; k++) {
            int32_t at = i + 16 * k;
            __m512i px = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p + at)));
            __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(px), s[k], b[k]);
            write((char *)to + (size_t)at * size, first(n - at), v);
        }
    }
}

MR_PUT(AVX512, f32_lines, 4, stream_f32)
MR_PUT(AVX512, f32_words, 4, write_f32)
MR_PUT(AVX512, f16_lines, 2, stream_f16)
MR_PUT(AVX512, f16_words, 2, write_f16)
MR_PUT(AVX512, bf16_lines, 2, stream_bf16)
MR_PUT(AVX512, bf16_words, 2, write_bf16)
MR_PUT(AVX512, u8, 1, write_u8)

static bool aligned(const void *to, ptrdiff_t step)
{
    return ((uintptr_t)to | (uintptr_t)step) % 64 == 0;
}

#define BY_ALIGNMENT(name)                                                                       \
    static void planes_##name(const struct mr_put *put, const void *pixels, void *to)            \
    {                                                                                            \
        (aligned(to, put->channel) ? planes_##name##_lines : planes_##name##_words)(put, pixels, \
                                                                                    to);         \
    }                                                                                            \
    static void flat_##name(const struct mr_put *put, const void *pixels, void *to)              \
    {                                                                                            \
        (aligned(to, 0) ? flat_##name##_lines : flat_##name##_words)(put, pixels, to);           \
    }
BY_ALIGNMENT(f32)
BY_ALIGNMENT(f16)
BY_ALIGNMENT(bf16)

AVX512 void mr__fence_avx512(void)
{
    _mm_sfence();
}

/* Bytes as they are, plane by plane. */
AVX512_INLINE void split_bytes(const struct mr_put *put, int c, const void *pixels, void *to)
{
    const uint8_t *p = pixels;
    _Alignas(64) uint8_t places[64];

    for (int k = 0; k < 64; k++)
        places[k] = (uint8_t)(k % 16 * c + k / 16 % c);
    const __m512i pick = _mm512_load_si512(places);
    for (int32_t i = 0; i < put->n; i += 16) {
        __m512i px = _mm512_permutexvar_epi8(pick, _mm512_loadu_si512(p + (size_t)c * (size_t)i));
        __mmask16 some = first(put->n - i);
        char *out = (char *)to + i;
        _mm_mask_storeu_epi8(out, some, _mm512_castsi512_si128(px));
        _mm_mask_storeu_epi8(out + put->channel, some, _mm512_extracti32x4_epi32(px, 1));
        _mm_mask_storeu_epi8(out + 2 * put->channel, some, _mm512_extracti32x4_epi32(px, 2));
        if (c == 4)
            _mm_mask_storeu_epi8(out + 3 * put->channel, some, _mm512_extracti32x4_epi32(px, 3));
    }
}

AVX512 static void split_u8(const struct mr_put *put, const void *pixels, void *to)
{
    if (put->c == 3)
        split_bytes(put, 3, pixels, to);
    else
        split_bytes(put, 4, pixels, to);
}

MR_PUT_TABLE(all);

mr_put_row *mr__put_avx512(const struct mr_put *put)
{
    if (put->dtype == MR_U8 && put->chw && put->c > 1 && !put->affine)
        return split_u8;
    return all[put->dtype][put->chw && put->c > 1];
}
#endif
