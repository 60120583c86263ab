/* SPDX-License-Identifier: Apache-2.0
 *
 * pixel_x86.h: what the x86 versions share. Functions carry the target themselves, so that the rest
 * of a file, and of the library, never gets an instruction that the CPU may lack.
 */
#ifndef MR_PIXEL_X86_H
#define MR_PIXEL_X86_H

#include "loaders/codec/baseline/pixel_scalar.h"

#include <immintrin.h>

#define AVX2 __attribute__((target(MR_TARGET_AVX2)))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))
/* VBMI's byte permutation and VNNI's multiply-add came together with Ice Lake and Zen 4. */
#define AVX512 __attribute__((target(MR_TARGET_AVX512 ",avx512vbmi,avx512vnni")))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))

/* 32 samples, for AVX2. */
AVX2_INLINE __m256i load32(const uint8_t *p)
{
    return _mm256_loadu_si256((const void *)p);
}

AVX2_INLINE void store32(uint8_t *p, __m256i v)
{
    _mm256_storeu_si256((void *)p, v);
}

/* For twice Cb and twice Cr, a pair. */
#define MR_GREEN_PAIR \
    (int)((uint32_t)(uint16_t)-MR_CB_GREEN | (uint32_t)(uint16_t)-MR_CR_GREEN << 16)

void mr__idct_avx2(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                   int last);
void mr__idct_avx512(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                     int last);

void mr__rgb_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out);
void mr__rgba_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out);
void mr__gray_rgb_avx2(const uint8_t *y, size_t n, uint8_t *out);
void mr__gray_rgba_avx2(const uint8_t *y, size_t n, uint8_t *out);

void mr__rgb_avx512(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out);
void mr__rgba_avx512(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                     uint8_t *out);
void mr__gray_rgb_avx512(const uint8_t *y, size_t n, uint8_t *out);
void mr__gray_rgba_avx512(const uint8_t *y, size_t n, uint8_t *out);

#endif
