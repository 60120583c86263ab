/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.h: what rows cost, from the producer that makes them to mr_get_profile.
 */
#ifndef MR_PIPE_PROFILE_H
#define MR_PIPE_PROFILE_H

#include "pipe/rowpipe.h"
#include "shm/arena.h"

/* Adds a row that was made to the producer's costs. nops: of the config; file_bytes: of its image.
 */
void mr__profile_add(struct mr_lane *lane, const struct mr_row_cost *cost, int nops,
                     uint64_t file_bytes);
/* The time that a row's other fields took. */
void mr__profile_add_columns(struct mr_lane *lane, uint64_t ns);

/* ---- stats.c ---- */
/* A counter of all producers. */
uint64_t mr__lanes_sum(const struct mr_arena *a, enum mr_counter counter);
/* Their time of waiting, waits that have not ended included. */
uint64_t mr__lanes_idle(const struct mr_arena *a);

#endif
