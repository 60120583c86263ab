/* SPDX-License-Identifier: Apache-2.0 */
#include "uniform.h"

#include "base/rng.h"

#include <stdlib.h>

int mr__uniform_open(const void *params, const struct mr_sampler_env *env, void **self,
                     struct mr_errbuf *e)
{
    (void)params;
    struct mr_uniform *u = malloc(sizeof *u);
    if (!u)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    *u = (struct mr_uniform){env->first, env->samples, env->seed};
    *self = u;
    return MR_OK;
}

void mr__uniform_close(void *self)
{
    free(self);
}

uint64_t mr__uniform_length(void *self)
{
    const struct mr_uniform *u = self;
    return u->samples;
}

void mr__uniform_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                            struct mr_pick *pick)
{
    const struct mr_uniform *u = self;
    struct mr_row_key key = {u->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    *pick = (struct mr_pick){.sample = u->first + mr_rng_below(&rng, u->samples)};
}
