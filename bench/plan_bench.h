/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_bench.h: the two measurements of bench_planner. Each prints a table on stdout and returns an
 * exit code; what went wrong is a sentence on stderr.
 */
#ifndef BENCH_PLAN_BENCH_H
#define BENCH_PLAN_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct plan_options {
    uint64_t samples;
    int batch;
    double seconds; /* per sampler */
    bool stored;    /* every sample has numbers of its own in the index */
};

/* Rows that the built-in planner plans with each sampler in a second of processor time. */
int plan_rates(const struct plan_options *o);
/* How long a loader over a synthetic data set takes to open, and to go on in epoch 1000. */
int plan_opening(const struct plan_options *o);

/* Seconds on a clock that only goes forward. */
double plan_now(void);
/* Seconds of processor time of this process: what other processes do changes little of it. */
double plan_cpu(void);

#endif
