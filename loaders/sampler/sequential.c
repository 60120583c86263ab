/* SPDX-License-Identifier: Apache-2.0
 *
 * sequential.c: the samples in the order of the index, the same in every epoch.
 */
#include "uniform.h"

static uint64_t sequential_at(void *self, uint64_t epoch, uint64_t position)
{
    (void)self;
    (void)epoch;
    return position;
}

const struct mr_sampler mr__sampler_sequential = {
    .d = {.name = "sequential", .help = "every sample once, in the source's order"},
    .open = mr__uniform_open,
    .close = mr__uniform_close,
    .length = mr__uniform_length,
    .at = sequential_at,
    .substitute = mr__uniform_substitute,
};
