/* SPDX-License-Identifier: Apache-2.0
 *
 * learned.c: the trainer's side of a sampler that learns: feedback goes out, and weights are saved
 * and loaded beside the state.
 */
#include "base/crash_point.h"
#include "pipe/known.h"
#include "pipe/weights_file.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static int no_learner(const struct mr_session *s, struct mr_errbuf *e)
{
    const struct mr_sampler *sampler = s->plan->config->sampler.desc;
    if (!sampler)
        return mr__fail(e, MR_E_UNSUPPORTED, "a user's commander takes no feedback");
    return mr__fail(e, MR_E_UNSUPPORTED,
                    "the sampler '%s' takes no feedback: 'sampler: {type: adaptive}' does",
                    sampler->d.name);
}

/* ---- a value ---- */

static int refuse_value(const struct mr_batch *b, int32_t row, double value, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE,
                    "row %d of batch %llu of epoch %llu: a feedback of %g: it has to be a finite "
                    "number that is not negative, at most %g",
                    row, (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch,
                    value, (double)FLT_MAX);
}

static int give(const struct mr_batch *b, const mr_loader *l, int32_t row, double value,
                struct mr_errbuf *e)
{
    const uint8_t *data = mr__slot_data(&l->s.arena, b->slot);
    if (!l->s.feedback.base)
        return no_learner(&l->s, e);
    if (__atomic_load_n(&l->closed, __ATOMIC_RELAXED))
        return mr__fail(e, MR_E_CLOSED, "the loader was closed: no batch will follow feedback");
    if (b->loads != l->learned.loads)
        return mr__fail(e, MR_E_STALE,
                        "batch %llu of epoch %llu was delivered before mr_load_state: its feedback "
                        "belongs to weights that are gone",
                        (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch);
    if (row < 0 || (uint32_t)row >= b->head.rows)
        return mr__fail(e, MR_E_USAGE, "batch %llu of epoch %llu has no row %d, it has %u",
                        (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch, row,
                        b->head.rows);
    if (!data[l->s.plan->valid + (uint32_t)row])
        return mr__fail(e, MR_E_USAGE,
                        "row %d of batch %llu of epoch %llu holds no sample ('batch.last: pad', or "
                        "'on_error: skip'): look at mr_valid",
                        row, (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch);
    if (!(value >= 0 && value <= (double)FLT_MAX)) /* nor NaN */
        return refuse_value(b, row, value, e);
    mr__feedback_give(&l->s.feedback, b->head.ordinal, (uint32_t)row,
                      ((const uint64_t *)(data + l->s.plan->ids))[row], (float)value);
    return MR_OK;
}

int mr_feedback(const mr_batch *b, int32_t row, double value)
{
    struct mr_errbuf e;
    const mr_loader *l = mr__batch_loader(b, &e);
    if (l)
        return give(b, l, row, value, &e) < 0 ? mr__keep_error(&e) : MR_OK;
    if (e.code == MR_E_STALE && mr__known_batch(b))
        mr__fail(&e, MR_E_STALE,
                 "feedback for row %d of batch %llu of epoch %llu comes too late: the batch was "
                 "released",
                 row, (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch);
    return mr__keep_error(&e);
}

void mr__learned_done(const struct mr_batch *b)
{
    const mr_loader *l = b->loader;
    if (l->s.feedback.base && b->loads == l->learned.loads)
        mr__feedback_done(&l->s.feedback, b->head.ordinal);
}

/* ---- a trainer that holds what is waited for ---- */

static const struct mr_batch *holder_of(const mr_loader *l, uint64_t ordinal)
{
    for (uint32_t i = 0; i < l->npool; i++)
        if (l->pool[i].leased && l->pool[i].loads == l->learned.loads &&
            l->pool[i].head.ordinal == ordinal)
            return &l->pool[i];
    return NULL;
}

int mr__learned_stuck(const mr_loader *l, struct mr_errbuf *e)
{
    const struct mr_feedback *f = &l->s.feedback;
    if (!f->base ||
        __atomic_load_n(&l->s.arena.control->request_done, __ATOMIC_ACQUIRE) != l->stream)
        return MR_OK;
    uint64_t missing = mr__feedback_missing(f, l->learned.place);
    const struct mr_batch *b = missing ? holder_of(l, missing) : NULL;
    if (!b)
        return MR_OK;
    return mr__fail(e, MR_E_LEASED,
                    "the next batch follows the feedback of batch %llu of epoch %llu, which is "
                    "still leased: with 'feedback_delay: %u' release it (mr_release) before asking "
                    "for the next, or set 'feedback_delay' to more than the batches that you hold",
                    (unsigned long long)b->head.batch, (unsigned long long)b->head.epoch, f->delay);
}

/* ---- saving ---- */

int mr__learned_hash(const mr_loader *l, uint64_t *hash, struct mr_errbuf *e)
{
    const struct mr_learned *d = &l->learned;
    *hash = 0;
    if (!l->s.feedback.base)
        return MR_OK;
    if (!d->saved_hash || d->saved_stream != l->stream || d->saved_epoch != l->epoch ||
        d->saved_position != l->position)
        return mr__fail(e, MR_E_USAGE,
                        "the sampler '%s' learns, so a state needs a weights file of the same "
                        "place: call mr_save_weights before mr_save_state",
                        mr__session_sampler(&l->s)->d.name);
    *hash = d->saved_hash;
    return MR_OK;
}

static int save(mr_loader *l, const char *path, struct mr_errbuf *e)
{
    struct mr_learned *d = &l->learned;
    if (!l->s.feedback.base)
        return no_learner(&l->s, e);
    int rc = mr__loader_settle(l, e);
    if (rc >= 0)
        rc = mr__weights_write(l, path, &d->saved_hash, e);
    if (rc < 0)
        return rc;
    d->saved_stream = l->stream;
    d->saved_epoch = l->epoch;
    d->saved_position = l->position;
    return MR_OK;
}

int mr_save_weights(mr_loader *l, const char *path)
{
    struct mr_errbuf e;
    if (!path)
        return mr__refuse("mr_save_weights needs a path");
    int rc = mr__loader_enter(l, &e);
    if (rc >= 0) {
        rc = save(l, path, &e);
        mr__loader_leave(l);
    }
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

/* ---- loading ---- */

static int read_given(mr_loader *l, const char *path, struct mr_errbuf *e)
{
    struct mr_learned *d = &l->learned;
    void *given = NULL;
    if (!l->s.feedback.base)
        return no_learner(&l->s, e);
    int rc = mr__weights_read(l, path, &given, &d->given_hash, &d->given_place, e);
    if (rc < 0)
        return rc;
    free(d->given);
    d->given = given;
    return MR_OK;
}

int mr_load_weights(mr_loader *l, const char *path)
{
    struct mr_errbuf e;
    if (!path)
        return mr__refuse("mr_load_weights needs a path");
    int rc = mr__loader_enter(l, &e);
    if (rc >= 0) {
        rc = read_given(l, path, &e);
        mr__loader_leave(l);
    }
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

int mr__learned_check(const mr_loader *l, const struct mr_state *state, struct mr_errbuf *e)
{
    const struct mr_learned *d = &l->learned;
    if (!l->s.feedback.base)
        return MR_OK;
    if (!d->given)
        return mr__fail(e, MR_E_USAGE,
                        "the sampler '%s' learns: give the state's weights file first, by "
                        "mr_load_weights",
                        mr__session_sampler(&l->s)->d.name);
    if (d->given_hash != state->weights_hash)
        return mr__fail(e, MR_E_CONFIG,
                        "the weights file is another state's: its hash is %016llx, the state names "
                        "%016llx",
                        (unsigned long long)d->given_hash, (unsigned long long)state->weights_hash);
    return MR_OK;
}

int mr__learned_expect(const mr_loader *l, const mr_options *o, struct mr_errbuf *e)
{
    struct mr_errbuf why;
    if (!mr__session_learner(&l->s)) {
        no_learner(&l->s, &why);
        return o->weights ? mr__fail(e, MR_E_USAGE, "mr_options.weights is given, but %s", why.text)
                          : MR_OK;
    }
    if (!o->state == !o->weights)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE,
                    o->state ? "the sampler '%s' learns: a state needs its weights file "
                               "(mr_options.weights) beside it"
                             : "mr_options.weights is given, but no state: both were saved "
                               "together (the sampler is '%s')",
                    mr__session_sampler(&l->s)->d.name);
}

int mr__learned_resume(mr_loader *l, const char *path, const struct mr_state *state,
                       struct mr_errbuf *e)
{
    int rc = read_given(l, path, e);
    if (rc >= 0)
        rc = mr__learned_check(l, state, e);
    l->learned.loading = rc >= 0;
    if (rc >= 0)
        rc = mr__loader_request(l, state->epoch, state->batch, NULL, e);
    l->learned.loading = false;
    return rc;
}

void mr__learned_ask(mr_loader *l)
{
    struct mr_learned *d = &l->learned;
    if (!l->s.feedback.base)
        return;
    if (!d->loading) {
        mr__feedback_ask(&l->s.feedback, d->place, NULL);
        return;
    }
    mr__feedback_ask(&l->s.feedback, d->given_place, d->given);
    d->place = d->given_place;
    d->loads++;
    free(d->given);
    d->given = NULL;
}
