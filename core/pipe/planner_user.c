/* SPDX-License-Identifier: Apache-2.0
 *
 * planner_user.c: a user's commander: its messages become batches. It is asked for one row after
 * the other; where an epoch ends is known only when it says so, so the batch before an end is held
 * against `batch.last` here.
 */
#include "base/crash_point.h"
#include "base/message.h"
#include "pipe/session.h"

#include <string.h>

struct user_planner {
    struct mr_session *s;
    const mr_commander *vtable;
    void *self;
    uint64_t epoch, step, position;
    int pending; /* MR_END_EPOCH or MR_END that was met in the middle of a batch; 0: none */
};

static int code_error(int rc, const char *hook, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_CODE, "the commander's %s returned %d (%s)", hook, rc, mr_strerror(rc));
}

static int seek(void *ctx, uint64_t epoch, uint64_t batch, struct mr_errbuf *e)
{
    struct user_planner *u = ctx;
    if (u->epoch == epoch && u->step == batch && u->position == 0)
        return MR_OK; /* the beginning */
    return mr__fail(e, MR_E_UNSUPPORTED, "a user's commander cannot go to epoch %llu, batch %llu",
                    (unsigned long long)epoch, (unsigned long long)batch);
}

static int resume(void *ctx, const struct mr_plan_head *last, const void *state,
                  struct mr_errbuf *e)
{
    struct user_planner *u = ctx;
    u->epoch = last->epoch + (last->kind == MR_PLAN_END_EPOCH);
    u->step = last->kind == MR_PLAN_BATCH ? last->step + 1 : 0;
    u->position = u->step * u->s->arena.shape.rows;
    u->pending = (int)last->pending;
    int rc = u->vtable->load(u->self, state, last->state_bytes);
    return rc < 0 ? code_error(rc, "load", e) : MR_OK;
}

static int save(struct user_planner *u, uint32_t slot, struct mr_plan_head *head,
                struct mr_errbuf *e)
{
    size_t bytes = 0, cap = u->s->arena.shape.state_bytes;
    if (!u->vtable->save || !cap)
        return MR_OK;
    int rc = u->vtable->save(u->self, mr__plan_state(&u->s->arena, slot), cap, &bytes);
    if (rc < 0)
        return code_error(rc, "save", e);
    if (bytes > cap)
        return mr__fail(e, MR_E_CODE, "the commander's save says %zu bytes, %zu are there", bytes,
                        cap);
    head->state_bytes = (uint32_t)bytes;
    MR_CRASH_POINT("commander.state_saved");
    return MR_OK;
}

/* The messages of one batch; returns how many there are before an end. */
static int ask_rows(struct user_planner *u, uint32_t slot, struct mr_errbuf *e)
{
    const struct mr_arena *a = &u->s->arena;
    uint32_t rows = 0;
    while (rows < a->shape.rows && !u->pending) {
        mr_message *m = mr__message_init(mr__plan_message(a, slot, rows), a->shape.message_bytes,
                                         u->epoch, u->position, u->position);
        int rc = u->vtable->next(u->self, m);
        if (rc == MR_END_EPOCH || rc == MR_END)
            u->pending = rc;
        else if (rc < 0)
            return code_error(rc, "next", e);
        else if (mr__message_check(m, a->shape.message_bytes) < 0)
            return mr__fail(e, MR_E_CODE, "the commander left a list of its message open");
        else
            u->position++, rows++;
    }
    return (int)rows;
}

/* What `batch.last` makes of a batch that an end has cut short. */
static uint32_t finish_short(struct user_planner *u, uint32_t slot, uint32_t rows)
{
    const struct mr_arena *a = &u->s->arena;
    if (rows == 0 || rows == a->shape.rows)
        return rows;
    switch (u->s->plan->config->batch.last) {
    case MR_LAST_DROP: return 0;
    case MR_LAST_PAD:
        for (uint32_t i = rows; i < a->shape.rows; i++)
            mr__message_init(mr__plan_message(a, slot, i), a->shape.message_bytes, u->epoch,
                             u->position++, UINT64_MAX);
        return a->shape.rows;
    case MR_LAST_WRAP: /* a commander has no sample twice to give: its own first rows come again */
        for (uint32_t i = rows; i < a->shape.rows; i++) {
            mr_message *m = mr__plan_message(a, slot, i);
            memcpy(m, mr__plan_message(a, slot, i - rows), a->shape.message_bytes);
            m->position = u->position++;
        }
        return a->shape.rows;
    default: return rows;
    }
}

static int plan(void *ctx, uint32_t slot, struct mr_plan_head *head, struct mr_errbuf *e)
{
    struct user_planner *u = ctx;
    uint64_t epochs = (uint64_t)u->s->plan->config->epochs;
    int rows = 0;
    head->epoch = u->epoch;
    head->step = head->batch = u->step;
    if (!(epochs && u->epoch >= epochs)) {
        rows = ask_rows(u, slot, e);
        if (rows < 0)
            return rows;
        rows = (int)finish_short(u, slot, (uint32_t)rows);
    } else {
        u->pending = MR_END;
    }
    if (rows) {
        head->kind = MR_PLAN_BATCH;
        head->rows = (uint32_t)rows;
        head->tasks = u->s->arena.shape.tasks == 1 ? 1 : head->rows;
        u->step++;
    } else {
        head->kind = u->pending == MR_END && (u->position == 0 || (epochs && u->epoch >= epochs))
                         ? MR_PLAN_END
                         : MR_PLAN_END_EPOCH;
        if (head->kind == MR_PLAN_END_EPOCH && u->pending == MR_END_EPOCH)
            u->pending = 0;
        u->epoch += head->kind == MR_PLAN_END_EPOCH;
        u->step = u->position = 0;
    }
    head->pending = (uint32_t)u->pending;
    MR_CRASH_POINT("commander.asked");
    return save(u, slot, head, e);
}

static int find_commander(struct mr_session *s, const mr_commander **vtable, struct mr_errbuf *e)
{
    const mr_plugin *plugin;
    *vtable = s->user.commander;
    if (*vtable)
        return MR_OK;
    const char *path = s->plan->config->commander.plugin;
    int rc = mr__plugin_load(path, &plugin, e);
    if (rc < 0)
        return rc;
    *vtable = plugin->commander;
    if (*vtable && (*vtable)->next && (*vtable)->abi == MR_PLUGIN_ABI &&
        (*vtable)->size >= sizeof(mr_commander))
        return MR_OK;
    return mr__fail(e, MR_E_CODE, "the plug-in '%s' has no commander of ABI %u", path,
                    MR_PLUGIN_ABI);
}

int mr__run_user_commander(struct mr_session *s, struct mr_errbuf *e)
{
    struct user_planner u = {.s = s};
    int rc = find_commander(s, &u.vtable, e);
    if (rc < 0)
        return rc;
    MR_SET(s->arena.control->commander_resumes, u.vtable->save && u.vtable->load);
    u.self = u.vtable->user;
    rc = u.vtable->build ? u.vtable->build(&u.self, s->plan->config->commander.params) : MR_OK;
    if (rc < 0)
        return code_error(rc, "build", e);
    struct mr_planner vtable = {&u, seek, resume, plan};
    rc = mr__commander_loop(&s->arena, &vtable, e);
    if (rc >= 0 && u.vtable->destroy)
        u.vtable->destroy(u.self);
    return rc;
}
