/* SPDX-License-Identifier: Apache-2.0
 *
 * planner.c: the built-in commander: a sampler's positions become batches of messages. Everything
 * is a function of (epoch, global batch), so it can begin anywhere: at the start, at a saved state,
 * behind a dead predecessor. With a sampler that learns it is one of the feedback, too
 * (shm/feedback.h).
 */
#include "base/message.h"
#include "pipe/pick.h"
#include "pipe/session.h"

#include <stdlib.h>

struct planner {
    struct mr_session *s;
    uint64_t epoch, step; /* next to plan; step counts this rank's batches from the base on */
    uint64_t base;        /* of this epoch: epochs.h */
    uint64_t ordinal;     /* with feedback: of the last one planned */
};

static int seek(void *ctx, uint64_t epoch, uint64_t batch, struct mr_errbuf *e)
{
    struct planner *p = ctx;
    (void)e;
    p->epoch = epoch;
    p->base = batch;
    p->step = 0;
    if (p->s->feedback.base)
        p->ordinal = mr__feedback_seek(&p->s->feedback);
    return MR_OK;
}

static int resume(void *ctx, const struct mr_plan_head *last, const void *state,
                  struct mr_errbuf *e)
{
    struct planner *p = ctx;
    const struct mr_epochs *ep = &p->s->epochs;
    bool inside = last->kind == MR_PLAN_BATCH;
    (void)state;
    (void)e;
    p->epoch = last->epoch + (last->kind == MR_PLAN_END_EPOCH);
    p->base = inside ? last->batch - ep->rank - last->step * ep->world : 0;
    p->step = inside ? last->step + 1 : 0;
    p->ordinal = last->ordinal;
    return MR_OK;
}

static int plan_row(struct planner *p, uint32_t slot, uint32_t row, uint64_t position,
                    struct mr_errbuf *e)
{
    const struct mr_arena *a = &p->s->arena;
    struct mr_pick pick;
    int rc = mr__session_pick(p->s, p->epoch, position, &pick, e);
    if (rc < 0)
        return rc;
    mr_message *m = mr__message_init(mr__plan_message(a, slot, row), a->shape.message_bytes,
                                     p->epoch, position, pick.sample);
    return mr__pick_write(m, &pick, e);
}

/* MR_PLAN_LATER: what the batch has to follow is not known yet. */
static int follow_feedback(struct planner *p, struct mr_errbuf *e)
{
    const struct mr_feedback *f = &p->s->feedback;
    if (!f->base)
        return MR_OK;
    int rc = mr__feedback_follow(f, &p->s->arena, p->ordinal + 1, e);
    if (rc != MR_OK)
        return rc < 0 ? rc : MR_PLAN_LATER;
    mr__feedback_expect(f, ++p->ordinal);
    return MR_OK;
}

static int plan_batch(struct planner *p, uint32_t slot, struct mr_plan_head *head,
                      struct mr_errbuf *e)
{
    int rc = follow_feedback(p, e);
    if (rc != MR_OK)
        return rc;
    head->kind = MR_PLAN_BATCH;
    head->ordinal = p->ordinal;
    head->batch = p->base + p->step * p->s->epochs.world + p->s->epochs.rank;
    head->rows = mr__epochs_rows(&p->s->epochs, p->epoch, head->batch);
    head->tasks = p->s->arena.shape.tasks == 1 ? 1 : head->rows;
    for (uint32_t i = 0; i < head->rows && rc >= 0; i++)
        rc = plan_row(p, slot, i, head->batch * p->s->epochs.batch + i, e);
    p->step++;
    return rc;
}

static int plan(void *ctx, uint32_t slot, struct mr_plan_head *head, struct mr_errbuf *e)
{
    struct planner *p = ctx;
    uint64_t epochs = (uint64_t)p->s->plan->config->epochs;
    head->epoch = p->epoch;
    head->step = p->step;
    head->ordinal = p->ordinal;
    if (epochs && p->epoch >= epochs) {
        head->kind = MR_PLAN_END;
    } else if (p->step >= mr__epochs_steps(&p->s->epochs, p->base)) {
        head->kind = MR_PLAN_END_EPOCH;
        p->epoch++;
        p->base = p->step = 0;
    } else {
        return plan_batch(p, slot, head, e);
    }
    return MR_OK;
}

int mr__session_planner(struct mr_session *s, struct mr_planner *planner, struct mr_errbuf *e)
{
    struct planner *p = calloc(1, sizeof *p);
    if (!p)
        return mr__fail(e, MR_E_MEMORY, "no memory for the planner");
    p->s = s;
    *planner = (struct mr_planner){p, seek, resume, plan, NULL};
    return MR_OK;
}

int mr__run_commander(struct mr_session *s, struct mr_errbuf *e)
{
    struct mr_planner planner;
    int rc = mr__session_planner(s, &planner, e);
    if (rc < 0)
        return rc;
    MR_SET(s->arena.control->commander_resumes, 1);
    s->steered = s->feedback.base != NULL;
    rc = mr__commander_loop(&s->arena, &planner, e);
    free(planner.ctx);
    return rc;
}
