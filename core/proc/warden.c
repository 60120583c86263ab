/* SPDX-License-Identifier: Apache-2.0
 *
 * warden.c: the warden's loop. It sleeps until a process has ended or was stopped, the trainer is
 * gone or wants something, or the earliest of all deadlines; with nobody busy, without end.
 */
#include "proc/warden.h"

#include "base/crash_point.h"
#include "proc/seats.h"
#include "shm/report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LATE_NS 500000000ull /* woken so much after a deadline: we stood still ourselves */

enum { POLL_TRAINER, POLL_BELL, POLL_CHILD, POLL_SEATS }; /* then seats and stuck, who is there */

/* What is waited for. Only descriptors that are open: poll takes no more entries than RLIMIT_NOFILE
 * allows, used or not. */
struct polls {
    struct pollfd *fd;
    uint32_t *whose; /* a lane, or nseats + a number of w->stuck */
    uint32_t n;
};

static uint64_t soonest_respawn(const struct mr_warden *w)
{
    uint64_t soonest = UINT64_MAX;
    for (uint32_t i = 1; i < w->nseats; i++)
        if (w->seats[i].respawn_at)
            soonest = mr__earlier(soonest, w->seats[i].respawn_at);
    return soonest;
}

/* Says first that the warden sleeps, and looks then: a commander that publishes after the look sees
 * that it was said, and rings. */
static uint64_t look_at_limits(struct mr_warden *w)
{
    uint32_t *sleeps = &w->a->control->warden_sleeps;
    __atomic_store_n(sleeps, 1, __ATOMIC_SEQ_CST);
    uint64_t next = mr__watch_limits(w, mr__now_ns());
    if (next != UINT64_MAX)
        __atomic_store_n(sleeps, 0, __ATOMIC_SEQ_CST);
    return next;
}

/* Does what is due, and returns when the next thing is. */
static uint64_t do_what_is_due(struct mr_warden *w)
{
    mr__refill_check(w);
    mr__seat_respawn_due(w, mr__now_ns());
    uint64_t limits = look_at_limits(w); /* may begin a fence */
    uint64_t fences = mr__fence_check(w, mr__now_ns());
    return mr__earlier(mr__earlier(limits, fences), soonest_respawn(w));
}

static void add_poll(struct polls *p, int fd, uint32_t whose)
{
    p->fd[p->n] = (struct pollfd){.fd = fd, .events = POLLIN};
    p->whose[p->n++] = whose;
}

static void fill_polls(const struct mr_warden *w, struct polls *p)
{
    p->n = 0;
    add_poll(p, w->trainer_pidfd, 0);
    add_poll(p, w->a->warden_fd, 0);
    add_poll(p, w->signal_fd, 0);
    for (uint32_t i = 1; i < w->nseats; i++)
        if (w->seats[i].child.pid)
            add_poll(p, w->seats[i].child.pidfd, i);
    for (uint32_t i = 0; i < MR_STUCK_MAX; i++)
        if (w->stuck[i].pid)
            add_poll(p, w->stuck[i].pidfd, w->nseats + i);
}

static int sleep_ms(uint64_t until)
{
    uint64_t now = mr__now_ns();
    if (until == UINT64_MAX)
        return -1;
    uint64_t ms = until > now ? (until - now) / 1000000 + 1 : 0;
    return ms < 86400000 ? (int)ms : 86400000;
}

/* Whoever stops a whole container stops us, too: the others have not had the time that has passed.
 */
static void notice_lateness(struct mr_warden *w, uint64_t until)
{
    uint64_t now = mr__now_ns();
    if (until != UINT64_MAX && now > until + LATE_NS)
        w->alive_from = now;
}

static void handle(struct mr_warden *w, const struct polls *p)
{
    uint64_t rung;
    if (p->fd[POLL_BELL].revents && read(w->a->warden_fd, &rung, sizeof rung) < 0)
        errno = 0; /* somebody was faster */
    if (p->fd[POLL_CHILD].revents)
        mr__watch_stops(w, mr__now_ns());
    bool quiet = true;
    for (uint32_t i = POLL_SEATS; i < p->n; i++) {
        if (!(p->fd[i].revents & POLLIN))
            continue;
        quiet = false;
        if (p->whose[i] < w->nseats)
            mr__death(w, p->whose[i]);
        else
            mr__fence_unstuck(w, p->whose[i] - w->nseats);
    }
    if (quiet)
        mr__oom_forget(&w->oom);
}

static void cannot_wait(const struct mr_warden *w)
{
    struct mr_errbuf e;
    mr__fail_errno(&e, MR_E_SYSTEM, "the warden cannot wait for its %u processes (poll)",
                   w->nseats - 1);
    mr__fail_run(w->a, &e);
}

static void watch(struct mr_warden *w, struct polls *p)
{
    while (!mr__stopping(w->a)) {
        uint64_t until = do_what_is_due(w);
        fill_polls(w, p);
        if (poll(p->fd, p->n, sleep_ms(until)) < 0) {
            if (errno == EINTR)
                continue;
            cannot_wait(w);
            return;
        }
        notice_lateness(w, until);
        if (p->fd[POLL_TRAINER].revents) {
            MR_CRASH_POINT("warden.trainer_dead");
            return; /* the trainer is dead: so are we, soon */
        }
        handle(w, p);
    }
}

static int start_all(struct mr_warden *w, struct mr_errbuf *e)
{
    int rc = mr__helper_index(w, e);
    MR_CRASH_POINT("warden.indexed");
    for (uint32_t i = MR_LANE_COMMANDER; rc >= 0 && i < w->nseats; i++)
        rc = mr__seat_child(w, i, e);
    return rc;
}

static void set_phase(const struct mr_warden *w, enum mr_phase phase)
{
    __atomic_store_n(&w->a->control->phase, (uint32_t)phase, __ATOMIC_RELEASE);
    mr__signal_ready(w->a);
}

/* SIGCHLD tells of children that were stopped; their deaths come through their pidfds. */
static int watch_children(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

int mr__warden_run(const struct mr_arena *a, const struct mr_roles *roles, int trainer_pidfd)
{
    struct mr_errbuf e = {0};
    struct mr_warden *w = calloc(1, sizeof *w);
    uint32_t nseats = mr__lane_count(a);
    struct mr_seat *seats = calloc(nseats, sizeof *seats);
    size_t most = POLL_SEATS + nseats + MR_STUCK_MAX;
    struct polls polls = {calloc(most, sizeof *polls.fd), calloc(most, sizeof *polls.whose), 0};
    MR_CRASH_ROLE("warden");
    MR_CRASH_POINT("warden.started");
    int rc = MR_OK;
    MR_SET(mr__lane(a, MR_LANE_WARDEN)->pid, (uint32_t)getpid());
    if (!w || !seats || !polls.fd || !polls.whose) {
        mr__fail(&e, MR_E_MEMORY, "no memory for the warden");
        mr__fail_run(a, &e);
        rc = e.code;
    } else {
        *w = (struct mr_warden){.a = a,
                                .roles = roles,
                                .trainer_pidfd = trainer_pidfd,
                                .signal_fd = watch_children(),
                                .seats = seats,
                                .nseats = nseats};
        mr__oom_open(&w->oom);
        rc = mr__warden_reserve(a, &e);
        if (rc >= 0)
            rc = start_all(w, &e);
        if (rc < 0) {
            mr__fail_run(a, &e);
        } else {
            MR_CRASH_POINT("warden.all_seated");
            set_phase(w, MR_PHASE_READY);
            MR_CRASH_POINT("warden.ready");
            watch(w, &polls);
        }
        mr__fence_all(w);
        MR_CRASH_POINT("warden.all_stopped");
        set_phase(w, MR_PHASE_ENDED);
        MR_CRASH_POINT("warden.ended");
        if (w->signal_fd >= 0)
            close(w->signal_fd);
    }
    free(polls.fd);
    free(polls.whose);
    free(seats);
    free(w);
    return rc < 0;
}
