/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/sum_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target(MR_TARGET_AVX512)))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))

/* As sum_avx2.c, all eight sums in one register. */
AVX512_INLINE __m512i mix(__m512i sum, const uint8_t *data, const uint8_t *key)
{
    __m512i v = _mm512_loadu_si512(data), keyed = _mm512_xor_si512(v, _mm512_loadu_si512(key));
    __m512i product = _mm512_mul_epu32(keyed, _mm512_srli_epi64(keyed, 32));
    return _mm512_add_epi64(product, _mm512_add_epi64(sum, _mm512_shuffle_epi32(v, 0x4e)));
}

AVX512_INLINE __m512i scramble(__m512i sum, const uint8_t *key)
{
    __m512i v = _mm512_xor_si512(sum, _mm512_srli_epi64(sum, 47));
    v = _mm512_xor_si512(v, _mm512_loadu_si512(key));
    return _mm512_mullo_epi64(v, _mm512_set1_epi64(MR_SUM_PRIME32_1));
}

AVX512 static uint64_t chunk_avx512(const uint8_t *chunk, const uint8_t *secret)
{
    uint64_t sums[8] = MR_SUM_BEGIN;
    const uint8_t *at = chunk;
    __m512i sum = _mm512_loadu_si512(sums);
    for (int block = 0; block < MR_SUM_BLOCKS; block++) {
        int stripes = MR_SUM_STRIPES - (block == MR_SUM_BLOCKS - 1);
        for (int i = 0; i < stripes; i++, at += MR_SUM_STRIPE)
            sum = mix(sum, at, secret + 8 * i);
        if (block < MR_SUM_BLOCKS - 1)
            sum = scramble(sum, secret + MR_SUM_SCRAMBLE);
    }
    sum = mix(sum, at, secret + MR_SUM_LAST);
    _mm512_storeu_si512(sums, sum);
    return mr__sum_merge(sums, secret);
}

const struct mr_sum_kernel mr__sum_avx512 = {.level = MR_CPU_AVX512, .chunk = chunk_avx512};
#endif
