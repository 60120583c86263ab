/* SPDX-License-Identifier: Apache-2.0
 *
 * rank_env.h: which of how many training processes this one is, as the launcher has left it in the
 * environment: torchrun, Open MPI, PMIx, PMI, or SLURM inside a step, in this order.
 */
#ifndef MR_BASE_RANK_ENV_H
#define MR_BASE_RANK_ENV_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct mr_rank_env {
    bool found; /* else what follows is zero, but for the warning */
    int64_t rank, world;
    const char *launcher; /* "torchrun" */
    const char *rank_key, *world_key;
    char warning[400]; /* what contradicts it, or was set by half; "": nothing */
};

/* The first launcher whose variables are both set wins; empty ones count as not set. MR_E_CONFIG
 * when they make no sense, naming variable and text. */
int mr__rank_env(struct mr_rank_env *found, struct mr_errbuf *e);

#endif
