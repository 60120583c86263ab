/* SPDX-License-Identifier: Apache-2.0
 *
 * parallel.h: many like pieces of work on a few threads.
 */
#ifndef MR_BASE_PARALLEL_H
#define MR_BASE_PARALLEL_H

#include "error.h"

#include <stdint.h>

#define MR_PARALLEL_MAX 64

/* Calls work(ctx, worker, i) once for every i < n, in no order, on `threads` threads at most (the
 * caller is one of them; one that cannot be started is done without), and returns when all are
 * done. `worker`: the number of the thread, below `threads` and MR_PARALLEL_MAX, for memory of its
 * own. */
void mr__parallel(uint64_t n, int threads, void (*work)(void *ctx, int worker, uint64_t i),
                  void *ctx);

/* The first failure of several threads; zero it to begin. Read it when they are done: e.code < 0
 * when there was one. */
struct mr_first_error {
    uint32_t taken;
    struct mr_errbuf e;
};
void mr__first_error(struct mr_first_error *first, const struct mr_errbuf *e);

#endif
