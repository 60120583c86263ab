/* SPDX-License-Identifier: Apache-2.0
 *
 * commander.c: the loop of the commander: take a free slot, plan the next batch into it, publish;
 * go elsewhere when the trainer asks; wait when no slot is free.
 */
#include "base/crash_point.h"
#include "proc/roles.h"
#include "shm/report.h"

#include <string.h>

struct commander {
    const struct mr_arena *a;
    const struct mr_planner *planner;
    struct mr_lane *lane;
    struct mr_hand *hand;
    uint64_t seq, stream, first_seq;
    bool ended; /* MR_PLAN_END or _FAIL is published: nothing to plan until the trainer asks */
};

static bool is_last(uint32_t kind)
{
    return kind == MR_PLAN_END || kind == MR_PLAN_FAIL;
}

static int seek(struct commander *c, uint64_t stream, struct mr_errbuf *e)
{
    struct mr_request r = c->a->control->request[stream & 1];
    c->stream = stream;
    c->first_seq = c->seq + 1;
    c->ended = false;
    MR_CRASH_POINT("commander.seeking");
    if (!c->planner->seek_to)
        return c->planner->seek(c->planner->ctx, r.epoch, r.batch, e);
    if (r.state_bytes > c->a->shape.state_bytes)
        return mr__fail(e, MR_E_CORRUPT, "a request brings %u bytes of state, %llu are allowed",
                        r.state_bytes, (unsigned long long)c->a->shape.state_bytes);
    int rc = c->planner->seek_to(c->planner->ctx, &r, mr__request_state(c->a, stream), e);
    MR_SET(c->a->control->request[stream & 1].state_bytes, r.state_bytes);
    __atomic_store_n(&c->a->control->request[stream & 1].has_state, r.has_state, __ATOMIC_RELEASE);
    return rc;
}

/* Where a predecessor stood, or the beginning. */
static int begin(struct commander *c, struct mr_errbuf *e)
{
    c->seq = mr__commander_last_seq(c->a);
    if (c->seq == 0)
        return seek(c, 0, e);
    const struct mr_cursor *cursor = mr__plan_cursor(c->a, c->seq);
    if (cursor->seq != c->seq || cursor->head.state_bytes > c->a->shape.state_bytes)
        return mr__fail(e, MR_E_CORRUPT, "the commander's cursor does not match its slots");
    MR_CRASH_POINT("commander.resuming");
    c->stream = cursor->head.stream;
    c->first_seq = cursor->head.first_seq;
    c->ended = is_last(cursor->head.kind);
    return c->planner->resume(c->planner->ctx, &cursor->head, cursor + 1, e);
}

/* The trainer writes the place first and the id last, and never a second request before the first
 * is done. */
static int obey(struct commander *c, struct mr_errbuf *e)
{
    struct mr_control *control = c->a->control;
    uint64_t wanted = __atomic_load_n(&control->request_id, __ATOMIC_ACQUIRE);
    if (wanted == c->stream)
        return MR_OK;
    MR_CRASH_POINT("commander.cancelling");
    mr__commander_cancel(c->a, wanted);
    MR_CRASH_POINT("commander.cancelled");
    int rc = seek(c, wanted, e);
    MR_CRASH_POINT("commander.sought");
    __atomic_store_n(&control->request_done, wanted, __ATOMIC_RELEASE);
    MR_CRASH_POINT("commander.obeyed");
    mr__signal_ready(c->a);
    return rc;
}

static int plan_into(struct commander *c, uint32_t slot, uint64_t from, struct mr_errbuf *e)
{
    struct mr_plan_head head = {.stream = c->stream, .first_seq = c->first_seq};
    mr__hand_doing(c->hand, MR_DOING_PLAN);
    MR_CRASH_POINT("commander.took");
    int rc = c->planner->plan(c->planner->ctx, slot, &head, e);
    if (rc != MR_OK)
        return rc;
    if (head.rows > c->a->shape.rows || head.tasks > c->a->shape.tasks ||
        head.state_bytes > c->a->shape.state_bytes)
        return mr__fail(e, MR_E_CORRUPT,
                        "a planned batch has %u rows in %u tasks and %u bytes of state, a slot has "
                        "room for %u, %u and %llu",
                        head.rows, head.tasks, head.state_bytes, c->a->shape.rows,
                        c->a->shape.tasks, (unsigned long long)c->a->shape.state_bytes);
    MR_CRASH_POINT("commander.messages_written");
    c->seq++;
    mr__plan_write_head(mr__plan_head(c->a, slot), &head);
    MR_CRASH_POINT("commander.head_written");
    struct mr_cursor *cursor = mr__plan_cursor(c->a, c->seq);
    cursor->seq = c->seq;
    MR_CRASH_POINT("commander.half_cursor");
    cursor->head = head;
    memcpy(cursor + 1, mr__plan_state(c->a, slot), head.state_bytes);
    c->ended = is_last(head.kind);
    MR_CRASH_POINT("commander.cursor_written");
    mr__commander_publish(c->a, slot, from, c->seq);
    mr__hand_expected(c->a);
    return MR_OK;
}

static void wait_for_slot(struct commander *c, uint32_t seen)
{
    uint64_t from = mr__now_ns();
    mr__hand_doing(c->hand, MR_DOING_WAIT);
    MR_CRASH_POINT("commander.waiting");
    mr__bell_wait(&c->a->control->free_bell, seen, -1);
    MR_CRASH_POINT("commander.woken");
    mr__lane_count_up(c->lane, MR_COUNT_IDLE_NS, mr__now_ns() - from);
}

int mr__commander_loop(const struct mr_arena *a, const struct mr_planner *planner,
                       struct mr_errbuf *e)
{
    struct commander c = {.a = a,
                          .planner = planner,
                          .lane = mr__lane(a, MR_LANE_COMMANDER),
                          .hand = mr__hand_take(a, MR_LANE_COMMANDER)};
    MR_CRASH_POINT("commander.started");
    int rc = begin(&c, e);
    while (rc >= 0) {
        uint32_t seen =
            mr__bell_look(&a->control->free_bell); /* before looking at what it tells of */
        if (mr__stopping(a))
            return MR_OK;
        rc = obey(&c, e);
        if (rc < 0)
            break;
        uint64_t from;
        bool moved = mr__commander_move(a, c.seq); /* for the ended too */
        int slot = c.ended || !moved ? -1 : mr__commander_take(a, &from);
        if (slot >= 0)
            rc = plan_into(&c, (uint32_t)slot, from, e);
        if (slot < 0 || rc == MR_PLAN_LATER)
            wait_for_slot(&c, seen);
    }
    return rc;
}
