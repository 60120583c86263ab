/* SPDX-License-Identifier: Apache-2.0
 *
 * rng.c: Philox4x32-10 and what is drawn from it. Every recipe here is frozen: saved states and
 * published hashes depend on it bit by bit, and tests/unit/test_rng.cpp holds golden values of
 * each.
 *
 * A stream's place in Philox's 64-bit key and 128-bit counter:
 *     key      = XXH3-64 over little-endian (seed u64, epoch u64, ordinal u32) and the name's bytes
 *     counter  = { block, attempt, position low, position high }
 * Position and attempt stand in the counter unhashed, so two rows of an epoch never share a number;
 * a block is four draws, so a stream has 2^34 of them before it repeats.
 */
#include "rng.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

__extension__ typedef unsigned __int128 uint128;

void mr__philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0;
        uint64_t b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u; /* the golden ratio and sqrt(3) - 1: Weyl steps of the key schedule */
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void put_le(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

mr_rng mr__rng_open(const struct mr_row_key *row, const char *name, uint32_t ordinal)
{
    uint8_t id[20 + 255];
    size_t n = strnlen(name, 255);
    put_le(id, row->seed, 8);
    put_le(id + 8, row->epoch, 8);
    put_le(id + 16, ordinal, 4);
    memcpy(id + 20, name, n);
    uint64_t key = XXH3_64bits(id, 20 + n);
    return (mr_rng){
        .key = {(uint32_t)key, (uint32_t)(key >> 32)},
        .counter = {0, row->attempt, (uint32_t)row->position, (uint32_t)(row->position >> 32)},
        .used = 4,
    };
}

uint32_t mr_rng_u32(mr_rng *rng)
{
    if (rng->used >= 4) {
        mr__philox4x32_10(rng->counter, rng->key, rng->out);
        rng->counter[0]++;
        rng->used = 0;
    }
    return rng->out[rng->used++];
}

/* Two draws, the first is the high half. */
static uint64_t draw_u64(mr_rng *rng)
{
    uint64_t high = mr_rng_u32(rng);
    return high << 32 | mr_rng_u32(rng);
}

/* D. Lemire, "Fast random integer generation in an interval", 2019: the high half of draw x bound,
 * where draws whose low half falls in the short first interval are thrown away. One draw for bounds
 * up to 2^32, else two. */
uint64_t mr_rng_below(mr_rng *rng, uint64_t bound)
{
    if (bound <= 1)
        return 0;
    if (bound >> 32 == 0) {
        uint32_t small = (uint32_t)bound, reject = (0u - small) % small;
        uint64_t m;
        do
            m = (uint64_t)mr_rng_u32(rng) * small;
        while ((uint32_t)m < reject);
        return m >> 32;
    }
    uint64_t reject = (0u - bound) % bound;
    uint128 m;
    do
        m = (uint128)draw_u64(rng) * bound;
    while ((uint64_t)m < reject);
    return (uint64_t)(m >> 64);
}

/* 24 bits, so that the value is the same whether a kernel holds it in float32 or in double. */
double mr_rng_uniform(mr_rng *rng, double lo, double hi)
{
    double u = (double)(mr_rng_u32(rng) >> 8) * 0x1p-24;
    double value = lo + (hi - lo) * u;
    return value < hi ? value : lo; /* rounding may reach hi where hi - lo is tiny beside lo */
}

/* Box and Muller, 1958. Always two draws and one result: a kept second one would be state outside
 * the counter. */
double mr_rng_normal(mr_rng *rng)
{
    double u = ((double)mr_rng_u32(rng) + 1.0) * 0x1p-32; /* (0, 1]: log(0) cannot come up */
    double v = (double)mr_rng_u32(rng) * 0x1p-32;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586477 * v);
}
