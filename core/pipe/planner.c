/* SPDX-License-Identifier: Apache-2.0
 *
 * planner.c: the built-in commander: a sampler's positions become batches of messages. Everything
 * is a function of (epoch, global batch), so it can begin anywhere: at the start, at a saved state,
 * behind a dead predecessor.
 */
#include "base/message.h"
#include "pipe/session.h"

struct planner {
    struct mr_session *s;
    uint64_t epoch, step; /* next to plan; step counts this rank's batches */
};

static int seek(void *ctx, uint64_t epoch, uint64_t batch, struct mr_errbuf *e)
{
    struct planner *p = ctx;
    (void)e;
    p->epoch = epoch;
    p->step = batch / p->s->epochs.world; /* the first of ours that is not before it */
    if (batch % p->s->epochs.world > p->s->epochs.rank)
        p->step++;
    return MR_OK;
}

static int resume(void *ctx, const struct mr_plan_head *last, const void *state,
                  struct mr_errbuf *e)
{
    struct planner *p = ctx;
    (void)state;
    (void)e;
    p->epoch = last->epoch + (last->kind == MR_PLAN_END_EPOCH);
    p->step = last->kind == MR_PLAN_BATCH ? last->step + 1 : 0;
    return MR_OK;
}

static void plan_batch(struct planner *p, uint32_t slot, struct mr_plan_head *head)
{
    const struct mr_arena *a = &p->s->arena;
    head->kind = MR_PLAN_BATCH;
    head->batch = p->step * p->s->epochs.world + p->s->epochs.rank;
    head->rows = mr__epochs_rows(&p->s->epochs, head->batch);
    head->tasks = a->shape.tasks == 1 ? 1 : head->rows;
    for (uint32_t i = 0; i < head->rows; i++) {
        uint64_t position = head->batch * p->s->epochs.batch + i;
        mr__message_init(mr__plan_message(a, slot, i), a->shape.message_bytes, p->epoch,
                         position, mr__session_sample(p->s, p->epoch, position, 0));
    }
    p->step++;
}

static int plan(void *ctx, uint32_t slot, struct mr_plan_head *head, struct mr_errbuf *e)
{
    struct planner *p = ctx;
    uint64_t epochs = (uint64_t)p->s->plan->config->epochs;
    (void)e;
    head->epoch = p->epoch;
    head->step = p->step;
    if (epochs && p->epoch >= epochs) {
        head->kind = MR_PLAN_END;
    } else if (p->step >= p->s->epochs.steps) {
        head->kind = MR_PLAN_END_EPOCH;
        p->epoch++;
        p->step = 0;
    } else {
        plan_batch(p, slot, head);
    }
    return MR_OK;
}

int mr__run_commander(struct mr_session *s, struct mr_errbuf *e)
{
    struct planner p = {.s = s};
    struct mr_planner vtable = {&p, seek, resume, plan};
    MR_SET(s->arena.control->commander_resumes, 1);
    return mr__commander_loop(&s->arena, &vtable, e);
}
