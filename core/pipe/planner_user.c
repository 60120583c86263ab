/* SPDX-License-Identifier: Apache-2.0
 *
 * planner_user.c: a user's commander: its messages become batches. It is asked for one row after
 * the other; where an epoch ends is known only when it says so, so the batch before an end is held
 * against `batch.last` here. What it saves behind a batch lies with the batch: a successor, or a
 * run that begins there, loads it.
 */
#include "base/crash_point.h"
#include "base/message.h"
#include "pipe/commander_run.h"
#include "pipe/session.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct mr_errbuf) + MR_LINE <= 4096, "a slot's plan is a page at least");

struct user_planner {
    struct mr_session *s;
    mr_commander hooks;
    void *self;
    struct mr_commander_run run;
    uint64_t epoch, base, step; /* base: the global batch of the epoch at which step 0 began */
    uint64_t asked;             /* rows of this epoch that were asked for */
    int pending;        /* MR_END_EPOCH or MR_END that was met in the middle of a batch; 0: none */
    bool fresh;         /* nothing was asked for yet */
    bool mute;          /* its save has said that there is nothing to save by */
    bool seeks;         /* it can be sent to an epoch */
    uint8_t *beginning; /* what it saved before it was asked for anything; NULL: it cannot */
    size_t beginning_bytes;
};

/* ---- hooks ---- */

static int code_error(struct user_planner *u, int rc, const char *hook, struct mr_errbuf *e)
{
    if (u->run.sentence[0])
        return mr__fail(e, MR_E_CODE, "the commander's %s failed: %s", hook, u->run.sentence);
    return mr__fail(e, MR_E_CODE, "the commander's %s returned %d (%s)", hook, rc, mr_strerror(rc));
}

static int save_into(struct user_planner *u, void *state, size_t *bytes, struct mr_errbuf *e)
{
    size_t cap = u->s->arena.shape.state_bytes;
    *bytes = 0;
    int rc = mr__hook_save(&u->run, &u->hooks, u->self, state, cap, bytes);
    if (rc == MR_E_UNSUPPORTED)
        return rc;
    if (rc < 0)
        return code_error(u, rc, "save", e);
    if (*bytes > cap)
        return mr__fail(e, MR_E_CODE, "the commander's save says %zu bytes, %zu are there", *bytes,
                        cap);
    return MR_OK;
}

static bool saves(const struct user_planner *u)
{
    return u->hooks.save && u->hooks.load && u->s->arena.shape.state_bytes && !u->mute;
}

static int load(struct user_planner *u, const void *state, size_t bytes, struct mr_errbuf *e)
{
    int rc = saves(u) ? mr__hook_load(&u->run, &u->hooks, u->self, state, bytes) : MR_E_UNSUPPORTED;
    u->fresh = false;
    return rc < 0 ? code_error(u, rc, "load", e) : MR_OK;
}

/* MR_E_UNSUPPORTED without a sentence: it has no such hook. */
static int go_to_epoch(struct user_planner *u, uint64_t epoch, struct mr_errbuf *e)
{
    if (!u->hooks.set_epoch)
        return MR_E_UNSUPPORTED;
    int rc = mr__hook_set_epoch(&u->run, &u->hooks, u->self, epoch);
    return rc < 0 && rc != MR_E_UNSUPPORTED ? code_error(u, rc, "set_epoch", e) : rc;
}

static int keep_beginning(struct user_planner *u, struct mr_errbuf *e)
{
    if (!saves(u))
        return MR_OK;
    u->beginning = malloc(u->s->arena.shape.state_bytes);
    if (!u->beginning)
        return mr__fail(e, MR_E_MEMORY, "no memory for the commander's state");
    int rc = save_into(u, u->beginning, &u->beginning_bytes, e);
    u->mute = rc == MR_E_UNSUPPORTED;
    return u->mute ? MR_OK : rc;
}

static int build(struct user_planner *u, struct mr_errbuf *e)
{
    const struct mr_user_code *code = &u->s->plan->config->commander;
    struct mr_control *control = u->s->arena.control;
    u->self = code->script ? &u->run : u->hooks.user;
    int rc = mr__hook_build(&u->run, &u->hooks, &u->self, code->params);
    if (rc < 0)
        return code_error(u, rc, "build", e);
    u->fresh = true;
    rc = go_to_epoch(u, 0, e);
    u->seeks = rc >= 0;
    if (rc >= 0 || rc == MR_E_UNSUPPORTED)
        rc = keep_beginning(u, e);
    MR_SET(control->commander_resumes, saves(u));
    MR_SET(control->commander_seeks, u->seeks ? MR_SEEKS : MR_SEEKS_NOT);
    mr__signal_ready(&u->s->arena); /* a trainer may wait to know */
    return rc;
}

/* ---- going elsewhere ---- */

/* What it saves at the beginning of an epoch is the trainer's to have. */
static int begin_epoch(struct user_planner *u, struct mr_request *r, void *state,
                       struct mr_errbuf *e)
{
    uint64_t epochs = (uint64_t)u->s->plan->config->epochs;
    size_t bytes = 0;
    int rc = epochs && r->epoch >= epochs ? MR_OK : go_to_epoch(u, r->epoch, e);
    MR_CRASH_POINT("commander.epoch_set");
    u->fresh = false;
    if (rc < 0 || !saves(u))
        return rc;
    rc = save_into(u, state, &bytes, e);
    MR_CRASH_POINT("commander.epoch_saved");
    r->state_bytes = (uint32_t)bytes;
    r->has_state = rc >= 0;
    return rc;
}

static int seek_to(void *ctx, struct mr_request *r, void *state, struct mr_errbuf *e)
{
    struct user_planner *u = ctx;
    bool beginning = r->epoch == 0 && r->batch == 0;
    u->epoch = r->epoch;
    u->base = r->batch;
    u->step = 0;
    u->asked = r->batch * u->s->arena.shape.rows;
    u->pending = (int)r->pending;
    if (r->has_state)
        return load(u, state, r->state_bytes, e);
    if (beginning && u->fresh)
        return MR_OK;
    if (u->seeks && r->batch == 0)
        return begin_epoch(u, r, state, e);
    if (beginning && saves(u))
        return load(u, u->beginning, u->beginning_bytes, e);
    return mr__fail(e, MR_E_UNSUPPORTED,
                    "a commander without save and load cannot go to epoch %llu, batch %llu",
                    (unsigned long long)r->epoch, (unsigned long long)r->batch);
}

static int resume(void *ctx, const struct mr_plan_head *last, const void *state,
                  struct mr_errbuf *e)
{
    struct user_planner *u = ctx;
    const struct mr_config *c = u->s->plan->config;
    bool inside = last->kind == MR_PLAN_BATCH;
    u->epoch = last->epoch + (last->kind == MR_PLAN_END_EPOCH);
    u->step = inside ? last->step + 1 : 0;
    u->base = inside ? last->batch - (uint64_t)c->rank - last->step * (uint64_t)c->world : 0;
    u->asked = inside ? 1 : 0;
    u->pending = (int)last->pending;
    return load(u, state, last->state_bytes, e);
}

/* ---- planning ---- */

static uint64_t batch_number(const struct user_planner *u)
{
    const struct mr_config *c = u->s->plan->config;
    return u->base + u->step * (uint64_t)c->world + (uint64_t)c->rank;
}

static int check_row(struct user_planner *u, const mr_message *m, struct mr_errbuf *e)
{
    const struct mr_arena *a = &u->s->arena;
    if (mr__message_check(m, a->shape.message_bytes) < 0)
        return mr__fail(e, MR_E_CODE, "the commander left a list of its message open");
    if (u->run.run.samples && m->sample >= u->run.run.samples)
        return mr__fail(
            e, MR_E_CODE,
            "the commander wants sample %lld at position %llu of epoch %llu, and the "
            "data set has samples 0 to %llu: set the message's sample, or end the epoch",
            (long long)m->sample, (unsigned long long)m->position, (unsigned long long)m->epoch,
            (unsigned long long)u->run.run.samples - 1);
    return MR_OK;
}

/* The messages of one batch; returns how many there are before an end. */
static int ask_rows(struct user_planner *u, uint32_t slot, struct mr_errbuf *e)
{
    const struct mr_arena *a = &u->s->arena;
    uint64_t first = batch_number(u) * a->shape.rows;
    uint32_t rows = 0;
    while (rows < a->shape.rows && !u->pending) {
        mr_message *m = mr__message_init(mr__plan_message(a, slot, rows), a->shape.message_bytes,
                                         u->epoch, first + rows, first + rows);
        u->fresh = false;
        int rc = mr__hook_next(&u->run, &u->hooks, u->self, m);
        if (rc == MR_END_EPOCH || rc == MR_END)
            u->pending = rc;
        else if (rc < 0)
            return code_error(u, rc, "next", e);
        else if (check_row(u, m, e) < 0)
            return e->code;
        else
            u->asked++, rows++;
    }
    return (int)rows;
}

/* What `batch.last` makes of a batch that an end has cut short. */
static uint32_t finish_short(struct user_planner *u, uint32_t slot, uint32_t rows)
{
    const struct mr_arena *a = &u->s->arena;
    uint64_t first = batch_number(u) * a->shape.rows;
    if (rows == 0 || rows == a->shape.rows)
        return rows;
    switch (u->s->plan->config->batch.last) {
    case MR_LAST_DROP: return 0;
    case MR_LAST_PAD:
        for (uint32_t i = rows; i < a->shape.rows; i++)
            mr__message_init(mr__plan_message(a, slot, i), a->shape.message_bytes, u->epoch,
                             first + i, UINT64_MAX);
        return a->shape.rows;
    case MR_LAST_WRAP: /* a commander has no sample twice to give: its own first rows come again */
        for (uint32_t i = rows; i < a->shape.rows; i++) {
            mr_message *m = mr__plan_message(a, slot, i);
            memcpy(m, mr__plan_message(a, slot, i - rows), a->shape.message_bytes);
            m->position = first + i;
        }
        return a->shape.rows;
    default: return rows;
    }
}

static void head_of_batch(struct user_planner *u, struct mr_plan_head *head, uint32_t rows)
{
    head->kind = MR_PLAN_BATCH;
    head->rows = rows;
    head->tasks = u->s->arena.shape.tasks == 1 ? 1 : rows;
    u->step++;
}

static void head_of_end(struct user_planner *u, struct mr_plan_head *head, bool over)
{
    bool end = u->pending == MR_END && (u->asked == 0 || over);
    head->kind = end ? MR_PLAN_END : MR_PLAN_END_EPOCH;
    if (!end && u->pending == MR_END_EPOCH)
        u->pending = 0;
    u->epoch += !end;
    u->base = u->step = u->asked = 0;
}

static int plan_next(struct user_planner *u, uint32_t slot, struct mr_plan_head *head,
                     struct mr_errbuf *e)
{
    uint64_t epochs = (uint64_t)u->s->plan->config->epochs;
    bool over = epochs && u->epoch >= epochs;
    int rows = 0;
    head->epoch = u->epoch;
    head->step = u->step;
    head->batch = batch_number(u);
    if (!over) {
        rows = ask_rows(u, slot, e);
        if (rows < 0)
            return rows;
        rows = (int)finish_short(u, slot, (uint32_t)rows);
    } else {
        u->pending = MR_END;
    }
    if (rows)
        head_of_batch(u, head, (uint32_t)rows);
    else
        head_of_end(u, head, over);
    head->pending = (uint32_t)u->pending;
    MR_CRASH_POINT("commander.asked");
    if (!saves(u))
        return MR_OK;
    size_t bytes;
    int rc = save_into(u, mr__plan_state(&u->s->arena, slot), &bytes, e);
    head->state_bytes = rc < 0 ? 0 : (uint32_t)bytes;
    MR_CRASH_POINT("commander.state_saved");
    return rc == MR_E_UNSUPPORTED ? code_error(u, rc, "save", e) : rc;
}

/* A failure takes its place in the order of the batches. */
static int plan(void *ctx, uint32_t slot, struct mr_plan_head *head, struct mr_errbuf *e)
{
    const struct mr_arena *a = &((struct user_planner *)ctx)->s->arena;
    int rc = plan_next(ctx, slot, head, e);
    if (rc >= 0)
        return rc;
    head->kind = MR_PLAN_FAIL;
    head->rows = head->tasks = head->state_bytes = 0;
    memcpy(mr__plan_message(a, slot, 0), e, sizeof *e); /* a page is there, less the head */
    return MR_OK;
}

/* ---- the whole ---- */

int mr__run_user_commander(struct mr_session *s, struct mr_errbuf *e)
{
    struct user_planner u = {.s = s};
    const struct mr_config *c = s->plan->config;
    mr__commander_run_begin(&u.run, c, &s->index, &s->arena);
    int rc = mr__commander_hooks(s->user.commander, &u.hooks) ? MR_OK
                                                              : mr__commander_load(c, &u.hooks, e);
    if (rc >= 0 && c->commander.script)
        rc = mr__script_confine(c, &s->arena, e);
    if (rc < 0)
        return rc;
    struct mr_planner planner = {&u, NULL, resume, plan, seek_to};
    rc = build(&u, e);
    if (rc >= 0)
        rc = mr__commander_loop(&s->arena, &planner, e);
    if (mr__hook_destroy(rc < 0 ? NULL : &u.hooks, u.self))
        free(u.beginning);
    return rc;
}
