/* SPDX-License-Identifier: Apache-2.0
 *
 * part_column.h: a column of one number per sample, over the part of the index that a sampler
 * chooses from. Sample i of the part is sample first + i of the index.
 */
#ifndef MR_SAMPLER_PART_COLUMN_H
#define MR_SAMPLER_PART_COLUMN_H

#include "base/descriptor.h"

struct mr_part_column {
    const struct mr_index *index;
    int column;
    int instead; /* for samples of a data set of several that lacks `column`; -1: zeros */
    uint64_t first, samples;
    uint64_t n; /* sample i's number is that of i % n; n <= samples */
};

/* Several data sets as one have all their columns: does the one that the sample is of lack this? */
static inline bool mr__column_lacks(const struct mr_index *index, int column, uint64_t sample)
{
    const struct mr_index_part *part = index->head->parts ? mr__index_part(index, sample) : NULL;
    return part && part->column[column] == MR_INDEX_NO_COLUMN;
}

/* Finds the column `name`. `whole`: it must hold whole numbers. MR_E_CONFIG naming `key`, the
 * option that says `name`: no such column, or not one number per sample. */
int mr__part_column_find(struct mr_part_column *c, const struct mr_sampler_env *env,
                         const char *key, const char *name, bool whole, struct mr_errbuf *e);
/* The number of sample i of the part; a column of whole numbers. */
int64_t mr__part_column_whole(const struct mr_part_column *c, uint64_t i);
/* Any column; whole numbers beyond 2^53 are rounded. */
double mr__part_column_float(const struct mr_part_column *c, uint64_t i);

/* How many samples have the number of sample i < n: those with i, i + n, i + 2 n ... */
static inline uint64_t mr__part_column_copies(const struct mr_part_column *c, uint64_t i)
{
    return c->samples / c->n + (i < c->samples % c->n);
}

#endif
