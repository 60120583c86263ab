/* SPDX-License-Identifier: Apache-2.0
 *
 * race.h: an order of the samples drawn by weight without replacement: at every place, each sample
 * that has not come yet comes with a probability proportional to its weight. P. S. Efraimidis and
 * P. G. Spirakis, "Weighted random sampling with a reservoir" (2006): sample i gets the key
 * u_i^(1/w_i), and the largest keys come first. Here a sample arrives at -ln(u_i) / w_i, which is
 * the same order.
 */
#ifndef MR_SAMPLER_RACE_H
#define MR_SAMPLER_RACE_H

#include "base/rng.h"
#include "sample_weights.h"

/* The first `length` <= s->usable samples of the part in the order of the epoch; `samples` < 2^32
 * is the part's size. malloc'ed; NULL: memory is out. Takes 16 bytes per usable sample while it
 * works. */
uint32_t *mr__race(const struct mr_sample_weights *s, uint64_t samples, uint64_t length,
                   uint64_t seed, uint64_t epoch);

#endif
