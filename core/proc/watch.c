/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.c: time. A row has `sample_timeout` seconds by the clock and `sample_cpu_timeout` of its
 * thread's processor time; a process may stand still (SIGSTOP) for `sample_timeout`, idle or not.
 * Nothing is looked at before the earliest moment at which it could be over.
 */
#include "seats.h"

#include "shm/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_STEP_NS 10000000ull /* between two looks at a processor time that is nearly over */

/* ---- who stands still ---- */

static void take_changes(struct mr_seat *seat, uint64_t now)
{
    siginfo_t info;
    for (;;) {
        memset(&info, 0, sizeof info);
        if (waitid(P_PID, (id_t)seat->child.pid, &info, WSTOPPED | WCONTINUED | WNOHANG) < 0 ||
            info.si_pid == 0)
            return;
        if (info.si_code == CLD_CONTINUED) {
            seat->stopped_at = 0;
            seat->alive_from = now;
        } else if (!seat->stopped_at) {
            seat->stopped_at = now;
        }
    }
}

void mr__watch_stops(struct mr_warden *w, uint64_t now)
{
    struct signalfd_siginfo signals[16];
    while (read(w->signal_fd, signals, sizeof signals) > 0)
        ;
    for (uint32_t i = 1; i < w->nseats; i++)
        if (w->seats[i].child.pid)
            take_changes(&w->seats[i], now);
}

/* ---- who works too long ---- */

/* Processor time of a thread of another process; 0 when it cannot be read. It lags by a timer tick
 * at most. */
static uint64_t cpu_time_ns(pid_t pid, uint32_t tid)
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/task/%u/schedstat", (int)pid, tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    return strtoull(text, NULL, 10);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When the hand has to be looked at again, or `now` with the reason for which it is over. */
static uint64_t look_at_hand(const struct mr_warden *w, const struct mr_seat *seat,
                             const struct mr_hand *hand, uint64_t now, enum mr_why *why)
{
    uint64_t wall = w->roles->sample_timeout_ns, cpu = w->roles->sample_cpu_timeout_ns;
    if (!__atomic_load_n(&hand->busy, __ATOMIC_SEQ_CST))
        return UINT64_MAX;
    uint64_t since = later(MR_GET(hand->since_ns), later(seat->alive_from, w->alive_from));
    if (now >= since + wall) {
        *why = MR_WHY_TIMEOUT;
        return now;
    }
    uint64_t next = since + cpu; /* a thread's time does not run faster than the clock */
    if (now >= next) {
        uint64_t used = cpu_time_ns(seat->child.pid, MR_GET(hand->tid)), at = MR_GET(hand->cpu_ns);
        used = used > at ? used - at : 0;
        if (used >= cpu) {
            *why = MR_WHY_CPU;
            return now;
        }
        next = now + later(cpu - used, CPU_STEP_NS);
    }
    return mr__earlier(next, since + wall);
}

static uint64_t look_at_hands(struct mr_warden *w, uint32_t lane, uint64_t now)
{
    struct mr_seat *seat = &w->seats[lane];
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; i < w->a->shape.hands; i++) {
        const struct mr_hand *hand = mr__hand(w->a, lane, i);
        enum mr_why why = MR_WHY_NOT;
        uint64_t since = MR_GET(hand->since_ns), at = look_at_hand(w, seat, hand, now, &why);
        next = mr__earlier(next, at);
        if (!why)
            continue;
        seat->hand = i;
        seat->hand_since = since;
        if (MR_GET(hand->activity) == MR_DOING_AHEAD) /* its death may be long in coming */
            MR_SET(w->a->control->ahead_off, 1);
        mr__fence_begin(w, lane, seat->stopped_at ? MR_WHY_STOPPED : why);
        return UINT64_MAX; /* the fence has its own deadline */
    }
    return next;
}

/* Rows that may be claimed at any moment, or will be when the commander has moved their batch. */
static bool is_work(uint64_t slot)
{
    enum mr_slot_state state = mr__slot_state(slot);
    return state == MR_SLOT_RESERVED || (state == MR_SLOT_QUARANTINED && !mr__slot_moved(slot));
}

/* A claim that is yet to come cannot be over its limit before one of now would be. */
static uint64_t look_at_slots(const struct mr_warden *w, uint64_t now)
{
    for (uint32_t i = 0; i < w->a->shape.slots; i++)
        if (is_work(mr__word_load(&mr__slot(w->a, i)->word)))
            return now + mr__earlier(w->roles->sample_timeout_ns, w->roles->sample_cpu_timeout_ns);
    return UINT64_MAX;
}

uint64_t mr__watch_limits(struct mr_warden *w, uint64_t now)
{
    uint64_t next = look_at_slots(w, now);
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct mr_seat *seat = &w->seats[i];
        if (!seat->child.pid || seat->killed_at)
            continue;
        if (seat->stopped_at && now >= seat->stopped_at + w->roles->sample_timeout_ns) {
            mr__fence_begin(w, i, MR_WHY_STOPPED);
            continue;
        }
        if (seat->stopped_at)
            next = mr__earlier(next, seat->stopped_at + w->roles->sample_timeout_ns);
        if (i >= MR_LANE_PRODUCERS) /* a user's commander may wait as long as it likes */
            next = mr__earlier(next, look_at_hands(w, i, now));
    }
    return next;
}
