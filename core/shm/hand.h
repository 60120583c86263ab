/* SPDX-License-Identifier: Apache-2.0
 *
 * hand.h: what a working thread says about itself while it works: the row, the sample, since when.
 * The warden holds it against the time limits, and names it when the process dies.
 */
#ifndef MR_SHM_HAND_H
#define MR_SHM_HAND_H

#include "shm/arena.h"
#include "shm/slot.h"

/* The calling thread's hand; NULL in a thread that has none. Initial-exec, because a signal handler
 * reads it. */
extern __thread struct mr_hand *mr__my_hand __attribute__((tls_model("initial-exec")));

/* Takes the next hand of the calling process's lane for the calling thread, idle. */
struct mr_hand *mr__hand_take(const struct mr_arena *a, uint32_t lane);

/* A task was claimed: attempt 0 begins now. */
void mr__hand_begin(struct mr_hand *hand, const struct mr_claim *claim, uint64_t epoch,
                    uint64_t position);
/* Another sample is tried for the same row: the clocks start again. Call it before each attempt;
 * attempt 0 only adds the sample's number. */
void mr__hand_attempt(struct mr_hand *hand, uint32_t attempt, uint64_t sample);
/* What the thread does now, for people. */
void mr__hand_doing(struct mr_hand *hand, enum mr_activity activity);
/* The same for who knows what time it is (mr__now_ns). */
void mr__hand_doing_since(struct mr_hand *hand, enum mr_activity activity, uint64_t ns);
/* The task has ended. */
void mr__hand_end(struct mr_hand *hand);

/* There is work in the slots: rings the warden up when it sleeps without a deadline, since hands
 * will be busy. The commander calls it after it has published; the warden, before it sleeps so,
 * says it and looks at slots and hands afterwards. */
void mr__hand_expected(const struct mr_arena *a);

#endif
