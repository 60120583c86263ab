/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/sum_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target(MR_TARGET_AVX2)))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

AVX2_INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Halves of each 64 bits multiplied with each other. */
AVX2_INLINE __m256i multiply(__m256i v)
{
    return _mm256_mul_epu32(v, _mm256_shuffle_epi32(v, 0xf5));
}

AVX2_INLINE __m256i mix(__m256i sum, const uint8_t *data, const uint8_t *key)
{
    __m256i v = load(data), turned = _mm256_shuffle_epi32(v, 0x4e); /* a sum gets its neighbour's */
    return _mm256_add_epi64(multiply(_mm256_xor_si256(v, load(key))),
                            _mm256_add_epi64(sum, turned));
}

AVX2_INLINE __m256i scramble(__m256i sum, const uint8_t *key)
{
    const __m256i prime = _mm256_set1_epi32((int)MR_SUM_PRIME32_1);
    __m256i v = _mm256_xor_si256(sum, _mm256_srli_epi64(sum, 47));
    v = _mm256_xor_si256(v, load(key));
    __m256i high = _mm256_mul_epu32(_mm256_srli_epi64(v, 32), prime);
    return _mm256_add_epi64(_mm256_mul_epu32(v, prime), _mm256_slli_epi64(high, 32));
}

AVX2 static uint64_t chunk_avx2(const uint8_t *chunk, const uint8_t *secret)
{
    uint64_t sums[8] = MR_SUM_BEGIN;
    const uint8_t *at = chunk;
    __m256i a = load((const uint8_t *)sums), b = load((const uint8_t *)(sums + 4));
    for (int block = 0; block < MR_SUM_BLOCKS; block++) {
        int stripes = MR_SUM_STRIPES - (block == MR_SUM_BLOCKS - 1);
        for (int i = 0; i < stripes; i++, at += MR_SUM_STRIPE) {
            a = mix(a, at, secret + 8 * i);
            b = mix(b, at + 32, secret + 8 * i + 32);
        }
        if (block == MR_SUM_BLOCKS - 1)
            break;
        a = scramble(a, secret + MR_SUM_SCRAMBLE);
        b = scramble(b, secret + MR_SUM_SCRAMBLE + 32);
    }
    a = mix(a, at, secret + MR_SUM_LAST);
    b = mix(b, at + 32, secret + MR_SUM_LAST + 32);
    _mm256_storeu_si256((__m256i *)(void *)sums, a);
    _mm256_storeu_si256((__m256i *)(void *)(sums + 4), b);
    return mr__sum_merge(sums, secret);
}

const struct mr_sum_kernel mr__sum_avx2 = {.level = MR_CPU_AVX2, .chunk = chunk_avx2};
#endif
