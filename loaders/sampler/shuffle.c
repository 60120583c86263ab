/* SPDX-License-Identifier: Apache-2.0
 *
 * shuffle.c: a new order of the whole data set in every epoch, without memory for it: the sample at
 * a position is a keyed permutation of the position.
 */
#include "keyed.h"
#include "uniform.h"

/* Position 0 stands for the whole epoch. */
static int shuffle_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                      struct mr_errbuf *e)
{
    const struct mr_uniform *u = self;
    const struct mr_row_key whole = {.seed = u->seed, .epoch = epoch};
    (void)e;
    *pick =
        (struct mr_pick){.sample = u->first + mr__keyed(position, u->samples, &whole, "shuffle")};
    return MR_OK;
}

const struct mr_sampler mr__sampler_shuffle = {
    .d = {.name = "shuffle", .help = "every sample once, in an order of the epoch's own"},
    .open = mr__uniform_open,
    .close = mr__uniform_close,
    .length = mr__uniform_length,
    .at = shuffle_at,
    .substitute = mr__uniform_substitute,
};
