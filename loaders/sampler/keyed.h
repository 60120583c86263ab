/* SPDX-License-Identifier: Apache-2.0
 *
 * keyed.h: permutations that a random stream selects. A sampler that shuffles classes, batches and
 * samples names a stream for each.
 */
#ifndef MR_SAMPLER_KEYED_H
#define MR_SAMPLER_KEYED_H

#include "base/rng.h"

#include <stdbool.h>

/* Where `index` < n comes in the permutation of [0, n) that the stream of (row, name) selects. */
uint64_t mr__keyed(uint64_t index, uint64_t n, const struct mr_row_key *row, const char *name);

/* A whole permutation of [0, n), for one that is asked about in order: a tenth of the time per
 * number. Another one than that of mr__keyed. */
struct mr_keyed_table {
    uint64_t n;
    uint64_t epoch, position; /* whose it is */
    bool filled;
    uint32_t *at;
};
/* n <= 2^32. False: memory is out. The table is freed by free(t->at). */
bool mr__keyed_table_open(struct mr_keyed_table *t, uint64_t n);
/* Makes it the one of (row, name); false: it was that already. A table has one name and seed. */
bool mr__keyed_table_fill(struct mr_keyed_table *t, const struct mr_row_key *row, const char *name);

#endif
