/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/sum_kernels.h"

#define XXH_STATIC_LINKING_ONLY
#include <pthread.h>
#include <xxhash.h>

static uint64_t chunk_scalar(const uint8_t *chunk, const uint8_t *secret)
{
    (void)secret;
    return XXH3_64bits(chunk, 4096);
}

const struct mr_sum_kernel mr__sum_scalar = {.level = MR_CPU_SCALAR, .chunk = chunk_scalar};

const struct mr_sum_kernel *const mr__sum_kernels[] = {
#if defined(__x86_64__)
    &mr__sum_avx512,
    &mr__sum_avx2,
#endif
    &mr__sum_scalar,
    NULL,
};

const struct mr_sum_kernel *mr__sum_kernel_for(const struct mr_cpu *cpu)
{
    const struct mr_sum_kernel *const *k = mr__sum_kernels;
    while (!mr__cpu_runs(cpu, (*k)->level, (*k)->flags))
        k++;
    return *k;
}

static uint8_t secret[MR_SUM_SECRET];

static void make_secret(void)
{
    XXH3_generateSecret_fromSeed(secret, 0); /* of seed 0 it is the default one */
}

const uint8_t *mr__sum_secret(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_secret);
    return secret;
}
