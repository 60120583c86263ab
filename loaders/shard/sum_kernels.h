/* SPDX-License-Identifier: Apache-2.0
 *
 * sum_kernels.h: the hash of a whole chunk, which is XXH3-64 with seed 0 of 4096 bytes: what the
 * library has for any length, written for one length and for more registers than it may use. A
 * chunk is 64 stripes of 64 bytes; each is mixed with a part of the secret into eight sums, which
 * are scrambled after every 16 stripes but the last, and the last 64 bytes come once more.
 */
#ifndef MR_SHARD_SUM_KERNELS_H
#define MR_SHARD_SUM_KERNELS_H

#include "base/cpu.h"

#include <stdint.h>
#include <string.h>

enum {
    MR_SUM_SECRET = 192, /* bytes */
    MR_SUM_STRIPE = 64,
    MR_SUM_STRIPES = 16,                  /* of a block: their keys are 8 bytes apart */
    MR_SUM_BLOCKS = 4,                    /* of a chunk */
    MR_SUM_SCRAMBLE = MR_SUM_SECRET - 64, /* where its key lies */
    MR_SUM_LAST = MR_SUM_SECRET - 64 - 7, /* where the last stripe's key lies */
    MR_SUM_MERGE = 11,                    /* where those lie that the sums are merged with */
};

struct mr_sum_kernel {
    enum mr_cpu_level level;
    unsigned flags;
    /* The hash of 4096 bytes. `secret`: the default one, MR_SUM_SECRET bytes. */
    uint64_t (*chunk)(const uint8_t *chunk, const uint8_t *secret);
};

extern const struct mr_sum_kernel mr__sum_scalar, mr__sum_avx2, mr__sum_avx512;
extern const struct mr_sum_kernel *const mr__sum_kernels[]; /* best first, NULL-terminated */

/* The best that may run under `cpu`. */
const struct mr_sum_kernel *mr__sum_kernel_for(const struct mr_cpu *cpu);
/* The default secret: static storage, made once. */
const uint8_t *mr__sum_secret(void);

#define MR_SUM_PRIME32_1 0x9E3779B1u
#define MR_SUM_BEGIN                                                             \
    {                                                                            \
        0xC2B2AE3D, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,  \
            0x85EBCA77C2B2AE63, 0x85EBCA77, 0x27D4EB2F165667C5, MR_SUM_PRIME32_1 \
    }

__extension__ typedef unsigned __int128 mr_sum_wide;

/* The eight sums become one. */
static inline uint64_t mr__sum_merge(const uint64_t sums[8], const uint8_t *secret)
{
    uint64_t hash = 4096u * 0x9E3779B185EBCA87u;
    for (int i = 0; i < 8; i += 2) {
        uint64_t key[2];
        memcpy(key, secret + MR_SUM_MERGE + 8 * i, sizeof key);
        mr_sum_wide product = (mr_sum_wide)(sums[i] ^ key[0]) * (sums[i + 1] ^ key[1]);
        hash += (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    hash ^= hash >> 37;
    hash *= 0x165667919E3779F9u;
    return hash ^ hash >> 32;
}

#endif
