/* SPDX-License-Identifier: Apache-2.0
 *
 * next.c: mr_next and mr_release: which slot comes next, and waiting for it.
 */
#include "pipe/known.h"
#include "pipe/loader.h"

#include "base/crash_point.h"
#include "shm/report.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOTHING 100 /* no slot is due now */
#define POISON 0xdb /* MILLRACE_POISON=1 fills released slots with it */

int mr__loader_enter_release(mr_loader *l, struct mr_errbuf *e)
{
    if (!l)
        return mr__fail(e, MR_E_USAGE, "there is no loader: NULL was given");
    if (!mr__known_loader(l))
        return mr__fail(e, MR_E_CLOSED, "the loader was closed, and is gone");
    if (!l->here[0])
        return mr__fail(e, MR_E_FORKED,
                        "this process was forked from the one that opened the loader: open one "
                        "here, or fork before mr_open");
    __atomic_fetch_add(&l->inside, 1, __ATOMIC_ACQ_REL); /* mr_close waits for us from here on */
    pthread_mutex_lock(&l->lock);
    return MR_OK;
}

int mr__loader_enter(mr_loader *l, struct mr_errbuf *e)
{
    int rc = mr__loader_enter_release(l, e);
    if (rc >= 0 && l->closed) {
        mr__loader_leave(l);
        rc = mr__fail(e, MR_E_CLOSED, "the loader was closed");
    }
    return rc;
}

void mr__loader_leave(mr_loader *l)
{
    __atomic_fetch_sub(&l->inside, 1, __ATOMIC_ACQ_REL);
    pthread_cond_broadcast(&l->left);
    pthread_mutex_unlock(&l->lock);
}

/* ---- events ---- */

static void take_event(mr_loader *l, const struct mr_event *event)
{
    MR_CRASH_POINT("trainer.event_taken");
    char line[MR_EVENT_TEXT + 64];
    if (event->kind != MR_EVENT_BAD) {
        if (l->log)
            l->log(l->log_user, (mr_log_level)event->code, event->text);
        return;
    }
    mr__bad_event(l, event);
    snprintf(line, sizeof line, "bad sample %llu: %s", (unsigned long long)event->sample,
             event->text);
    if (l->log)
        l->log(l->log_user, MR_LOG_WARNING, line);
}

void mr__loader_drain_events(mr_loader *l)
{
    struct mr_event event;
    if (!l->s.arena.control)
        return;
    for (uint32_t lane = 0; lane < mr__lane_count(&l->s.arena); lane++)
        while (mr__report_take(&l->s.arena, lane, &event))
            take_event(l, &event);
}

/* ---- which slot ---- */

/* Due: in order, the slot whose ordinal comes next; in completion order, any batch of this epoch,
 * and an end when everything before it was delivered. */
static bool is_due(const mr_loader *l, uint64_t seq, const struct mr_plan_head *head)
{
    bool next = seq - MR_GET(head->first_seq) == l->delivered;
    if (l->s.plan->config->deterministic || MR_GET(head->kind) != MR_PLAN_BATCH)
        return next;
    return MR_GET(head->epoch) == l->epoch;
}

/* The due slot with the smallest seq; -1: none. Frees finished work of older streams on the way.
 * The head is believed only after the lease: its success proves that the seq, and so the head, was
 * still the one looked at. */
static int find_due(mr_loader *l, uint64_t *seq)
{
    const struct mr_arena *a = &l->s.arena;
    int best = -1;
    *seq = 0;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word), s = mr__slot_seq(w);
        if (mr__slot_state(w) != MR_SLOT_AVAILABLE)
            continue;
        const struct mr_plan_head *head = mr__plan_head(a, i);
        if (MR_GET(head->stream) < l->stream)
            mr__trainer_drop(a, i, s);
        else if (MR_GET(head->stream) == l->stream && is_due(l, s, head) &&
                 (best < 0 || s < *seq)) {
            best = (int)i;
            *seq = s;
        }
    }
    return best;
}

static struct mr_batch *take_handle(mr_loader *l)
{
    struct mr_batch *b;
    do { /* leases < slots, and the pool is many times larger */
        b = &l->pool[l->next_handle];
        l->next_handle = (l->next_handle + 1) % l->npool;
    } while (b->leased);
    return b;
}

static int end_epoch(mr_loader *l, const struct mr_plan_head *head)
{
    l->epoch = head->epoch + 1;
    l->position = 0;
    return MR_END_EPOCH;
}

static int keep_place(mr_loader *l, uint32_t slot, const struct mr_plan_head *head,
                      struct mr_errbuf *e)
{
    const struct mr_arena *a = &l->s.arena;
    if (!l->s.plan->user_commander)
        return MR_OK;
    if (head->state_bytes > a->shape.state_bytes)
        return mr__fail(e, MR_E_CORRUPT, "a slot claims to hold %u bytes of state",
                        head->state_bytes);
    l->user.known = a->shape.state_bytes && MR_GET(a->control->commander_resumes);
    l->user.none = !l->user.known;
    l->user.asked = false;
    l->user.pending = head->pending;
    l->user.bytes = head->state_bytes;
    memcpy(l->user.state, mr__plan_state(a, slot), head->state_bytes);
    return MR_OK;
}

static int planner_failed(mr_loader *l, uint32_t slot, uint64_t seq, struct mr_errbuf *e)
{
    memcpy(&l->failure, mr__plan_message(&l->s.arena, slot, 0), sizeof l->failure);
    l->failure.text[sizeof l->failure.text - 1] = 0;
    if (l->failure.code >= 0)
        l->failure.code = MR_E_CORRUPT;
    mr__trainer_release(&l->s.arena, slot, seq);
    mr__bad_save(l);
    *e = l->failure;
    return e->code;
}

static uint64_t count_valid(const mr_loader *l, uint32_t slot, uint32_t rows)
{
    const uint8_t *valid = mr__slot_data(&l->s.arena, slot) + l->s.plan->valid;
    uint64_t n = 0;
    for (uint32_t i = 0; i < rows; i++)
        n += valid[i] != 0;
    return n;
}

static int hand_out(mr_loader *l, uint32_t slot, uint64_t seq, mr_batch **out, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    struct mr_plan_head head = *mr__plan_head(&l->s.arena, slot); /* ours now: it cannot change */
    MR_CRASH_POINT("trainer.leased");
    l->delivered++;
    if (head.kind == MR_PLAN_FAIL)
        return planner_failed(l, slot, seq, e);
    if (keep_place(l, slot, &head, e) < 0)
        return e->code;
    if (head.kind != MR_PLAN_BATCH) {
        mr__trainer_release(&l->s.arena, slot, seq);
        mr__bad_save(l);
        MR_CRASH_POINT("trainer.marker_released");
        l->ended = head.kind == MR_PLAN_END;
        return l->ended ? MR_END : end_epoch(l, &head);
    }
    if (head.rows > l->s.arena.shape.rows || head.tasks > l->s.arena.shape.tasks)
        return mr__fail(e, MR_E_CORRUPT, "a slot claims to hold %u rows", head.rows);
    l->learned.place = head.ordinal;
    int rc = mr__bad_deliver(l, slot, seq, &head, e);
    if (rc < 0) {
        mr__trainer_release(&l->s.arena, slot, seq);
        mr__bad_save(l);
        return rc;
    }
    MR_CRASH_POINT("trainer.bad_looked_for");
    struct mr_batch *b = take_handle(l);
    b->slot = slot;
    b->seq = seq;
    b->head = head;
    b->sequence = l->returned++;
    b->loads = l->learned.loads;
    b->leased = true;
    for (int i = 0; i < l->s.plan->nfields; i++)
        mr__plan_tensor(l->s.plan, i, mr__slot_data(&l->s.arena, slot), 0, head.rows,
                        &b->fields[i]);
    MR_CRASH_POINT("trainer.handle_filled");
    l->leases++;
    l->rows += count_valid(l, slot, head.rows);
    l->position = head.batch - (uint64_t)c->rank + (uint64_t)c->world; /* the same on all ranks */
    mr__hash_deliver(l, b);
    MR_CRASH_POINT("trainer.counted");
    *out = b;
    return MR_OK;
}

static int try_next(mr_loader *l, mr_batch **out, struct mr_errbuf *e)
{
    uint64_t seq = 0;
    int slot;
    if (l->epoch_cut) {
        l->epoch_cut = false;
        return MR_END_EPOCH;
    }
    if (__atomic_load_n(&l->s.arena.control->doubt, __ATOMIC_SEQ_CST))
        return NOTHING; /* until the warden has filled the slots again */
    while ((slot = find_due(l, &seq)) >= 0)
        if (mr__trainer_lease(&l->s.arena, (uint32_t)slot, seq))
            return hand_out(l, (uint32_t)slot, seq, out, e);
    return NOTHING;
}

/* ---- waiting ---- */

static void drain_ready(const mr_loader *l)
{
    uint64_t count;
    if (read(l->s.arena.ready_fd, &count, sizeof count) < 0)
        return; /* EAGAIN: nothing was there */
    MR_CRASH_POINT("trainer.signal_drained");
}

static int warden_died(mr_loader *l, struct mr_errbuf *e)
{
    mr__loader_drain_events(l);
    if (!mr__run_failed(&l->s.arena, e))
        mr__fail(e, MR_E_DIED,
                 "the warden died, and with it the loader's other processes; what was delivered is "
                 "good, and a saved state can go on from there");
    l->failure = *e;
    return e->code;
}

static void pay_wake(mr_loader *l)
{
    if (l->wake_owed)
        mr__bell_ring(&l->s.arena.control->free_bell);
    l->wake_owed = false;
}

/* For the thread that polls: unlocked while it does. Everybody who waits looks again afterwards. */
static int poll_for_all(mr_loader *l, int timeout_ms, struct mr_errbuf *e)
{
    struct pollfd p[2] = {{.fd = l->s.arena.ready_fd, .events = POLLIN},
                          {.fd = l->warden.pidfd, .events = POLLIN}};
    MR_CRASH_POINT("trainer.waiting");
    pay_wake(l);
    l->polling = true;
    pthread_mutex_unlock(&l->lock);
    int rc = poll(p, 2, timeout_ms), error = errno;
    pthread_mutex_lock(&l->lock);
    MR_CRASH_POINT("trainer.woken");
    l->polling = false;
    pthread_cond_broadcast(&l->left);
    if (rc < 0 && error != EINTR) {
        errno = error;
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot wait for a batch (poll)");
    }
    if (rc > 0 && p[0].revents)
        drain_ready(l);
    else if (rc > 0 && p[1].revents && !l->closed)
        return warden_died(l, e);
    return rc != 0;
}

/* For the others: until the one that polls has seen something, or leaves. */
static int wait_for_poller(mr_loader *l, int timeout_ms)
{
    struct timespec until;
    if (timeout_ms < 0) {
        pthread_cond_wait(&l->left, &l->lock);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(&l->left, &l->lock, &until) == 0;
}

int mr__loader_wait(mr_loader *l, int64_t timeout_ms, struct mr_errbuf *e)
{
    int ms = timeout_ms < 0 ? -1 : timeout_ms > 86400000 ? 86400000 : (int)timeout_ms;
    int rc = l->polling ? wait_for_poller(l, ms) : poll_for_all(l, ms, e);
    if (l->closed)
        return mr__fail(e, MR_E_CLOSED, "the loader was closed");
    return rc;
}

/* Nobody but this process writes the request. */
static bool request_is_ours(const mr_loader *l)
{
    const struct mr_control *c = l->s.arena.control;
    return __atomic_load_n(&c->request_id, __ATOMIC_ACQUIRE) == l->stream;
}

int mr__loader_cannot_come(mr_loader *l, struct mr_errbuf *e)
{
    if (l->failure.code || mr__run_failed(&l->s.arena, &l->failure)) {
        *e = l->failure;
        return e->code;
    }
    if (!request_is_ours(l)) {
        mr__fail(&l->failure, MR_E_CORRUPT,
                 "the shared memory has another request than the one that was made: a process "
                 "wrote over it; a plug-in that stores out of bounds does that");
        *e = l->failure;
        return e->code;
    }
    if (l->leases >= mr__trainer_slots(&l->s.arena))
        return mr__fail(e, MR_E_LEASED,
                        "all %u slots are leased: release a batch before asking "
                        "for the next, or set 'slots' higher",
                        mr__trainer_slots(&l->s.arena));
    return mr__learned_stuck(l, e);
}

/* After a wait has drained the eventfd: what else is due must show in mr_fd again. */
static void show_the_rest(mr_loader *l)
{
    uint64_t seq;
    if (find_due(l, &seq) >= 0)
        mr__signal_ready(&l->s.arena);
}

static int next(mr_loader *l, mr_batch **out, int64_t timeout_ms, struct mr_errbuf *e)
{
    uint64_t from = 0;
    bool over = false; /* the time is up: one more look, however many wakes still come */
    int rc;
    for (;;) {
        if (l->ended)
            return MR_END;
        rc = l->failure.code ? NOTHING : try_next(l, out, e);
        if (rc == NOTHING)
            rc = mr__loader_cannot_come(l, e);
        else if (from)
            show_the_rest(l);
        if (rc == MR_OK && !*out && over)
            rc = mr__fail(e, MR_E_TIMEOUT, "no batch was ready within %lld ms",
                          (long long)timeout_ms);
        if (rc != MR_OK || *out)
            break;
        uint64_t now = mr__now_ns();
        if (!from)
            from = now;
        int64_t left = timeout_ms < 0 ? -1 : timeout_ms - (int64_t)((now - from) / 1000000);
        left = timeout_ms >= 0 && left < 0 ? 0 : left;
        rc = mr__loader_wait(l, left, e);
        mr__loader_drain_events(l);
        over = left == 0;
        if (rc < 0 && rc != MR_E_CLOSED) { /* what was finished before the end is still good */
            int last = try_next(l, out, e);
            rc = last == NOTHING ? rc : last;
        }
        if (rc < 0 || *out)
            break;
    }
    l->wait_ns += from ? mr__now_ns() - from : 0;
    return rc;
}

int mr_next(mr_loader *l, mr_batch **batch, int64_t timeout_ms)
{
    struct mr_errbuf e;
    if (!batch)
        return mr__refuse("mr_next needs a loader and a place for the batch");
    *batch = NULL;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    mr__loader_drain_events(l);
    rc = next(l, batch, timeout_ms, &e);
    mr__loader_leave(l);
    return rc < 0 ? mr__keep_error(&e) : rc;
}

/* Waking a sleeper costs more than all the rest of a hand-off, so it is put off while at least half
 * of the slots are planned ahead and nobody waits; poll_for_all makes up for it. */
static void wake_commander(mr_loader *l)
{
    l->wake_owed = true;
    if (l->polling || l->s.feedback.base ||
        mr__trainer_ahead(&l->s.arena) * 2 < mr__trainer_slots(&l->s.arena))
        pay_wake(l);
}

int mr_release(mr_batch *b)
{
    struct mr_errbuf e;
    mr_loader *l = mr__batch_loader(b, &e);
    if (!l || mr__loader_enter_release(l, &e) < 0)
        return mr__keep_error(&e);
    if (!b->leased) {
        mr__loader_leave(l);
        mr__fail(&e, MR_E_STALE, "the batch was released already");
        return mr__keep_error(&e);
    }
    MR_CRASH_POINT("trainer.releasing");
    b->leased = false;
    l->leases--;
    if (l->poison) /* whoever still reads a released batch is to see it */
        memset(mr__slot_data(&l->s.arena, b->slot), POISON, l->s.plan->arena.slot_data_bytes);
    MR_CRASH_POINT("trainer.release_counted");
    mr__learned_done(b); /* before the slot is another's */
    mr__trainer_release_quietly(&l->s.arena, b->slot, b->seq);
    MR_CRASH_POINT("trainer.released");
    wake_commander(l);
    MR_CRASH_POINT("trainer.commander_rung");
    bool last = l->close_done && l->leases == 0;
    mr__loader_leave(l);
    if (last)
        mr__loader_free(l);
    return MR_OK;
}

int mr_fd(mr_loader *l)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    int fd = l->epoll_fd;
    mr__loader_leave(l);
    return fd;
}
