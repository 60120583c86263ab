/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/index_cache.h"

#include "shm/report.h"

#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

int mr__session_pick(const struct mr_session *s, uint64_t epoch, uint64_t position,
                     struct mr_pick *pick, struct mr_errbuf *e)
{
    uint64_t pass, at;
    *pick = (struct mr_pick){.sample = UINT64_MAX};
    if (!mr__epochs_place(&s->epochs, epoch, position, &pass, &at))
        return MR_OK; /* a row that holds nothing */
    if (s->steered)
        return mr__session_learner(s)->choose(s->sampler, &s->feedback.weights, pass, at, pick, e);
    return mr__session_sampler(s)->at(s->sampler, pass, at, pick, e);
}

void mr__session_substitute(const struct mr_session *s, uint64_t epoch, uint64_t position,
                            uint32_t attempt, struct mr_pick *pick)
{
    const struct mr_sampler *sampler = mr__session_sampler(s);
    uint64_t pass, at;
    if (s->sampler && sampler->substitute) {
        if (mr__epochs_place(&s->epochs, epoch, position, &pass, &at))
            sampler->substitute(s->sampler, pass, at, attempt, pick);
        return;
    }
    struct mr_row_key key = {(uint64_t)s->plan->config->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    *pick = (struct mr_pick){.sample = mr_rng_below(&rng, s->index.head->samples)};
}

uint64_t mr__session_sample(const struct mr_session *s, uint64_t epoch, uint64_t position,
                            uint32_t attempt)
{
    struct mr_errbuf e;
    struct mr_pick pick = {.sample = UINT64_MAX};
    if (!s->sampler && !attempt) /* a user's commander knows */
        return UINT64_MAX;
    if (s->sampler && mr__session_pick(s, epoch, position, &pick, &e) < 0)
        return UINT64_MAX;
    if (attempt)
        mr__session_substitute(s, epoch, position, attempt, &pick);
    return pick.sample;
}

uint64_t mr__session_data_hash(const struct mr_session *s)
{
    const struct mr_sampler *sampler = mr__session_sampler(s);
    uint64_t hashes[2] = {s->index.head ? s->index.head->hash : 0, s->sampler_hash};
    if (s->sampler && sampler->hash)
        hashes[1] = sampler->hash(s->sampler);
    return hashes[1] ? XXH3_64bits(hashes, sizeof hashes) : hashes[0];
}

/* Only `drop` can leave nothing. */
static int no_batch(const struct mr_session *s, struct mr_errbuf *e)
{
    const struct mr_config *c = s->plan->config;
    if (s->epochs.pass && s->epochs.counted)
        return mr__fail(e, MR_E_CONFIG,
                        "no batch would ever come: 'epoch_batches' is %lld, there are %lld ranks, "
                        "and 'batch.last: drop' leaves out what does not go round; set "
                        "'epoch_batches' to a multiple of the ranks",
                        (long long)c->epoch_batches, (long long)c->world);
    return mr__fail(e, MR_E_CONFIG,
                    "no batch would ever come: an epoch has %llu samples, a batch "
                    "%lld rows on each of %lld ranks, and 'batch.last: drop' leaves out what is "
                    "less; make 'batch.size' smaller or choose short, pad or wrap",
                    (unsigned long long)s->epochs.positions, (long long)c->batch.size,
                    (long long)c->world);
}

static int cut_epochs(struct mr_session *s, uint64_t length, struct mr_errbuf *e)
{
    mr__epochs_cut(&s->epochs, s->plan->config, length);
    return mr__epochs_steps(&s->epochs, 0) ? MR_OK : no_batch(s, e);
}

static int open_sampler(struct mr_session *s, struct mr_errbuf *e)
{
    const struct mr_config *c = s->plan->config;
    const struct mr_sampler *sampler = c->sampler.desc;
    struct mr_sampler_env env = {.index = &s->index,
                                 .samples = s->index.head->samples,
                                 .seed = (uint64_t)c->seed,
                                 .batch = (uint64_t)c->batch.size};
    int rc = sampler->open(c->sampler.params, &env, &s->sampler, e);
    if (rc == MR_E_CONFIG && !e->placed) { /* a file's line has its own place */
        struct mr_errbuf why = *e;
        return mr__config_error(c, c->sampler.mark, e, "%.900s", why.text);
    }
    return rc;
}

static int bind(struct mr_session *s, int rc, struct mr_errbuf *e)
{
    if (rc >= 0)
        rc = mr__plan_bind(s->plan, &s->index, e);
    if (rc < 0 || s->plan->user_commander)
        return rc;
    rc = open_sampler(s, e);
    return rc < 0 ? rc : cut_epochs(s, mr__session_sampler(s)->length(s->sampler), e);
}

int mr__session_bind(struct mr_session *s, struct mr_errbuf *e)
{
    return s->index_fd < 0 ? MR_OK : bind(s, mr__index_map(&s->index, s->index_fd, e), e);
}

int mr__session_bind_copy(struct mr_session *s, struct mr_errbuf *e)
{
    return s->index_fd < 0 ? MR_OK : bind(s, mr__index_copy(&s->index, s->index_fd, e), e);
}

/* ---- a trainer has no use for a sampler's tables, which may be large ---- */

void mr__session_lead(const struct mr_session *s)
{
    const struct mr_sampler *sampler = mr__session_sampler(s);
    if (!s->sampler)
        return;
    s->arena.control->length = sampler->length(s->sampler);
    s->arena.control->sampler_hash = sampler->hash ? sampler->hash(s->sampler) : 0;
}

int mr__session_follow(struct mr_session *s, struct mr_errbuf *e)
{
    if (s->index_fd < 0)
        return MR_OK;
    int rc = mr__index_copy(&s->index, s->index_fd, e);
    if (rc >= 0)
        rc = mr__plan_bind(s->plan, &s->index, e);
    if (rc < 0 || s->plan->user_commander)
        return rc;
    if (mr__session_learner(s))
        rc = open_sampler(s, e);
    s->sampler_hash = s->arena.control->sampler_hash;
    return rc < 0 ? rc : cut_epochs(s, s->arena.control->length, e);
}

int mr__session_need_sampler(struct mr_session *s, struct mr_errbuf *e)
{
    bool has_one = s->index.head && !s->plan->user_commander;
    bool needed = has_one && mr__session_sampler(s)->substitute && !s->sampler;
    return needed ? open_sampler(s, e) : MR_OK;
}

void mr__session_note(const struct mr_session *s)
{
    char text[512] = "";
    if (s->sampler && mr__session_sampler(s)->note)
        mr__session_sampler(s)->note(s->sampler, text, sizeof text);
    if (text[0])
        mr__report_log(&s->arena, MR_LANE_WARDEN, MR_REPORT_WARNING, "%s", text);
}

void mr__session_shape_feedback(struct mr_session *s)
{
    const struct mr_learner *learner = mr__session_learner(s);
    const struct mr_arena_spec *a = &s->plan->arena;
    s->feedback = (struct mr_feedback){.fd = -1};
    if (learner)
        mr__feedback_shape(&s->feedback, a->rows, a->slots + a->spares,
                           (uint32_t)learner->delay(s->plan->config->sampler.params));
}

int mr__session_attach_feedback(struct mr_session *s, struct mr_errbuf *e)
{
    const struct mr_learner *learner = mr__session_learner(s);
    return learner ? mr__feedback_attach(&s->feedback, learner, s->sampler, e) : MR_OK;
}

static void drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void mr__session_drop_descriptors(struct mr_session *s)
{
    if (s->index.map) /* a forked child has no use for it, and would keep it alive */
        madvise(s->index.map, s->index.map_bytes, MADV_DONTFORK);
    drop(&s->arena.control_fd);
    drop(&s->arena.plan_fd);
    drop(&s->arena.data_fd);
    drop(&s->index_fd);
    drop(&s->boot_fd);
    mr__feedback_close(&s->feedback);
}

void mr__session_release(struct mr_session *s)
{
    if (s->sampler)
        mr__session_sampler(s)->close(s->sampler);
    s->sampler = NULL;
    mr__feedback_release(&s->feedback);
    mr__index_unmap(&s->index);
    mr__arena_unmap(&s->arena);
    mr__plan_free(s->plan);
    s->plan = NULL;
    mr__cache_free(s);
    mr__sandbox_free(s->sandbox);
    s->sandbox = NULL;
    if (s->index_fd >= 0)
        close(s->index_fd);
    if (s->boot_fd >= 0)
        close(s->boot_fd);
    s->index_fd = s->boot_fd = -1;
}
