/* SPDX-License-Identifier: Apache-2.0
 *
 * blame.c: did the sample do it? A crash of the process's own, a time limit, an OOM kill: yes. A
 * signal that somebody sent, a process that was stopped, reading ahead for other rows: no. A sample
 * that does it twice, in the same attempt at the same row, is set aside.
 */
#include "seats.h"

#include "base/crash_point.h"
#include "proc/crash.h"
#include "shm/report.h"
#include "shm/verdict.h"

#include <signal.h>
#include <sys/wait.h>

#define DEATHS_ALLOWED 2

/* Whether the row was still in the dead process's hands. */
static bool holds_row(const struct mr_warden *w, uint32_t lane, const struct mr_hand *hand)
{
    uint32_t slot = MR_GET(hand->slot), task = MR_GET(hand->task);
    if (!MR_GET(hand->busy) || slot >= w->a->shape.slots || task >= w->a->shape.tasks)
        return false;
    return mr__row_held(mr__word_load(&mr__slot_rows(w->a, slot)[task]), MR_GET(hand->seq),
                        w->seats[lane].lease);
}

/* Without a thread to point at, the one that has worked longest. */
static uint32_t longest(const struct mr_warden *w, uint32_t lane)
{
    uint32_t found = UINT32_MAX;
    uint64_t since = UINT64_MAX;
    for (uint32_t i = 0; i < w->a->shape.hands; i++) {
        const struct mr_hand *hand = mr__hand(w->a, lane, i);
        if (holds_row(w, lane, hand) && MR_GET(hand->since_ns) < since) {
            since = MR_GET(hand->since_ns);
            found = i;
        }
    }
    return found;
}

static uint32_t guilty_hand(const struct mr_warden *w, uint32_t lane, const struct mr_blame *blame)
{
    const struct mr_seat *seat = &w->seats[lane];
    const struct mr_crash *crash = &mr__lane(w->a, lane)->crash;
    uint32_t hand = MR_GET(crash->hand);
    if (blame->cause == MR_CAUSE_TIMEOUT || blame->cause == MR_CAUSE_CPU) {
        const struct mr_hand *h = mr__hand(w->a, lane, seat->hand);
        bool same = holds_row(w, lane, h) && MR_GET(h->since_ns) == seat->hand_since;
        return same ? seat->hand : UINT32_MAX; /* it had just finished */
    }
    if (MR_GET(crash->signo) && hand < w->a->shape.hands)
        return holds_row(w, lane, mr__hand(w->a, lane, hand)) ? hand : UINT32_MAX;
    return longest(w, lane);
}

static struct mr_suspect *find_suspect(struct mr_warden *w, const struct mr_hand *hand)
{
    struct mr_suspect wanted = {MR_GET(hand->epoch), MR_GET(hand->position), MR_GET(hand->attempt),
                                0};
    for (uint32_t i = 0; i < MR_SUSPECTS; i++) {
        struct mr_suspect *s = &w->suspects[i];
        if (s->deaths && s->epoch == wanted.epoch && s->position == wanted.position &&
            s->attempt == wanted.attempt)
            return s;
    }
    struct mr_suspect *s = &w->suspects[w->next_suspect]; /* the oldest goes */
    w->next_suspect = (w->next_suspect + 1) % MR_SUSPECTS;
    *s = wanted;
    return s;
}

static void set_aside(struct mr_warden *w, const struct mr_hand *hand, const struct mr_blame *blame)
{
    struct mr_verdict v = {.epoch = MR_GET(hand->epoch),
                           .position = MR_GET(hand->position),
                           .sample = MR_GET(hand->sample),
                           .attempt = MR_GET(hand->attempt),
                           .reason = mr__cause_reason(blame->cause),
                           .cause = blame->cause,
                           .detail = blame->detail,
                           .stage = MR_GET(hand->activity),
                           .forced = blame->cause != MR_CAUSE_SIGNAL};
    MR_CRASH_POINT("warden.verdict_reached");
    struct mr_errbuf e;
    if (mr__verdict_add(w->a, &v) >= 0)
        return;
    mr__fail(&e, MR_E_LIMIT, "too many samples have ended their producers; the last, sample %llu",
             (unsigned long long)v.sample);
    mr__fail_run(w->a, &e);
}

/* The signal of a crash: what the kernel says, or the process's last words when a handler of
 * somebody else's (a sanitizer's, say) made an exit of it. */
static void look_at_crash(const struct mr_warden *w, uint32_t lane, int status,
                          struct mr_blame *blame)
{
    const struct mr_crash *crash = &mr__lane(w->a, lane)->crash;
    int said = __atomic_load_n(&crash->signo, __ATOMIC_ACQUIRE);
    if (status == -1)
        return;
    if (WIFSIGNALED(status) && mr__crash_is_signal(WTERMSIG(status)))
        blame->signo = WTERMSIG(status);
    else if (WIFEXITED(status) && WEXITSTATUS(status) && mr__crash_is_signal(said))
        blame->signo = said;
    if (blame->signo && blame->signo == said)
        blame->sender = MR_GET(crash->sender);
}

static void find_cause(struct mr_warden *w, uint32_t lane, int status, struct mr_blame *blame)
{
    const struct mr_seat *seat = &w->seats[lane];
    if (blame->signo) {
        blame->cause = blame->sender ? 0 : MR_CAUSE_SIGNAL;
        blame->detail = (uint32_t)blame->signo;
    } else if (seat->why == MR_WHY_TIMEOUT) {
        blame->cause = MR_CAUSE_TIMEOUT;
        blame->detail = (uint32_t)(w->roles->sample_timeout_ns / 1000000);
    } else if (seat->why == MR_WHY_CPU) {
        blame->cause = MR_CAUSE_CPU;
        blame->detail = (uint32_t)(w->roles->sample_cpu_timeout_ns / 1000000);
    } else if (!seat->why && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
               mr__oom_take(&w->oom)) {
        blame->cause = MR_CAUSE_OOM;
    }
}

void mr__blame(struct mr_warden *w, uint32_t lane, int status, struct mr_blame *blame)
{
    *blame = (struct mr_blame){.hand = UINT32_MAX};
    look_at_crash(w, lane, status, blame);
    find_cause(w, lane, status, blame);
    if (lane == MR_LANE_COMMANDER)
        return;
    blame->hand = guilty_hand(w, lane, blame);
    if (blame->hand == UINT32_MAX || !blame->cause)
        return;
    const struct mr_hand *hand = mr__hand(w->a, lane, blame->hand);
    if (MR_GET(hand->activity) == MR_DOING_AHEAD) {
        MR_SET(w->a->control->ahead_off, 1);
        return; /* some other row's file did it, and will be met again when it is read */
    }
    blame->deaths = ++find_suspect(w, hand)->deaths;
    if (blame->deaths >= DEATHS_ALLOWED)
        set_aside(w, hand, blame);
}
