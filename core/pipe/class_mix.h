/* SPDX-License-Identifier: Apache-2.0
 *
 * class_mix.h: how mixed the labels of a batch are: their entropy, and what a uniform draw without
 * replacement from the whole data set would have on the average.
 */
#ifndef MR_PIPE_CLASS_MIX_H
#define MR_PIPE_CLASS_MIX_H

#include "base/index.h"

#include <stdbool.h>

struct mr_label_count {
    int64_t label;
    bool used;
    uint64_t samples; /* of the data set */
    uint64_t rows;    /* of the batch that is looked at */
};

struct mr_class_mix {
    const struct mr_index *index;
    int column; /* the labels; -1: there are none */
    uint64_t classes;
    struct mr_label_count *table; /* open addressing; cap is a power of two */
    uint64_t cap;
};

/* Counts the labels of a data set; without a column of one whole number called "label" column is
 * -1. MR_E_MEMORY. */
int mr__class_mix_open(struct mr_class_mix *m, const struct mr_index *index, struct mr_errbuf *e);
void mr__class_mix_close(struct mr_class_mix *m);

/* Entropy in bits of the labels of n > 0 samples. */
double mr__class_mix_batch(struct mr_class_mix *m, const uint64_t *samples, uint64_t n);
/* Of the whole data set. */
double mr__class_mix_whole(const struct mr_class_mix *m);
/* What n > 0 samples drawn uniformly, each at most once, have in the mean. */
double mr__class_mix_ideal(const struct mr_class_mix *m, uint64_t n);

#endif
