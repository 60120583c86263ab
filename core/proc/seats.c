/* SPDX-License-Identifier: Apache-2.0 */
#include "seats.h"

#include "base/crash_point.h"
#include "shm/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Before the fork, for the warden looks at the hands at once: nothing of a predecessor's may be
 * taken for the new process's own. */
static void clear_seat(const struct mr_arena *a, uint32_t lane, uint32_t lease)
{
    struct mr_lane *l = mr__lane(a, lane);
    for (uint32_t i = 0; i < a->shape.hands; i++) {
        struct mr_hand *hand = mr__hand(a, lane, i);
        MR_SET(hand->busy, 0);
        MR_SET(hand->tid, 0);
        MR_SET(hand->activity, i ? MR_DOING_NOTHING : MR_DOING_START);
        MR_SET(hand->doing_since_ns, mr__now_ns());
    }
    MR_SET(l->crash.signo, 0);
    MR_SET(l->refused, 0);
    MR_SET(l->hands_taken, 0);
    MR_SET(l->lease, lease);
}

/* The child's whole life; never returns. */
static void run_child(struct mr_warden *w, uint32_t lane, uint32_t lease)
{
    struct mr_errbuf e = {0};
    const struct mr_roles *r = w->roles;
    int rc;
    MR_SET(mr__lane(w->a, lane)->pid, (uint32_t)getpid());
    MR_CRASH_ROLE(lane == MR_LANE_COMMANDER ? "commander" : "producer");
    if (lane == MR_LANE_COMMANDER)
        rc = r->commander(r->ctx, &e);
    else if (r->exec_producer)
        rc = r->exec_producer(r->ctx, lane, lease, &e);
    else
        rc = r->producer(r->ctx, lane, lease, &e);
    if (rc < 0)
        mr__fail_run(w->a, &e);
    fflush(NULL); /* what user code printed */
    _exit(rc < 0 ? MR_EXIT_FAILED : 0);
}

int mr__seat_child(struct mr_warden *w, uint32_t lane, struct mr_errbuf *e)
{
    struct mr_seat *seat = &w->seats[lane];
    char name[16];
    if (lane == MR_LANE_COMMANDER)
        snprintf(name, sizeof name, "mr-commander");
    else
        snprintf(name, sizeof name, "mr-producer-%u", (lane - MR_LANE_PRODUCERS) % 1000);
    if (w->next_lease >= MR_LEASE_MAX)
        return mr__fail(e, MR_E_LIMIT, "%u processes have been started in this run, no more can be",
                        w->next_lease);
    uint32_t lease = ++w->next_lease;
    struct mr_child child;
    MR_CRASH_POINT("warden.seating");
    clear_seat(w->a, lane, lease);
    int rc = mr__child_fork(&child, name, e);
    if (rc == 0)
        run_child(w, lane, lease);
    if (rc < 0) { /* it may have been there, and have claimed a row, before it was ended again */
        mr__warden_recover(w->a, lane == MR_LANE_COMMANDER ? 0 : lease);
        return rc;
    }
    MR_CRASH_POINT("warden.forked");
    *seat = (struct mr_seat){.child = child, .lease = lease, .started_at = mr__now_ns()};
    return MR_OK;
}

void mr__seat_respawn_due(struct mr_warden *w, uint64_t now)
{
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct mr_seat *seat = &w->seats[i];
        struct mr_errbuf e;
        if (!seat->respawn_at || seat->respawn_at > now)
            continue;
        if (w->refilling && i >= MR_LANE_PRODUCERS)
            continue;
        MR_CRASH_POINT("warden.respawning");
        if (mr__seat_child(w, i, &e) < 0) { /* no free pid: go on with the others, try again */
            mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING, "%s; trying again", e.text);
            seat->respawn_at = now + MR_BACKOFF_LAST_MS * 1000000ull;
        }
    }
}

const char *mr__seat_name(uint32_t lane, char text[32])
{
    if (lane == MR_LANE_COMMANDER)
        return "the commander";
    snprintf(text, 32, "producer %u", lane - MR_LANE_PRODUCERS);
    return text;
}
