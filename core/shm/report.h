/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h: how a process of the loader tells the trainer something: lines in its lane's ring (one
 * writer, one reader, lost and counted when full), and the one fatal error that ends the run.
 */
#ifndef MR_SHM_REPORT_H
#define MR_SHM_REPORT_H

#include "shm/arena.h"
#include "shm/hand.h"

#define MR_REPORT_WARNING 1 /* MR_LOG_WARNING of millrace.h, which this layer does not see */
#define MR_REPORT_INFO 2

/* Appends an event to the calling process's lane (text is cut at MR_EVENT_TEXT) and signals the
 * trainer. Threads of one process take turns. */
void mr__report(const struct mr_arena *a, uint32_t lane, const struct mr_event *event);
/* A log line. */
void mr__report_log(const struct mr_arena *a, uint32_t lane, int level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Takes the next event of a lane (the trainer). False: there is none. */
bool mr__report_take(const struct mr_arena *a, uint32_t lane, struct mr_event *event);

/* Ends the run with this error, unless another was first. Everybody is woken; nobody is stopped:
 * finished batches before the failure are still delivered. */
void mr__fail_run(const struct mr_arena *a, const struct mr_errbuf *e);
/* Says something for a process that died between claiming the failure and giving its text. For the
 * warden, after a death. */
void mr__finish_failure(const struct mr_arena *a);
/* The fatal error. False: there is none, or its text is still being written (whoever writes it
 * wakes everybody afterwards). */
bool mr__run_failed(const struct mr_arena *a, struct mr_errbuf *e);

/* Adds to one of the lane's counters. */
static inline void mr__lane_count_up(struct mr_lane *lane, enum mr_counter counter, uint64_t by)
{
    __atomic_fetch_add(&lane->count[counter], by, __ATOMIC_RELAXED);
}

#endif
