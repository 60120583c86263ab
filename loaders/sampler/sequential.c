/* SPDX-License-Identifier: Apache-2.0
 *
 * sequential.c: the samples in the order of the index, the same in every epoch.
 */
#include "uniform.h"

static int sequential_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                         struct mr_errbuf *e)
{
    const struct mr_uniform *u = self;
    (void)epoch;
    (void)e;
    *pick = (struct mr_pick){.sample = u->first + position};
    return MR_OK;
}

const struct mr_sampler mr__sampler_sequential = {
    .d = {.name = "sequential", .help = "every sample once, in the source's order"},
    .open = mr__uniform_open,
    .close = mr__uniform_close,
    .length = mr__uniform_length,
    .at = sequential_at,
    .substitute = mr__uniform_substitute,
};
