/* SPDX-License-Identifier: Apache-2.0 */
#include "keyed.h"

#include <stdlib.h>

uint64_t mr__keyed(uint64_t index, uint64_t n, const struct mr_row_key *row, const char *name)
{
    if (n <= 1)
        return 0;
    mr_rng rng = mr__rng_open(row, name, 0);
    uint64_t key[2];
    for (int i = 0; i < 2; i++) {
        key[i] = mr_rng_u32(&rng);
        key[i] |= (uint64_t)mr_rng_u32(&rng) << 32;
    }
    return mr__permute(index, n, key);
}

bool mr__keyed_table_open(struct mr_keyed_table *t, uint64_t n)
{
    *t = (struct mr_keyed_table){.n = n, .at = malloc(n * sizeof *t->at)};
    return t->at;
}

/* Fisher and Yates, from the inside out. */
bool mr__keyed_table_fill(struct mr_keyed_table *t, const struct mr_row_key *row, const char *name)
{
    if (t->filled && t->epoch == row->epoch && t->position == row->position)
        return false;
    mr_rng rng = mr__rng_open(row, name, 0);
    for (uint64_t i = 0; i < t->n; i++) {
        uint64_t k = mr_rng_below(&rng, i + 1);
        if (k < i)
            t->at[i] = t->at[k];
        t->at[k] = (uint32_t)i;
    }
    t->epoch = row->epoch;
    t->position = row->position;
    t->filled = true;
    return true;
}
