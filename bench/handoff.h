/* SPDX-License-Identifier: Apache-2.0
 *
 * handoff.h: the two measurements of bench_handoff. Each prints one JSON object on stdout and
 * returns an exit code; what went wrong is a sentence on stderr.
 */
#ifndef BENCH_HANDOFF_H
#define BENCH_HANDOFF_H

/* How long mr_next + mr_release take when a batch is ready, for one batch size.
 *   rows    of the batch, each 3 x 224 x 224 float32
 *   rounds  hand-offs that are timed
 *   pause   microseconds that the trainer computes (spins) between two, while batches are made */
int handoff_ready(int rows, int rounds, int pause);

/* CPU time of all processes while the trainer holds every slot, over `seconds`.
 *   config  a config file
 *   set     NULL-terminated overrides, as mr_options.set */
int handoff_idle(const char *config, const char *const *set, double seconds);

/* Seconds on a clock that only goes forward. */
double handoff_now(void);

#endif
