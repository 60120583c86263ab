/* SPDX-License-Identifier: Apache-2.0
 *
 * fence.c: ending a process. Its rows are given to others when its pidfd says that it is gone, not
 * before: until then it may write into them. SIGKILL does not always end a process at once (a dead
 * network disk, a frozen container); one that is still there after MR_FENCE_MS keeps its slot, and
 * the batch moves to a spare one. It runs no instruction of its own any more, so its lane can be
 * given to a successor.
 */
#include "seats.h"

#include "base/crash_point.h"
#include "shm/report.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STOP_GRACE_MS 250 /* to end in good order (user code's destroy hooks) before SIGKILL */

static void send_kill(const struct mr_child *child)
{
    if (MR_CRASH_SKIPS("warden.kill")) /* a process that cannot be ended, for the tests */
        return;
    syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

void mr__fence_begin(struct mr_warden *w, uint32_t lane, enum mr_why why)
{
    struct mr_seat *seat = &w->seats[lane];
    if (!seat->child.pid || seat->killed_at)
        return;
    send_kill(&seat->child);
    MR_CRASH_POINT("warden.kill_sent");
    seat->why = why;
    seat->killed_at = mr__now_ns();
}

/* ---- what cannot be ended ---- */

static int free_place(const struct mr_warden *w)
{
    for (int i = 0; i < MR_STUCK_MAX; i++)
        if (!w->stuck[i].pid)
            return i;
    return -1;
}

static void give_up_run(struct mr_warden *w, int code, const char *sentence)
{
    struct mr_errbuf e;
    mr__fail(&e, code, "%s", sentence);
    mr__fail_run(w->a, &e);
}

static void keep_stuck(struct mr_warden *w, uint32_t lane, int place)
{
    struct mr_seat *seat = &w->seats[lane];
    struct mr_stuck *shown = &w->a->control->stuck[place];
    w->stuck[place] = seat->child;
    MR_SET(shown->lease, seat->lease);
    MR_SET(shown->lane, lane);
    MR_SET(shown->since_ns, seat->killed_at);
    MR_SET(shown->pid, (uint32_t)seat->child.pid);
    *seat = (struct mr_seat){.child = {0, -1}, .respawn_at = mr__now_ns()};
}

/* Its slot stays closed, everything else goes on. */
static void set_aside(struct mr_warden *w, uint32_t lane)
{
    const struct mr_seat *seat = &w->seats[lane];
    char text[32], sentence[400];
    const char *name = mr__seat_name(lane, text);
    int place = free_place(w), pid = (int)seat->child.pid;
    if (lane == MR_LANE_COMMANDER || place < 0) {
        snprintf(sentence, sizeof sentence,
                 "%s (process %d) cannot be ended: it does not die of SIGKILL within %d ms%s", name,
                 pid, MR_FENCE_MS, place < 0 ? ", like many before it" : "");
        give_up_run(w, MR_E_DIED, sentence);
        return;
    }
    struct mr_blame blame;
    mr__blame(w, lane, -1, &blame);
    MR_CRASH_POINT("warden.quarantining");
    int slots = mr__warden_quarantine(w->a, seat->lease);
    if (slots < 0) {
        snprintf(
            sentence, sizeof sentence,
            "%s (process %d) cannot be ended within %d ms, its slot has to stay closed, and no "
            "spare one is left: find out what it waits for (a dead disk or network file "
            "system, a frozen container), or set 'spares' higher than %u",
            name, pid, MR_FENCE_MS, w->a->shape.spares);
        give_up_run(w, MR_E_LIMIT, sentence);
        return;
    }
    MR_TALLY(w, quarantines, (uint64_t)slots);
    MR_TALLY(w, respawns, 1);
    mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING,
                   "%s (process %d) cannot be ended within %d ms; %d slots that it holds are set "
                   "aside until it does end, their batches move to spare slots, and it is replaced",
                   name, pid, MR_FENCE_MS, slots);
    MR_CRASH_POINT("warden.quarantined");
    keep_stuck(w, lane, place);
    MR_CRASH_POINT("warden.kept_stuck");
    if (MR_GET(w->a->control->doubt)) /* it has crashed on its way */
        mr__refill_begin(w);
}

uint64_t mr__fence_check(struct mr_warden *w, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct mr_seat *seat = &w->seats[i];
        if (!seat->child.pid || !seat->killed_at)
            continue;
        uint64_t until = seat->killed_at + MR_FENCE_MS * 1000000ull;
        if (now >= until)
            set_aside(w, i);
        else
            next = mr__earlier(next, until);
    }
    return next;
}

void mr__fence_unstuck(struct mr_warden *w, uint32_t number)
{
    struct mr_stuck *shown = &w->a->control->stuck[number];
    char text[32];
    uint32_t lane = MR_GET(shown->lane), lease = MR_GET(shown->lease), pid = MR_GET(shown->pid);
    uint64_t since = MR_GET(shown->since_ns);
    mr__child_reap(&w->stuck[number]);
    mr__warden_recover(w->a, lease);
    MR_SET(shown->pid, 0);
    mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_INFO,
                   "%s's process %u has ended at last, %.1f s after it was killed; its slot is "
                   "used again",
                   mr__seat_name(lane, text), pid, (double)(mr__now_ns() - since) / 1e9);
}

/* ---- everybody ---- */

/* Reaps those that end before `until`. */
static void wait_for_all(struct mr_warden *w, uint64_t until)
{
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct mr_child *child = &w->seats[i].child;
        uint64_t now = mr__now_ns();
        struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
        if (child->pid && poll(&p, 1, now < until ? (int)((until - now) / 1000000) + 1 : 0) == 1) {
            MR_CRASH_POINT("warden.child_ended");
            mr__child_reap(child);
        }
    }
}

void mr__fence_all(struct mr_warden *w)
{
    __atomic_store_n(&w->a->control->stop, 1, __ATOMIC_RELEASE);
    MR_CRASH_POINT("warden.stop_set");
    mr__warden_wake_all(w->a);
    MR_CRASH_POINT("warden.stop_rung");
    wait_for_all(w, mr__now_ns() + STOP_GRACE_MS * 1000000ull);
    for (uint32_t i = 1; i < w->nseats; i++)
        if (w->seats[i].child.pid)
            send_kill(&w->seats[i].child);
    wait_for_all(w, mr__now_ns() + MR_FENCE_MS * 1000000ull);
}
