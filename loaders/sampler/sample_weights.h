/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_weights.h: a weight per sample, from a column of the index, from a text file, or such that
 * classes come equally often.
 */
#ifndef MR_SAMPLER_SAMPLE_WEIGHTS_H
#define MR_SAMPLER_SAMPLE_WEIGHTS_H

#include "base/descriptor.h"

/* Where they come from: one of the three is not NULL. */
struct mr_weights_from {
    const char *by;      /* column of weights */
    const char *weights; /* file, a weight per line */
    const char *balance; /* column of classes: a sample's weight is 1 / the size of its class */
};

struct mr_sample_weights {
    double *w;       /* [n]: finite, >= 0, divided by the largest */
    uint64_t n;      /* sample i of the part has w[i % n] */
    uint64_t usable; /* samples with a weight above 0, at least 1 */
};

/* MR_E_CONFIG naming the option and the sample or the line: a weight that is negative or no finite
 * number, none above 0, too many or too few lines, no such column. MR_E_IO: the file cannot be
 * read. MR_E_LIMIT, MR_E_MEMORY. The caller frees w on success; it is NULL on failure. */
int mr__sample_weights_read(struct mr_sample_weights *s, const struct mr_weights_from *from,
                            const struct mr_sampler_env *env, struct mr_errbuf *e);

#endif
