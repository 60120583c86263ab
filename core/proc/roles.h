/* SPDX-License-Identifier: Apache-2.0
 *
 * roles.h: what runs inside the loader's processes, as the layer above (pipe/) gives it to this
 * one: proc/ knows how processes live and die, not what a batch is.
 */
#ifndef MR_PROC_ROLES_H
#define MR_PROC_ROLES_H

#include "shm/arena.h"
#include "shm/slot.h"

struct mr_roles {
    void *ctx;
    /* In a helper process of its own, once: writes and seals the index. NULL: there is none. */
    int (*index)(void *ctx, struct mr_errbuf *e);
    /* In the warden, after the index is sealed: maps it, so that every child has it. */
    int (*indexed)(void *ctx, struct mr_errbuf *e);
    /* In the commander process; returns when it is to end. */
    int (*commander)(void *ctx, struct mr_errbuf *e);
    /* In a producer process; returns when it is to end. */
    int (*producer)(void *ctx, uint32_t lane, uint32_t lease, struct mr_errbuf *e);
    /* In the producer process instead of `producer`: becomes another program. Returns only on
     * failure. */
    int (*exec_producer)(void *ctx, uint32_t lane, uint32_t lease, struct mr_errbuf *e);
    /* Where a sample comes from, for a line about a death ("'a/b.jpg'", or "" when it is not
     * known). */
    void (*name_sample)(void *ctx, uint64_t sample, char *text, size_t bytes);
    /* What a producer's thread may take for one row (a batch, with `unit: batch`). */
    uint64_t sample_timeout_ns, sample_cpu_timeout_ns;
};

/* ---- the loops that the two kinds of process run ---- */

#define MR_PLAN_LATER 1

struct mr_planner { /* a commander's decisions */
    void *ctx;
    /* Goes to a batch of an epoch (at the start, and when the trainer asks). */
    int (*seek)(void *ctx, uint64_t epoch, uint64_t batch, struct mr_errbuf *e);
    /* Goes on behind a published batch (after a commander's death). */
    int (*resume)(void *ctx, const struct mr_plan_head *last, const void *state,
                  struct mr_errbuf *e);
    /* Plans the next batch: writes the messages of `slot` and the head's epoch, batch, step, rows,
     * tasks, kind and state_bytes (the state itself at mr__plan_state). Not called again after
     * MR_PLAN_END or MR_PLAN_FAIL, until a seek. MR_PLAN_LATER: nothing was planned, ask again when
     * the free bell has rung. */
    int (*plan)(void *ctx, uint32_t slot, struct mr_plan_head *head, struct mr_errbuf *e);
    /* In place of seek, for a planner with a state of its own; NULL: seek. `state` has room for
     * shape.state_bytes, and holds r->state_bytes of them if r->has_state. If not, the planner may
     * leave there what it saves at that place, and say so in *r. */
    int (*seek_to)(void *ctx, struct mr_request *r, void *state, struct mr_errbuf *e);
};

/* Runs until control->stop. */
int mr__commander_loop(const struct mr_arena *a, const struct mr_planner *planner,
                       struct mr_errbuf *e);

struct mr_filler { /* a producer's work; one per thread */
    void *ctx;
    /* Fills the claimed task. *bad: a reason (1 ..) when the row could not be made and the policy
     * is to fail. Negative: the run fails. */
    int (*fill)(void *ctx, const struct mr_claim *claim, uint32_t *bad, struct mr_errbuf *e);
};

/* Runs until control->stop. */
int mr__producer_loop(const struct mr_arena *a, uint32_t lane, uint32_t lease,
                      const struct mr_filler *filler, struct mr_errbuf *e);

static inline bool mr__stopping(const struct mr_arena *a)
{
    return __atomic_load_n(&a->control->stop, __ATOMIC_ACQUIRE) != 0;
}

#endif
