/* SPDX-License-Identifier: Apache-2.0
 *
 * producer.c: the loop of a producer: claim a task, fill it, finish it; wait for work when there is
 * none.
 */
#include "proc/roles.h"
#include "shm/report.h"

static void wait_for_work(const struct mr_arena *a, struct mr_lane *lane, uint32_t seen)
{
    uint64_t from = mr__now_ns();
    mr__lane_doing(lane, MR_DOING_WAIT);
    mr__bell_wait(&a->control->work_bell, seen, -1);
    mr__lane_count_up(lane, MR_COUNT_IDLE_NS, mr__now_ns() - from);
}

/* So that the warden can say what a dead producer was at. */
static void note_claim(struct mr_lane *lane, const struct mr_claim *claim)
{
    MR_SET(lane->seq, claim->seq);
    MR_SET(lane->row, claim->task);
    MR_SET(lane->sample, UINT64_MAX);
}

int mr__producer_loop(const struct mr_arena *a, uint32_t lane_number, uint32_t lease,
                      const struct mr_filler *filler, struct mr_errbuf *e)
{
    struct mr_lane *lane = mr__lane(a, lane_number);
    for (;;) {
        uint32_t seen =
            mr__bell_look(&a->control->work_bell); /* before looking at what it tells of */
        struct mr_claim claim;
        if (mr__stopping(a))
            return MR_OK;
        if (!mr__producer_claim(a, lease, &claim)) {
            wait_for_work(a, lane, seen);
            continue;
        }
        note_claim(lane, &claim);
        uint32_t bad = 0;
        int rc = filler->fill(filler->ctx, &claim, &bad, e);
        if (rc < 0)
            return rc; /* the row stays BUSY: the run is over */
        mr__producer_finish(a, &claim, bad);
    }
}
