/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/warden.h"

#include "proc/callfilter.h"
#include "proc/child.h"
#include "shm/report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_GRACE_MS 250 /* to end in good order (user code's destroy hooks) before SIGKILL */
#define FENCE_MS 2000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 5000

struct seat { /* a lane and who sits in it */
    struct mr_child child;
    uint32_t lease;
    uint64_t respawn_at; /* ns; 0: not waiting to be replaced */
};

struct warden {
    const struct mr_arena *a;
    const struct mr_roles *roles;
    int trainer_pidfd;
    struct seat *seats; /* by lane; [0], the warden's own, is unused */
    uint32_t nseats, next_lease;
    uint32_t deaths; /* with no row finished between them */
    uint64_t rows_at_death;
    struct pollfd *polls;
};

/* ---- starting ---- */

static void sit_down(struct warden *w, uint32_t lane, uint32_t lease)
{
    struct mr_lane *l = mr__lane(w->a, lane);
    MR_SET(l->pid, (uint32_t)getpid());
    MR_SET(l->lease, lease);
    MR_SET(l->refused, 0);
    mr__lane_doing(l, MR_DOING_START);
}

/* The child's whole life; never returns. */
static void run_child(struct warden *w, uint32_t lane, uint32_t lease)
{
    struct mr_errbuf e = {0};
    const struct mr_roles *r = w->roles;
    int rc;
    sit_down(w, lane, lease);
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

static int seat_child(struct warden *w, uint32_t lane, struct mr_errbuf *e)
{
    char name[16];
    if (lane == MR_LANE_COMMANDER)
        snprintf(name, sizeof name, "mr-commander");
    else
        snprintf(name, sizeof name, "mr-producer-%u", (lane - MR_LANE_PRODUCERS) % 1000);
    if (w->next_lease >= MR_LEASE_MAX)
        return mr__fail(e, MR_E_LIMIT, "%u processes have been started in this run, no more can be",
                        w->next_lease);
    uint32_t lease = ++w->next_lease;
    int rc = mr__child_fork(&w->seats[lane].child, name, e);
    if (rc == 0)
        run_child(w, lane, lease);
    if (rc < 0)
        return rc;
    w->seats[lane].lease = lease;
    w->seats[lane].respawn_at = 0;
    return MR_OK;
}

/* ---- ending ---- */

static void stop_all(struct warden *w)
{
    __atomic_store_n(&w->a->control->stop, 1, __ATOMIC_RELEASE);
    mr__warden_wake_all(w->a);
    uint64_t until = mr__now_ns() + STOP_GRACE_MS * 1000000ull;
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct mr_child *child = &w->seats[i].child;
        if (!child->pid)
            continue;
        uint64_t now = mr__now_ns();
        struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
        int left = now < until ? (int)((until - now) / 1000000) + 1 : 0;
        if (poll(&p, 1, left) == 1 || mr__child_fence(child, FENCE_MS))
            mr__child_reap(child);
    }
}

/* ---- deaths ---- */

static uint64_t rows_finished(const struct mr_arena *a)
{
    uint64_t rows = 0;
    for (uint32_t i = MR_LANE_PRODUCERS; i < mr__lane_count(a); i++)
        rows += MR_GET(mr__lane(a, i)->count[MR_COUNT_ROWS]);
    return rows;
}

static void describe_work(struct warden *w, uint32_t lane, char *text, size_t bytes)
{
    const struct mr_lane *l = mr__lane(w->a, lane);
    uint64_t sample = MR_GET(l->sample);
    if (lane == MR_LANE_COMMANDER || MR_GET(l->activity) <= MR_DOING_WAIT) { /* or starting */
        snprintf(text, bytes, "%s", "");
        return;
    }
    int n = snprintf(text, bytes, " at row %u of batch sequence %llu", MR_GET(l->row),
                     (unsigned long long)MR_GET(l->seq) - 1);
    if (sample != UINT64_MAX && n > 0 && (size_t)n < bytes) {
        n += snprintf(text + n, bytes - (size_t)n, ", sample %llu ", (unsigned long long)sample);
        if ((size_t)n < bytes)
            w->roles->name_sample(w->roles->ctx, sample, text + n, bytes - (size_t)n);
    }
}

/* How it died; for a call that the sandbox forbids, which. */
static void describe_death(struct warden *w, uint32_t lane, int status, char *text, size_t bytes)
{
    char call[96];
    uint32_t refused = MR_GET(mr__lane(w->a, lane)->refused);
    mr__child_describe(status, text, bytes);
    size_t n = strlen(text);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS || !refused)
        return;
    mr__callfilter_name(refused, call, sizeof call);
    snprintf(text + n, bytes - n, " for %s, which the sandbox forbids", call);
}

static uint64_t backoff_ns(uint32_t deaths)
{
    uint64_t ms = deaths < 2 ? 0 : BACKOFF_FIRST_MS;
    for (uint32_t i = 2; i < deaths && ms < BACKOFF_LAST_MS; i++)
        ms *= 2;
    return (ms < BACKOFF_LAST_MS ? ms : BACKOFF_LAST_MS) * 1000000;
}

static const char *role_name(uint32_t lane, char *text, size_t bytes)
{
    if (lane == MR_LANE_COMMANDER)
        return "the commander";
    snprintf(text, bytes, "producer %u", lane - MR_LANE_PRODUCERS);
    return text;
}

/* Whether another try makes sense; else the run fails with what is known. */
static bool may_replace(struct warden *w, uint32_t lane, const char *role, const char *death,
                        const char *work)
{
    struct mr_errbuf e;
    uint64_t rows = rows_finished(w->a);
    w->deaths = rows == w->rows_at_death ? w->deaths + 1 : 1;
    w->rows_at_death = rows;
    if (lane == MR_LANE_COMMANDER && !MR_GET(w->a->control->commander_resumes)) {
        mr__fail(&e, MR_E_DIED,
                 "%s %s, and a user's commander cannot be replaced without its "
                 "save and load hooks",
                 role, death);
    } else if (w->deaths >= w->a->control->max_restarts) {
        mr__fail(&e, MR_E_DIED,
                 "%u processes died with no row finished between them; the last, "
                 "%s, %s%s",
                 w->deaths, role, death, work);
    } else {
        return true;
    }
    mr__fail_run(w->a, &e);
    return false;
}

static void on_death(struct warden *w, uint32_t lane)
{
    struct seat *seat = &w->seats[lane];
    char buffer[32], death[224], work[256];
    int status = mr__child_reap(&seat->child); /* its pidfd was readable: the fence is there */
    mr__warden_recover(w->a, lane == MR_LANE_COMMANDER ? 0 : seat->lease);
    mr__finish_failure(w->a);
    if (mr__stopping(w->a) || (WIFEXITED(status) && WEXITSTATUS(status) == MR_EXIT_FAILED))
        return;
    const char *role = role_name(lane, buffer, sizeof buffer);
    describe_death(w, lane, status, death, sizeof death);
    describe_work(w, lane, work, sizeof work);
    if (!may_replace(w, lane, role, death, work))
        return;
    MR_SET(w->a->control->respawns, w->a->control->respawns + 1);
    mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING,
                   "%s %s%s; its work is given to "
                   "others and it is replaced",
                   role, death, work);
    seat->respawn_at = mr__now_ns() + backoff_ns(w->deaths);
}

static void respawn_due(struct warden *w)
{
    for (uint32_t i = 1; i < w->nseats; i++) {
        struct seat *seat = &w->seats[i];
        struct mr_errbuf e;
        if (!seat->respawn_at || seat->respawn_at > mr__now_ns())
            continue;
        if (seat_child(w, i, &e) < 0) { /* no free pid: go on with the others, try again */
            mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING, "%s; trying again", e.text);
            seat->respawn_at = mr__now_ns() + BACKOFF_LAST_MS * 1000000ull;
        }
    }
}

static int next_timeout(const struct warden *w)
{
    uint64_t soonest = UINT64_MAX, now = mr__now_ns();
    for (uint32_t i = 1; i < w->nseats; i++)
        if (w->seats[i].respawn_at && w->seats[i].respawn_at < soonest)
            soonest = w->seats[i].respawn_at;
    if (soonest == UINT64_MAX)
        return -1;
    return soonest <= now ? 0 : (int)((soonest - now) / 1000000) + 1;
}

/* ---- the loop ---- */

static void watch(struct warden *w)
{
    struct pollfd *p = w->polls;
    while (!mr__stopping(w->a)) {
        p[0] = (struct pollfd){.fd = w->trainer_pidfd, .events = POLLIN};
        for (uint32_t i = 1; i < w->nseats; i++)
            p[i] = (struct pollfd){.fd = w->seats[i].child.pid ? w->seats[i].child.pidfd : -1,
                                   .events = POLLIN};
        p[w->nseats] = (struct pollfd){.fd = w->a->warden_fd, .events = POLLIN};
        if (poll(p, w->nseats + 1, next_timeout(w)) < 0 && errno != EINTR)
            return;
        if (p[0].revents)
            return; /* the trainer is dead: so are we, soon */
        for (uint32_t i = 1; i < w->nseats; i++)
            if (p[i].revents & POLLIN)
                on_death(w, i);
        respawn_due(w);
    }
}

static int build_index(struct warden *w, struct mr_errbuf *e)
{
    const struct mr_roles *r = w->roles;
    struct mr_child helper;
    if (!r->index)
        return MR_OK;
    int rc = mr__child_fork(&helper, "mr-index", e);
    if (rc == 0) {
        rc = r->index(r->ctx, e);
        if (rc < 0)
            mr__fail_run(w->a, e);
        _exit(rc < 0 ? MR_EXIT_FAILED : 0);
    }
    if (rc < 0)
        return rc;
    struct pollfd p[3] = {{.fd = helper.pidfd, .events = POLLIN},
                          {.fd = w->trainer_pidfd, .events = POLLIN},
                          {.fd = w->a->warden_fd, .events = POLLIN}};
    while (poll(p, 3, -1) < 0 && errno == EINTR)
        ;
    if (!p[0].revents && !mr__child_fence(&helper, FENCE_MS))
        return mr__fail(e, MR_E_DIED, "the index helper cannot be ended");
    int status = mr__child_reap(&helper);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return r->indexed(r->ctx, e);
    char death[96];
    mr__child_describe(status, death, sizeof death);
    return mr__fail(e, MR_E_DIED, "the process that builds the index %s", death);
}

static int start_all(struct warden *w, struct mr_errbuf *e)
{
    int rc = build_index(w, e);
    for (uint32_t i = MR_LANE_COMMANDER; rc >= 0 && i < w->nseats; i++)
        rc = seat_child(w, i, e);
    return rc;
}

static void set_phase(struct warden *w, enum mr_phase phase)
{
    __atomic_store_n(&w->a->control->phase, (uint32_t)phase, __ATOMIC_RELEASE);
    mr__signal_ready(w->a);
}

int mr__warden_run(const struct mr_arena *a, const struct mr_roles *roles, int trainer_pidfd)
{
    struct warden w = {
        .a = a, .roles = roles, .trainer_pidfd = trainer_pidfd, .nseats = mr__lane_count(a)};
    struct mr_errbuf e = {0};
    w.seats = calloc(w.nseats, sizeof *w.seats);
    w.polls = calloc(w.nseats + 1, sizeof *w.polls);
    MR_SET(mr__lane(a, MR_LANE_WARDEN)->pid, (uint32_t)getpid());
    int rc = w.seats && w.polls ? start_all(&w, &e)
                                : mr__fail(&e, MR_E_MEMORY, "no memory for the warden");
    if (rc < 0) {
        mr__fail_run(a, &e);
    } else {
        set_phase(&w, MR_PHASE_READY);
        watch(&w);
    }
    stop_all(&w);
    set_phase(&w, MR_PHASE_ENDED);
    free(w.seats);
    free(w.polls);
    return rc < 0;
}
