/* SPDX-License-Identifier: Apache-2.0
 *
 * deaths.c: a process has ended. Its rows go to others, one line says what it was and what is done,
 * and a successor takes its seat. Deaths with no row finished between them end the run; what dies
 * together counts once: a wave is everybody who was started before its first death.
 */
#include "seats.h"

#include "base/crash_point.h"
#include "proc/callfilter.h"
#include "proc/crash.h"
#include "shm/report.h"
#include "shm/verdict.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define BACKOFF_FIRST_MS 100

struct death {
    uint32_t lane;
    int status;
    struct mr_blame blame;
    uint32_t given_back; /* rows */
    uint64_t respawn_at; /* 0: the run ends */
    bool refill;         /* stray stores are possible */
    char name[32], how[200], work[400];
};

/* ---- what the line says ---- */

static void describe_call(uint32_t refused, char *text, size_t bytes)
{
    char call[96];
    mr__callfilter_name(refused, call, sizeof call);
    snprintf(text, bytes, " for %s, which the sandbox forbids", call);
}

static void describe_crash(const struct mr_warden *w, const struct death *d, char *text,
                           size_t bytes)
{
    int n = snprintf(text, bytes, "was killed by signal %d (%s)", d->blame.signo,
                     strsignal(d->blame.signo));
    const struct mr_lane *lane = mr__lane(w->a, d->lane);
    uint64_t address = MR_GET(lane->crash.address);
    uint32_t refused = MR_GET(lane->refused);
    if (n < 0 || (size_t)n >= bytes)
        return;
    if (d->blame.sender > 0)
        snprintf(text + n, bytes - (size_t)n, " that process %d sent", d->blame.sender);
    else if (d->blame.sender)
        snprintf(text + n, bytes - (size_t)n, " that another process sent");
    else if (d->blame.signo == SIGSYS && refused)
        describe_call(refused, text + n, bytes - (size_t)n);
    else if (address)
        snprintf(text + n, bytes - (size_t)n, " at address 0x%llx", (unsigned long long)address);
}

static void describe_how(const struct mr_warden *w, struct death *d)
{
    double limit = (double)w->roles->sample_timeout_ns / 1e9;
    double cpu = (double)w->roles->sample_cpu_timeout_ns / 1e9;
    enum mr_why why = w->seats[d->lane].why;
    if (d->blame.signo)
        describe_crash(w, d, d->how, sizeof d->how);
    else if (why == MR_WHY_STOPPED)
        snprintf(d->how, sizeof d->how,
                 "stood still (stopped by a signal) for longer than 'sample_timeout' (%.4g s) and "
                 "was ended",
                 limit);
    else if (why == MR_WHY_TIMEOUT)
        snprintf(d->how, sizeof d->how,
                 "worked longer than 'sample_timeout' (%.4g s) and was ended", limit);
    else if (why == MR_WHY_CPU)
        snprintf(d->how, sizeof d->how,
                 "used more processor time than 'sample_cpu_timeout' (%.4g s) and was ended", cpu);
    else if (d->blame.cause == MR_CAUSE_OOM)
        snprintf(d->how, sizeof d->how,
                 "was killed by the kernel's OOM killer (signal 9): memory is short");
    else
        mr__child_describe(d->status, d->how, sizeof d->how);
}

static void describe_work(const struct mr_warden *w, struct death *d)
{
    static const char *const doing[MR_ACTIVITIES] = {[MR_DOING_READ] = " (reading)",
                                                     [MR_DOING_DECODE] = " (decoding)",
                                                     [MR_DOING_USER] = " (in user code)",
                                                     [MR_DOING_AHEAD] =
                                                         " (reading ahead for other rows)"};
    d->work[0] = 0;
    if (d->blame.hand == UINT32_MAX)
        return;
    const struct mr_hand *hand = mr__hand(w->a, d->lane, d->blame.hand);
    uint64_t sample = MR_GET(hand->sample);
    uint32_t activity = MR_GET(hand->activity);
    int n = snprintf(d->work, sizeof d->work, " at row %u of batch sequence %llu",
                     MR_GET(hand->task), (unsigned long long)MR_GET(hand->seq) - 1);
    if (sample != UINT64_MAX) {
        n += snprintf(d->work + n, sizeof d->work - (size_t)n, ", sample %llu ",
                      (unsigned long long)sample);
        w->roles->name_sample(w->roles->ctx, sample, d->work + n, sizeof d->work - (size_t)n);
        n = (int)strlen(d->work);
        while (n && d->work[n - 1] == ' ')
            d->work[--n] = 0;
    }
    snprintf(d->work + n, sizeof d->work - (size_t)n, "%s",
             activity < MR_ACTIVITIES && doing[activity] ? doing[activity] : "");
}

/* ---- whether another try makes sense ---- */

/* A row that was given up after two deaths is no sign of life: code that always crashes would go on
 * until nothing is left. */
static uint64_t rows_finished(const struct mr_warden *w)
{
    uint64_t rows = 0;
    for (uint32_t i = MR_LANE_PRODUCERS; i < w->nseats; i++)
        rows += MR_GET(mr__lane(w->a, i)->count[MR_COUNT_MADE]);
    return rows;
}

static void count_wave(struct mr_warden *w, uint64_t started_at)
{
    uint64_t rows = rows_finished(w);
    if (rows != w->rows_at_death)
        w->waves = w->deaths = 0;
    w->rows_at_death = rows;
    w->deaths++;
    if (w->waves && started_at < w->wave_at)
        return;
    w->waves++;
    w->wave_at = mr__now_ns();
}

static bool commander_may_go_on(const struct mr_warden *w)
{
    return MR_GET(w->a->control->commander_resumes) || mr__commander_last_seq(w->a) == 0;
}

/* Else the run fails with what is known. */
static bool may_replace(struct mr_warden *w, const struct death *d)
{
    struct mr_errbuf e;
    if (d->lane == MR_LANE_COMMANDER && !commander_may_go_on(w))
        mr__fail(&e, MR_E_DIED,
                 "%s %s, and a user's commander cannot be replaced without its save and load hooks",
                 d->name, d->how);
    else if (w->waves >= w->a->control->max_restarts)
        mr__fail(&e, MR_E_DIED,
                 "%u processes died with no row finished between them; the last, %s, %s%s",
                 w->deaths, d->name, d->how, d->work);
    else
        return true;
    mr__fail_run(w->a, &e);
    return false;
}

static uint64_t backoff_ns(uint32_t waves)
{
    uint64_t ms = waves < 2 ? 0 : BACKOFF_FIRST_MS;
    for (uint32_t i = 2; i < waves && ms < MR_BACKOFF_LAST_MS; i++)
        ms *= 2;
    return mr__earlier(ms, MR_BACKOFF_LAST_MS) * 1000000;
}

/* ---- a death ---- */

static void tally(struct mr_warden *w, const struct death *d)
{
    enum mr_why why = w->seats[d->lane].why;
    MR_TALLY(w, respawns, 1);
    MR_TALLY(w, reissued, d->given_back);
    if (d->blame.signo)
        MR_TALLY(w, crashes, 1);
    else if (why == MR_WHY_TIMEOUT || why == MR_WHY_CPU)
        MR_TALLY(w, timeouts, 1);
    else if (why == MR_WHY_STOPPED)
        MR_TALLY(w, stopped, 1);
    else if (d->blame.cause == MR_CAUSE_OOM)
        MR_TALLY(w, oom_kills, 1);
}

static void report(struct mr_warden *w, const struct death *d, uint64_t wait_ns)
{
    char given[48] = "", again[48] = "";
    if (d->given_back)
        snprintf(given, sizeof given, "%u row%s given to others, ", d->given_back,
                 d->given_back == 1 ? " is" : "s are");
    if (wait_ns)
        snprintf(again, sizeof again, " in %.1f s", (double)wait_ns / 1e9);
    mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING, "%s %s%s; %s%s%sit is replaced%s",
                   d->name, d->how, d->work, given,
                   d->blame.deaths >= 2 ? "the sample is set aside as bad, " : "",
                   d->refill ? "every undelivered slot is filled again, " : "", again);
}

/* An end that the warden has asked for, and that says nothing about the process. */
static bool was_for_refill(const struct mr_seat *seat, const struct death *d)
{
    return seat->why == MR_WHY_REFILL && !d->blame.signo && WIFSIGNALED(d->status) &&
           WTERMSIG(d->status) == SIGKILL;
}

static uint32_t rows_held(const struct mr_warden *w, uint32_t lease)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < w->a->shape.slots; i++)
        for (uint32_t task = 0; task < w->a->shape.tasks; task++) {
            uint64_t word = mr__word_load(&mr__slot_rows(w->a, i)[task]);
            held += mr__row_state(word) == MR_ROW_BUSY && mr__row_lease(word) == lease;
        }
    return held;
}

/* A crash of its own, or one that it had begun to die of (control->doubt) when something else ended
 * it first. */
static bool may_have_strayed(const struct mr_warden *w, const struct death *d)
{
    if (d->lane == MR_LANE_COMMANDER)
        return false;
    return (mr__crash_is_stray(d->blame.signo) && !d->blame.sender) ||
           (MR_GET(w->a->control->doubt) && !w->refilling);
}

/* What is to be done about it, told before it is done: the last row's batch may end the run. */
static void decide(struct mr_warden *w, struct death *d)
{
    struct mr_seat *seat = &w->seats[d->lane];
    uint64_t now = mr__now_ns();
    if (mr__stopping(w->a) || (WIFEXITED(d->status) && WEXITSTATUS(d->status) == MR_EXIT_FAILED))
        return;
    if (was_for_refill(seat, d)) {
        MR_TALLY(w, reissued, d->given_back);
        d->respawn_at = now;
        return;
    }
    count_wave(w, seat->started_at);
    tally(w, d);
    if (!may_replace(w, d))
        return;
    uint64_t wait_ns = backoff_ns(w->waves);
    d->respawn_at = now + wait_ns;
    d->refill = may_have_strayed(w, d);
    report(w, d, wait_ns);
}

void mr__death(struct mr_warden *w, uint32_t lane)
{
    struct mr_seat *seat = &w->seats[lane];
    struct death d = {.lane = lane};
    char name[32];
    MR_CRASH_POINT("warden.death_seen");
    d.status = mr__child_reap(&seat->child); /* its pidfd was readable: the fence is there */
    MR_CRASH_POINT("warden.reaped");
    mr__blame(w, lane, d.status, &d.blame);
    snprintf(d.name, sizeof d.name, "%s", mr__seat_name(lane, name));
    describe_how(w, &d);
    describe_work(w, &d);
    d.given_back = lane == MR_LANE_COMMANDER ? 0 : rows_held(w, seat->lease);
    MR_CRASH_POINT("warden.death_counted");
    decide(w, &d);
    MR_CRASH_POINT("warden.death_reported");
    if (d.refill)
        mr__refill_begin(w);
    bool later = w->refilling && lane != MR_LANE_COMMANDER;
    MR_CRASH_POINT("warden.recovering");
    if (!later)
        mr__warden_recover(w->a, lane == MR_LANE_COMMANDER ? 0 : seat->lease);
    MR_CRASH_POINT("warden.recovered");
    mr__finish_failure(w->a);
    *seat = (struct mr_seat){
        .child = {0, -1}, .respawn_at = d.respawn_at, .owed = later ? seat->lease : 0};
}
