/* SPDX-License-Identifier: Apache-2.0
 *
 * shuffle.c: a new order of the whole data set in every epoch, without memory for it: the sample at
 * a position is a keyed permutation of the position.
 */
#include "uniform.h"

#include "base/rng.h"

/* The key is drawn from the stream of this sampler's name; position 0 stands for the whole epoch.
 * */
static int shuffle_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                      struct mr_errbuf *e)
{
    const struct mr_uniform *u = self;
    (void)e;
    struct mr_row_key whole = {.seed = u->seed, .epoch = epoch};
    mr_rng rng = mr__rng_open(&whole, "shuffle", 0);
    uint64_t key[2];
    for (int i = 0; i < 2; i++) {
        key[i] = mr_rng_u32(&rng);
        key[i] |= (uint64_t)mr_rng_u32(&rng) << 32;
    }
    *pick = (struct mr_pick){.sample = u->first + mr__permute(position, u->samples, key)};
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
