/* SPDX-License-Identifier: Apache-2.0
 *
 * permute.c: a shuffle that needs no memory. A Feistel network over the smallest power of two that
 * holds n permutes its numbers whatever the round function is; "cycle walking" (Black and Rogaway,
 * "Ciphers with arbitrary finite domains", 2002) applies it again until the number falls below n,
 * which keeps it a bijection and takes fewer than two turns on average. Philox mixes the key once
 * per call; the rounds use a cheaper mixer, because ten Philox rounds in each of eight Feistel
 * rounds gave 2 to 4 million numbers a second and this gives over 10. Frozen by golden values, as
 * rng.c is.
 */
#include "rng.h"

/* The halves of a small set have few bits, and few bits mix slowly: with 8 rounds the 120 orders of
 * 5 samples are far from equally likely (chi-square 20,000 where 119 is due), with 24 they cannot
 * be told from it. */
#define SMALL_BITS 16
#define ROUNDS_SMALL 24
#define ROUNDS 8

struct feistel {
    uint64_t key[2];
    int low, high; /* bits of the two halves; low - high is 0 or 1 */
    int rounds;
};

static uint32_t mask(int bits)
{
    return bits >= 32 ? UINT32_MAX : (1u << bits) - 1;
}

static struct feistel feistel_for(uint64_t n, const uint64_t key[2])
{
    int bits = n <= 4 ? 2 : 64 - __builtin_clzll(n - 1);
    uint32_t philox_key[2] = {(uint32_t)key[0], (uint32_t)(key[0] >> 32)};
    uint32_t counter[4] = {(uint32_t)key[1], (uint32_t)(key[1] >> 32), 0, 0}, out[4];
    mr__philox4x32_10(counter, philox_key, out);
    return (struct feistel){
        .key = {(uint64_t)out[1] << 32 | out[0], (uint64_t)out[3] << 32 | out[2]},
        .low = (bits + 1) / 2,
        .high = bits / 2,
        .rounds = bits < SMALL_BITS ? ROUNDS_SMALL : ROUNDS,
    };
}

/* D. Stafford's "Mix13" constants for the finaliser of MurmurHash3, as in SplitMix64 (Steele, Lea,
 * Flood, 2014). */
static uint32_t mix(uint64_t key, int round, uint32_t x)
{
    uint64_t z = key + (((uint64_t)round << 32 | x) + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)(z >> 32);
}

/* The halves may differ by a bit; they take turns instead of trading places. */
static uint64_t turn(const struct feistel *f, uint64_t x)
{
    uint32_t low = (uint32_t)x & mask(f->low), high = (uint32_t)(x >> f->low) & mask(f->high);
    for (int round = 0; round < f->rounds; round += 2) {
        high ^= mix(f->key[0], round, low) & mask(f->high);
        low ^= mix(f->key[1], round + 1, high) & mask(f->low);
    }
    return (uint64_t)high << f->low | low;
}

uint64_t mr__permute(uint64_t index, uint64_t n, const uint64_t key[2])
{
    if (n <= 1)
        return 0;
    struct feistel f = feistel_for(n, key);
    do
        index = turn(&f, index);
    while (index >= n);
    return index;
}
