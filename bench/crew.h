/* SPDX-License-Identifier: Apache-2.0
 *
 * crew.h: several processes that begin to work at the same moment, each with a share of shared
 * memory for what it has done, for programs that measure what bare work costs.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stddef.h>

enum { CREW_MOST = 256 };

struct crew;

/* A crew of n processes, 1 to CREW_MOST, each with `bytes` bytes of zeros as its share. NULL with a
 * sentence on stderr. Freed with crew_free(). */
struct crew *crew_new(int n, size_t bytes);
void crew_free(struct crew *crew);
int crew_size(const struct crew *crew);
void *crew_share(struct crew *crew, int member);

/* Starts the processes, each of which calls work() with its number, 0 to n - 1, and waits for them.
 * work() has to come by crew_start() once, whatever fails, and returns 0 when all went well.
 * Returns 0 when all of them did; -1 else. */
int crew_run(struct crew *crew, int (*work)(struct crew *crew, int me, void *ctx), void *ctx);

/* In a member: waits until all are ready. */
void crew_start(struct crew *crew);

/* Seconds of the wall clock, and of this process's CPU time. */
double crew_now(void);
double crew_cpu_now(void);

#endif
