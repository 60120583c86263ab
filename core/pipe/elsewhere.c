/* SPDX-License-Identifier: Apache-2.0
 *
 * elsewhere.c: the trainer sends the commander to another place of the stream: the end of an epoch,
 * the beginning of another, a saved state.
 */
#include "pipe/loader.h"

#include "base/crash_point.h"

#define REQUEST_MS 60000 /* a commander that takes longer is stopped or hung */

/* Waits until the commander has done something; `what`, for a sentence. */
static int wait_for(mr_loader *l, bool (*done)(const mr_loader *l), const char *what,
                    struct mr_errbuf *e)
{
    uint64_t until = mr__now_ns() + REQUEST_MS * 1000000ull;
    bool waited = false;
    while (!done(l)) {
        int rc = mr__loader_cannot_come(l, e);
        if (rc < 0 && rc != MR_E_LEASED)
            return rc;
        if (mr__now_ns() > until)
            return mr__fail(e, MR_E_TIMEOUT, "the commander has not %s within %d s: see mr_dump",
                            what, REQUEST_MS / 1000);
        rc = mr__loader_wait(l, REQUEST_MS, e); /* the commander signals when it has */
        if (rc < 0)
            return rc;
        waited = true;
    }
    if (waited) /* a batch may have signalled, too */
        mr__signal_ready(&l->s.arena);
    return MR_OK;
}

static bool obeyed(const mr_loader *l)
{
    return __atomic_load_n(&l->s.arena.control->request_done, __ATOMIC_ACQUIRE) == l->stream;
}

int mr__loader_settle(mr_loader *l, struct mr_errbuf *e)
{
    return wait_for(l, obeyed, "taken up the request before this one", e);
}

static bool is_built(const mr_loader *l)
{
    return MR_GET(l->s.arena.control->commander_seeks) != MR_SEEKS_UNKNOWN;
}

static int may_seek(mr_loader *l, struct mr_errbuf *e)
{
    int rc = l->s.plan->user_commander ? wait_for(l, is_built, "been built", e) : MR_OK;
    if (rc < 0 || !l->s.plan->user_commander)
        return rc;
    if (MR_GET(l->s.arena.control->commander_seeks) == MR_SEEKS)
        return MR_OK;
    return mr__fail(e, MR_E_UNSUPPORTED,
                    "a user's commander decides itself what comes next, and this one has no "
                    "set_epoch hook: it cannot be sent to an epoch");
}

int mr__loader_request(mr_loader *l, uint64_t epoch, uint64_t batch, const struct mr_state *state,
                       struct mr_errbuf *e)
{
    struct mr_control *c = l->s.arena.control;
    int rc = mr__loader_settle(l, e);
    if (rc < 0)
        return rc;
    MR_CRASH_POINT("trainer.request_allowed");
    mr__learned_ask(l);
    l->stream++;
    l->epoch = epoch;
    l->position = batch;
    mr__state_keep(&l->user, state);
    mr__state_request(l, l->stream);
    MR_CRASH_POINT("trainer.request_written");
    __atomic_store_n(&c->request_id, l->stream, __ATOMIC_RELEASE);
    MR_CRASH_POINT("trainer.request_shown");
    mr__bell_ring(&c->free_bell);
    MR_CRASH_POINT("trainer.request_rung");
    l->delivered = 0;
    l->ended = false;
    l->epoch_cut = false;
    return MR_OK;
}

static int go_to(mr_loader *l, uint64_t epoch, uint64_t batch, bool cut, struct mr_errbuf *e)
{
    int rc = may_seek(l, e);
    if (rc >= 0)
        rc = mr__loader_request(l, epoch, batch, NULL, e);
    if (rc >= 0)
        l->epoch_cut = cut;
    if (rc >= 0 && cut) /* mr_next has something new to say */
        mr__signal_ready(&l->s.arena);
    return rc;
}

int mr_end_epoch(mr_loader *l)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    rc = l->ended || l->epoch_cut ? MR_OK : go_to(l, l->epoch + 1, 0, true, &e);
    mr__loader_leave(l);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

static int set_epoch(mr_loader *l, uint64_t epoch, struct mr_errbuf *e)
{
    uint64_t epochs = (uint64_t)l->s.plan->config->epochs;
    if (epochs && epoch >= epochs)
        return mr__fail(e, MR_E_USAGE,
                        "there is no epoch %llu: with 'epochs: %llu' they go from 0 to %llu; 0 "
                        "makes a run without end",
                        (unsigned long long)epoch, (unsigned long long)epochs,
                        (unsigned long long)epochs - 1);
    if (epoch >= MR_STATE_PLACE_END)
        return mr__fail(e, MR_E_USAGE, "epoch %llu is beyond the last one, 2^48 - 1",
                        (unsigned long long)epoch);
    if (epoch != l->epoch || l->position || l->ended)
        return go_to(l, epoch, 0, false, e);
    l->epoch_cut = false; /* it comes next anyhow */
    return MR_OK;
}

int mr_set_epoch(mr_loader *l, uint64_t epoch)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    rc = set_epoch(l, epoch, &e);
    mr__loader_leave(l);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

int mr_load_state(mr_loader *l, const char *text)
{
    struct mr_errbuf e;
    struct mr_state state;
    if (!text)
        return mr__refuse("mr_load_state needs a state");
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    rc = mr__state_parse(text, &state, &e);
    if (rc >= 0)
        rc = mr__state_check(l, &state, &e);
    if (rc >= 0)
        rc = mr__learned_check(l, &state, &e);
    if (rc >= 0)
        rc = mr__state_give(l, &state, &e);
    l->learned.loading = rc >= 0 && l->s.feedback.base;
    if (rc >= 0)
        rc = mr__loader_request(l, state.epoch, state.batch, &state, &e);
    l->learned.loading = false;
    mr__state_free(&state);
    mr__loader_leave(l);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}
