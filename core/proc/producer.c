/* SPDX-License-Identifier: Apache-2.0
 *
 * producer.c: the loop of a producer: claim a task, fill it, finish it; wait for work when there is
 * none.
 */
#include "base/crash_point.h"
#include "base/message.h"
#include "proc/crash.h"
#include "proc/roles.h"
#include "shm/report.h"

static void wait_for_work(const struct mr_arena *a, struct mr_lane *lane, struct mr_hand *hand,
                          uint32_t seen)
{
    uint64_t from = mr__now_ns();
    mr__hand_doing(hand, MR_DOING_WAIT);
    MR_CRASH_POINT("producer.waiting");
    mr__bell_wait(&a->control->work_bell, seen, -1);
    MR_CRASH_POINT("producer.woken");
    mr__lane_count_up(lane, MR_COUNT_IDLE_NS, mr__now_ns() - from);
}

/* So that the warden knows since when, and can say what a dead producer was at. */
static void begin(const struct mr_arena *a, struct mr_hand *hand, const struct mr_claim *claim)
{
    const struct mr_message *m = mr__plan_message(a, claim->slot, claim->task);
    mr__hand_begin(hand, claim, m->epoch, m->position);
}

int mr__producer_loop(const struct mr_arena *a, uint32_t lane_number, uint32_t lease,
                      const struct mr_filler *filler, struct mr_errbuf *e)
{
    struct mr_lane *lane = mr__lane(a, lane_number);
    struct mr_crash_stack stack;
    struct mr_hand *hand = mr__hand_take(a, lane_number);
    int rc = mr__crash_stack_new(&stack, e);
    while (rc >= 0) {
        uint32_t seen =
            mr__bell_look(&a->control->work_bell); /* before looking at what it tells of */
        struct mr_claim claim;
        if (mr__stopping(a))
            break;
        if (!mr__producer_claim(a, lease, &claim)) {
            wait_for_work(a, lane, hand, seen);
            continue;
        }
        begin(a, hand, &claim);
        MR_CRASH_POINT("producer.claim_noted");
        uint32_t bad = 0;
        rc = filler->fill(filler->ctx, &claim, &bad, e);
        if (rc < 0)
            break; /* the row stays BUSY: the run is over */
        mr__producer_finish(a, &claim, bad);
        MR_CRASH_POINT("producer.settled");
        mr__hand_end(hand);
    }
    mr__crash_stack_free(&stack);
    return rc;
}
