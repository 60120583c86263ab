/* SPDX-License-Identifier: Apache-2.0
 *
 * uniform.h: what samplers share that treat all samples alike: an epoch is as long as the data set,
 * and any sample may stand in for a bad one. The functions are those of struct mr_sampler
 * (base/descriptor.h).
 */
#ifndef MR_SAMPLER_UNIFORM_H
#define MR_SAMPLER_UNIFORM_H

#include "base/descriptor.h"

struct mr_uniform {
    uint64_t first, samples, seed;
};

int mr__uniform_open(const void *params, const struct mr_sampler_env *env, void **self,
                     struct mr_errbuf *e);
void mr__uniform_close(void *self);
uint64_t mr__uniform_length(void *self);
/* Uniform over the data set, from the stream (seed, epoch, position, attempt, "substitute"). It may
 * be the bad sample itself again; the next attempt then draws anew. */
void mr__uniform_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                            struct mr_pick *pick);

#endif
