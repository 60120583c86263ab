/* SPDX-License-Identifier: Apache-2.0
 *
 * class_lists.h: which samples are of which class, for samplers that choose a class first. A class
 * is a value of a column of whole numbers; classes are counted from 0 in the order of their values,
 * and only those that have samples are counted. Built once, by counting; never changed, so any
 * thread may ask.
 *
 * Memory: 4 bytes per sample and 24 per class; nothing per sample where the samples stand class by
 * class already, as the `folder` source has them.
 */
#ifndef MR_SAMPLER_CLASS_LISTS_H
#define MR_SAMPLER_CLASS_LISTS_H

#include "part_column.h"

struct mr_class_lists {
    struct mr_part_column by;
    uint64_t seed;
    uint64_t classes;
    int64_t *label;   /* [classes], ascending: a class's value */
    uint64_t *size;   /* [classes]: its samples, at least 1 */
    uint64_t *start;  /* [classes + 1]: its members, places in `member` */
    uint32_t *member; /* samples of the part below by.n, ascending in each class; NULL: member i is
                         sample i */
};

/* By the column `name`, which the option `key` gave. MR_E_CONFIG as mr__part_column_find;
 * MR_E_LIMIT: over 2^32 - 1 samples; MR_E_MEMORY. */
int mr__class_lists_open(struct mr_class_lists *l, const struct mr_sampler_env *env,
                         const char *key, const char *name, struct mr_errbuf *e);
/* Safe on a zero struct. */
void mr__class_lists_close(struct mr_class_lists *l);

/* Sample number `i` < size[c] of the class, as a sample of the index; i -> sample is one to one. */
uint64_t mr__class_sample(const struct mr_class_lists *l, uint64_t c, uint64_t i);
/* The class of a sample of the index that is in the part. O(log classes). */
uint64_t mr__class_of(const struct mr_class_lists *l, uint64_t sample);

/* What stands behind "class" in an error: 'cat' (label 3), or 3 of the column 'label' where it has
 * no name. */
struct mr_class_name {
    char text[256];
};
struct mr_class_name mr__class_name(const struct mr_class_lists *l, uint64_t c);

/* A substitute (struct mr_sampler): any sample of the first choice's class, from the stream (seed,
 * epoch, position, attempt, "substitute"). It may be the bad one itself again; the next attempt
 * then draws anew. */
void mr__class_substitute(const struct mr_class_lists *l, uint64_t epoch, uint64_t position,
                          uint32_t attempt, struct mr_pick *pick);

#endif
