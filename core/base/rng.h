/* SPDX-License-Identifier: Apache-2.0
 *
 * rng.h: counter-based randomness. A stream is named by what it is for, never by who draws: (seed,
 * epoch, global position, attempt, name, ordinal). Public part: millrace/plugin.h.
 */
#ifndef MR_BASE_RNG_H
#define MR_BASE_RNG_H

#include "millrace/plugin.h"

struct mr_row_key {
    uint64_t seed, epoch, position;
    uint32_t attempt;
};

/* One block of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1,
 * 2, 3", SC 2011). */
void mr__philox4x32_10(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The stream of an op (or of a user's name; 255 bytes of it count) in a row. `ordinal` tells equal
 * names in one config apart. Never fails. */
mr_rng mr__rng_open(const struct mr_row_key *row, const char *name, uint32_t ordinal);

/* Keyed permutation of [0, n): a Feistel network with cycle walking, its key mixed by Philox. O(1)
 * memory, a bijection for every n >= 1; index < n. `key` selects the permutation; keys that differ
 * in one bit give unrelated ones. */
uint64_t mr__permute(uint64_t index, uint64_t n, const uint64_t key[2]);

#endif
