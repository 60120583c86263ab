/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/epochs.h"

#include "base/divide.h"

void mr__epochs_cut(struct mr_epochs *ep, const struct mr_config *c, uint64_t positions)
{
    *ep = (struct mr_epochs){.positions = positions,
                             .batch = (uint64_t)c->batch.size,
                             .rank = (uint64_t)c->rank,
                             .world = (uint64_t)c->world,
                             .last = c->batch.last,
                             .counted = c->epoch_batches > 0};
    ep->pass = ep->last == MR_LAST_DROP ? positions / ep->batch : mr__div_up(positions, ep->batch);
    ep->batches = ep->counted && ep->pass ? (uint64_t)c->epoch_batches : ep->pass;
}

uint64_t mr__epochs_steps(const struct mr_epochs *ep, uint64_t base)
{
    uint64_t left = base < ep->batches ? ep->batches - base : 0;
    return ep->last == MR_LAST_DROP ? left / ep->world : mr__div_up(left, ep->world);
}

/* Where a batch of an epoch stands in the passes. One behind the epoch's end is there only to let
 * all ranks make a step: it repeats the epoch's beginning, or (a pass) goes on behind its end. */
static void find_batch(const struct mr_epochs *ep, uint64_t epoch, uint64_t *batch, uint64_t *pass)
{
    *pass = epoch;
    if (!ep->counted)
        return;
    uint64_t n = epoch * ep->batches + *batch % ep->batches;
    *pass = n / ep->pass;
    *batch = n % ep->pass;
}

uint32_t mr__epochs_rows(const struct mr_epochs *ep, uint64_t epoch, uint64_t batch)
{
    uint64_t pass;
    find_batch(ep, epoch, &batch, &pass);
    uint64_t first = batch * ep->batch, left = ep->positions - first;
    bool cut = ep->last == MR_LAST_SHORT && first < ep->positions && left < ep->batch;
    return (uint32_t)(cut ? left : ep->batch);
}

bool mr__epochs_place(const struct mr_epochs *ep, uint64_t epoch, uint64_t position, uint64_t *pass,
                      uint64_t *at)
{
    uint64_t batch = position / ep->batch;
    if (ep->last == MR_LAST_PAD && batch >= ep->batches)
        return false;
    find_batch(ep, epoch, &batch, pass);
    *at = batch * ep->batch + position % ep->batch;
    if (*at >= ep->positions && ep->last == MR_LAST_PAD)
        return false;
    *at %= ep->positions;
    return true;
}
