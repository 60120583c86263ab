/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c: where a run stands, as a short JSON text that this file alone writes and reads.
 * Everything delivered is a function of (config, seed, data, epoch, batch), so that is all there is
 * to save.
 */
#include "pipe/loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATE_VERSION 1
#define FORMAT                                                                             \
    "{\"millrace_state\":%d,\"epoch\":%" PRIu64 ",\"batch\":%" PRIu64 ",\"seed\":%" PRIu64 \
    ",\"config\":\"%016" PRIx64 "\",\"data\":\"%016" PRIx64 "\"}"
#define SCAN                                                                               \
    " { \"millrace_state\" : %d , \"epoch\" : %" SCNu64 " , \"batch\" : %" SCNu64          \
    " , \"seed\" : %" SCNu64 " , \"config\" : \"%16" SCNx64 "\" , \"data\" : \"%16" SCNx64 \
    "\" } %n"

static int cannot_save(const mr_loader *l, struct mr_errbuf *e)
{
    if (l->s.plan->user_commander)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "a user's commander decides itself what comes next: "
                        "this version cannot save its place");
    if (!l->s.plan->config->deterministic && l->position)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "with 'deterministic: false' a state can only be saved "
                        "between epochs: in the middle, delivered batches are not a prefix");
    return MR_OK;
}

int mr_save_state(mr_loader *l, char *text, size_t cap, size_t *bytes)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc >= 0) {
        rc = cannot_save(l, &e);
        if (rc >= 0) {
            int n = snprintf(text, cap, FORMAT, STATE_VERSION, l->epoch, l->position,
                             (uint64_t)l->s.plan->config->seed, l->s.plan->config->stream_hash,
                             l->s.index.head->hash);
            *bytes = (size_t)n + 1;
            if (*bytes > cap)
                rc = mr__fail(&e, MR_E_LIMIT, "the state needs %zu bytes, %zu are there", *bytes,
                              cap);
        }
        mr__loader_leave(l);
    }
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

int mr__state_parse(const char *text, struct mr_state *s, struct mr_errbuf *e)
{
    int version = 0, end = 0;
    int got = sscanf(text, SCAN, &version, &s->epoch, &s->batch, &s->seed, &s->config_hash,
                     &s->data_hash, &end);
    if (got >= 1 && version != STATE_VERSION)
        return mr__fail(e, MR_E_VERSION,
                        "the state is of version %d, this library reads version %d", version,
                        STATE_VERSION);
    bool sane = s->epoch < 1ull << 48 && s->batch < 1ull << 48;
    if (got != 6 || !end || text[end] || !sane)
        return mr__fail(e, MR_E_CONFIG, "this is not a state that mr_save_state wrote");
    return MR_OK;
}

int mr__state_check(const mr_loader *l, const struct mr_state *s, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    if (l->s.plan->user_commander)
        return mr__fail(e, MR_E_UNSUPPORTED, "a user's commander cannot be sent to a saved state");
    if (s->seed != (uint64_t)c->seed)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of seed %" PRIu64 ", the config has seed %lld", s->seed,
                        (long long)c->seed);
    if (s->config_hash != c->stream_hash)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of another config: something that shapes the "
                        "stream (batch size, sampler, ops, fields) has changed since");
    if (l->s.index.head && s->data_hash != l->s.index.head->hash)
        return mr__fail(e, MR_E_CONFIG,
                        "the state is of another data set: files were added, removed "
                        "or renamed since");
    return MR_OK;
}
