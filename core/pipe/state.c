/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c: where a run stands. Everything delivered is a function of (config, seed, data, epoch,
 * batch), but for what wall time or memory made bad; so that is all there is to save.
 */
#include "pipe/loader.h"

#include "base/crash_point.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Behind a request to an epoch nothing was delivered yet: the commander has left what it saves
 * there. */
static int fetch_place(mr_loader *l, struct mr_errbuf *e)
{
    const struct mr_arena *a = &l->s.arena;
    if (!l->user.asked || !l->s.plan->user_commander)
        return MR_OK;
    int rc = mr__loader_settle(l, e);
    if (rc < 0 || !l->user.asked) /* another thread has got a batch meanwhile */
        return rc;
    const struct mr_request *r = &a->control->request[l->stream & 1];
    uint32_t bytes = MR_GET(r->state_bytes);
    if (bytes > a->shape.state_bytes)
        return mr__fail(e, MR_E_CORRUPT, "a request claims to hold %u bytes of state", bytes);
    l->user.asked = false;
    l->user.known = MR_GET(r->has_state);
    l->user.none = !l->user.known;
    l->user.bytes = bytes;
    memcpy(l->user.state, mr__request_state(a, l->stream), bytes);
    return MR_OK;
}

static int cannot_save(const mr_loader *l, struct mr_errbuf *e)
{
    if (l->user.none)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "a user's commander decides itself what comes next, and this one has no "
                        "save and load hooks: its place cannot be saved");
    if (!l->s.plan->config->deterministic && l->position)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "with 'deterministic: false' a state can only be saved "
                        "between epochs: in the middle, delivered batches are not a prefix");
    return MR_OK;
}

/* Verdicts from the next batch on that a rerun might not come to: in batches that were made and not
 * delivered, and of ranks and epochs to come (from an earlier state). */
static int collect_forced(const mr_loader *l, struct mr_state *s, struct mr_errbuf *e)
{
    uint64_t first = l->position * (uint64_t)l->s.plan->config->batch.size;
    s->forced = calloc(MR_STATE_FORCED_MAX, sizeof *s->forced);
    if (!s->forced)
        return mr__fail(e, MR_E_MEMORY, "no memory for the state");
    for (int part = MR_VERDICTS_GIVEN; part <= MR_VERDICTS_MET; part++) {
        uint32_t n;
        const struct mr_verdict *v = mr__verdicts(&l->s.arena, (enum mr_verdict_part)part, &n);
        for (uint32_t i = 0; i < n; i++)
            if (v[i].forced && v[i].epoch >= l->epoch &&
                (v[i].epoch > l->epoch || v[i].position >= first))
                s->forced[s->nforced++] = v[i];
    }
    return MR_OK;
}

static int describe(const mr_loader *l, struct mr_text *t, struct mr_errbuf *e)
{
    struct mr_state s = {.epoch = l->epoch,
                         .batch = l->position,
                         .seed = (uint64_t)l->s.plan->config->seed,
                         .config_hash = l->s.plan->config->stream_hash,
                         .data_hash = mr__session_data_hash(&l->s),
                         .bad = l->bad.epoch == l->epoch ? l->bad.count : 0,
                         .list_hash = l->bad.list_hash,
                         .has_commander = l->user.known,
                         .pending = l->user.pending,
                         .rank = (uint64_t)l->s.plan->config->rank,
                         .world = (uint64_t)l->s.plan->config->world,
                         .commander = l->user.state,
                         .commander_bytes = l->user.known ? l->user.bytes : 0};
    int rc = mr__learned_hash(l, &s.weights_hash, e);
    if (rc >= 0)
        rc = collect_forced(l, &s, e);
    if (rc >= 0)
        mr__state_write(t, &s);
    free(s.forced);
    return rc >= 0 && t->failed ? mr__fail(e, MR_E_MEMORY, "no memory for the state") : rc;
}

int mr_save_state(mr_loader *l, char *text, size_t cap, size_t *bytes)
{
    struct mr_errbuf e;
    struct mr_text t = {0};
    if (!bytes || (!text && cap))
        return mr__refuse("mr_save_state needs a place for the state and one for its length");
    int rc = mr__loader_enter(l, &e);
    if (rc >= 0) {
        rc = fetch_place(l, &e);
        if (rc >= 0)
            rc = cannot_save(l, &e);
        MR_CRASH_POINT("trainer.saving");
        if (rc >= 0)
            rc = describe(l, &t, &e);
        MR_CRASH_POINT("trainer.saved");
        mr__loader_leave(l);
    }
    if (rc >= 0) {
        *bytes = t.n + 1;
        if (*bytes > cap)
            rc = mr__fail(&e, MR_E_LIMIT, "the state needs %zu bytes, %zu are there", *bytes, cap);
        else
            memcpy(text, t.data, *bytes);
    }
    mr__text_free(&t);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

int mr__state_give(mr_loader *l, const struct mr_state *s, struct mr_errbuf *e)
{
    l->bad.epoch = s->epoch;
    l->bad.count = s->bad;
    for (uint32_t i = 0; i < s->nforced; i++)
        if (mr__verdict_give(&l->s.arena, &s->forced[i]) < 0)
            return mr__fail(e, MR_E_LIMIT,
                            "the states given to this loader name more than %d samples that took "
                            "too long or too much memory",
                            MR_VERDICTS_MAX);
    return MR_OK;
}

static int check_commander(const mr_loader *l, const struct mr_state *s, struct mr_errbuf *e)
{
    if (!l->s.plan->user_commander && s->has_commander)
        return mr__fail(e, MR_E_CONFIG, "the state is of a run with a user's commander");
    if (!l->s.plan->user_commander)
        return MR_OK;
    if (!s->has_commander && (s->epoch || s->batch))
        return mr__fail(e, MR_E_CONFIG,
                        "the state has nothing of the commander: it is of a run without a user's "
                        "commander");
    if (s->commander_bytes > l->s.arena.shape.state_bytes ||
        (s->has_commander && !l->s.arena.shape.state_bytes))
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "the commander has no save and load hooks: it cannot be sent to a saved "
                        "state");
    const struct mr_config *c = l->s.plan->config;
    if (s->commander_bytes && (s->rank != (uint64_t)c->rank || s->world != (uint64_t)c->world))
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of rank %" PRIu64 " of %" PRIu64 ", and this is rank %lld of "
                        "%lld: what a user's commander has saved is its own rank's",
                        s->rank, s->world, (long long)c->rank, (long long)c->world);
    return MR_OK;
}

void mr__state_keep(struct mr_user_place *user, const struct mr_state *s)
{
    const struct mr_state nothing = {0};
    user->asked = !s;
    s = s ? s : &nothing;
    user->known = s->has_commander;
    user->none = false;
    user->pending = s->pending;
    user->bytes = (uint32_t)s->commander_bytes;
    if (s->commander_bytes)
        memcpy(user->state, s->commander, s->commander_bytes);
}

void mr__state_request(const mr_loader *l, uint64_t id)
{
    struct mr_request r = {.epoch = l->epoch,
                           .batch = l->position,
                           .pending = l->user.pending,
                           .has_state = l->user.known,
                           .state_bytes = l->user.known ? l->user.bytes : 0};
    if (r.state_bytes)
        memcpy(mr__request_state(&l->s.arena, id), l->user.state, r.state_bytes);
    l->s.arena.control->request[id & 1] = r;
}

int mr__state_check(const mr_loader *l, const struct mr_state *s, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    if (s->seed != (uint64_t)c->seed)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of seed %" PRIu64 ", the config has seed %lld", s->seed,
                        (long long)c->seed);
    if (s->config_hash != c->stream_hash)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of another config: something that shapes the "
                        "stream (batch size, sampler, ops, fields) has changed since");
    if (check_commander(l, s, e) < 0)
        return e->code;
    if (l->s.index.head && s->data_hash != mr__session_data_hash(&l->s))
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of another data set: files were added, removed "
                        "or renamed since%s",
                        !l->s.plan->user_commander && mr__session_sampler(&l->s)->hash
                            ? ", or the file that the sampler reads has changed"
                            : "");
    if (l->s.index.head && s->list_hash != l->bad.list_hash)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of a run %s, and another list of bad samples makes another "
                        "stream: give the same 'bad_list_in', or start anew",
                        s->list_hash ? "with another 'bad_list_in'" : "without 'bad_list_in'");
    return MR_OK;
}
