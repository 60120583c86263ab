/* SPDX-License-Identifier: Apache-2.0
 *
 * epochs.h: how the sampler's passes over the data become epochs of batches, and who gets which.
 *
 * A *pass* is what the sampler calls an epoch: `positions` rows, cut into batches, the last one as
 * `batch.last` says. An *epoch* is what the trainer sees: a pass, or with `epoch_batches: N` the
 * next N batches of pass after pass. Batches have one numbering over all ranks.
 *
 * Ranks deal an epoch's batches from a *base* on: batch base + step * world + rank is this rank's.
 * The base is 0, but where a saved state says otherwise, up to the end of that epoch. From any base
 * all ranks make the same number of steps; a last round that does not go round is left out (drop)
 * or filled up with batches behind the end (pad, wrap). So the batches before a base of `world`
 * ranks and those behind it of any other number of ranks are together the whole epoch.
 */
#ifndef MR_PIPE_EPOCHS_H
#define MR_PIPE_EPOCHS_H

#include "base/config.h"

struct mr_epochs {
    uint64_t positions; /* rows of a pass */
    uint64_t batch;     /* rows of a batch */
    uint64_t pass;      /* batches of a pass */
    uint64_t batches;   /* batches of an epoch, before ranks share them */
    uint64_t rank, world;
    enum mr_last last;
    bool counted; /* `epoch_batches`: epochs are not passes */
};

void mr__epochs_cut(struct mr_epochs *ep, const struct mr_config *config, uint64_t positions);

/* Steps of every rank from a base to the end of the epoch. */
uint64_t mr__epochs_steps(const struct mr_epochs *ep, uint64_t base);

/* Rows of a batch that some rank gets. Position of its row i in the epoch: batch * size + i. */
uint32_t mr__epochs_rows(const struct mr_epochs *ep, uint64_t epoch, uint64_t batch);

/* Where the sampler has what stands at a position of an epoch. False: the row holds nothing. */
bool mr__epochs_place(const struct mr_epochs *ep, uint64_t epoch, uint64_t position, uint64_t *pass,
                      uint64_t *at);

#endif
