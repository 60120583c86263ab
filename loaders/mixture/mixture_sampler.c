/* SPDX-License-Identifier: Apache-2.0
 *
 * mixture_sampler.c: the parts take turns as a schedule says, and each gives what its own sampler
 * gives next. Where a part is follows from how many turns it had: it goes through its own epochs,
 * and an epoch of the mixture begins where the last one left it. A schedule goes on over the epochs
 * until a part comes or goes; a new one begins then.
 */
#include "schedule.h"

#include "base/config.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

struct part {
    const struct mr_sampler *sampler;
    void *self;
    struct mr_index index; /* its own: it knows of no other part */
    uint64_t first;        /* of its samples, in the whole */
    uint64_t length;       /* rows of its epoch */
    uint64_t turns;        /* by repeat: of an epoch of the mixture */
};

struct stage {
    uint64_t from; /* epoch */
    struct mr_schedule *schedule;
    int n, part[MR_INDEX_MAX_PARTS];     /* who takes turns */
    uint64_t before[MR_INDEX_MAX_PARTS]; /* turns of every part of the mixture, in earlier stages */
};

struct mixture {
    const struct mr_mixture_config *config;
    uint64_t seed, batch;
    uint64_t rows;  /* of a turn */
    uint64_t turns; /* of an epoch */
    struct part part[MR_INDEX_MAX_PARTS];
    struct stage *stage; /* in order; the first is from epoch 0 */
    int nparts, nstages;
};

/* ---- a row ---- */

struct turn {
    const struct part *part;
    uint64_t epoch, position; /* of the part */
};

static const struct stage *stage_of(const struct mixture *m, uint64_t epoch)
{
    int i = m->nstages - 1;
    while (i > 0 && m->stage[i].from > epoch)
        i--;
    return &m->stage[i];
}

static struct turn find_turn(const struct mixture *m, uint64_t epoch, uint64_t position)
{
    const struct stage *s = stage_of(m, epoch);
    uint64_t before;
    int k;
    mr__schedule_at(s->schedule, (epoch - s->from) * m->turns + position / m->rows, &k, &before);
    k = s->part[k];
    uint64_t row = (s->before[k] + before) * m->rows + position % m->rows;
    uint64_t length = m->part[k].length;
    return (struct turn){&m->part[k], row / length, row % length};
}

static int mixture_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                      struct mr_errbuf *e)
{
    struct turn t = find_turn(self, epoch, position);
    int rc = t.part->sampler->at(t.part->self, t.epoch, t.position, pick, e);
    pick->sample += t.part->first;
    return rc;
}

/* Another sample of the same part. */
static void mixture_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                               struct mr_pick *pick)
{
    const struct mixture *m = self;
    struct turn t = find_turn(m, epoch, position);
    if (t.part->sampler->substitute) {
        pick->sample -= t.part->first;
        t.part->sampler->substitute(t.part->self, t.epoch, t.position, attempt, pick);
    } else {
        struct mr_row_key key = {m->seed, epoch, position, attempt};
        mr_rng rng = mr__rng_open(&key, "substitute", 0);
        *pick = (struct mr_pick){.sample = mr_rng_below(&rng, t.part->index.head->samples)};
    }
    pick->sample += t.part->first;
}

/* Of the files that the parts' samplers have read; 0: none. */
static uint64_t mixture_hash(void *self)
{
    const struct mixture *m = self;
    uint64_t hash[3] = {0};
    for (int i = 0; i < m->nparts; i++) {
        const struct part *p = &m->part[i];
        hash[1] = p->sampler->hash ? p->sampler->hash(p->self) : 0;
        hash[2] = (uint64_t)i;
        if (hash[1])
            hash[0] = XXH3_64bits(hash, sizeof hash) | 1;
    }
    return hash[0];
}

static uint64_t mixture_length(void *self)
{
    const struct mixture *m = self;
    return m->turns * m->rows;
}

/* ---- opening ---- */

static uint64_t seed_of(uint64_t seed, int part)
{
    struct mr_row_key whole = {.seed = seed};
    mr_rng rng = mr__rng_open(&whole, "mixture part", (uint32_t)part);
    uint64_t low = mr_rng_u32(&rng);
    return (uint64_t)mr_rng_u32(&rng) << 32 | low;
}

static int open_part(struct mixture *m, int i, const struct mr_sampler_env *whole,
                     struct mr_errbuf *e)
{
    const struct mr_part_config *c = &m->config->parts[i];
    const struct mr_index_part *own = &mr__index_parts(whole->index)[i];
    struct part *p = &m->part[i];
    *p = (struct part){.sampler = c->sampler.desc,
                       .index = mr__index_of_part(whole->index, own),
                       .first = own->first};
    struct mr_sampler_env env = {.index = &p->index,
                                 .samples = own->samples,
                                 .seed = seed_of(whole->seed, i),
                                 .batch = whole->batch};
    int rc = p->sampler->open(c->sampler.params, &env, &p->self, e);
    if (rc < 0)
        return mr__context(e, "part '%s' of the mixture", c->name);
    m->nparts++;
    p->length = p->sampler->length(p->self);
    if (p->sampler->batchwise) /* whole batches only */
        p->length -= p->length % m->batch;
    if (p->length)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "part '%s' of the mixture has not a single batch of %llu rows: make "
                    "'batch.size' smaller",
                    c->name, (unsigned long long)m->batch);
}

/* By repeat: turns of the part in an epoch, at least one. */
static int set_turns(struct mixture *m, int i, struct mr_errbuf *e)
{
    const struct mr_part_config *c = &m->config->parts[i];
    double turns = c->repeat * (double)m->part[i].length / (double)m->rows;
    if (turns > 1e15)
        return mr__fail(e, MR_E_CONFIG,
                        "'repeat: %.10g' of part '%s' makes an epoch of more than 1e15 rows",
                        c->repeat, c->name);
    m->part[i].turns = turns < 1.5 ? 1 : (uint64_t)llround(turns);
    m->turns += m->part[i].turns;
    return MR_OK;
}

/* By share: what is asked for, or as many rows as the parts have, in whole batches. */
static void set_length(struct mixture *m)
{
    uint64_t rows = (uint64_t)m->config->length, unit = m->rows;
    if (!rows) {
        for (int i = 0; i < m->nparts; i++)
            rows += m->part[i].length;
        unit = m->batch;
    }
    m->turns = (rows / unit + (rows % unit != 0)) * (unit / m->rows);
}

static bool is_on(const struct mr_part_config *c, uint64_t epoch)
{
    return (uint64_t)c->from_epoch <= epoch &&
           (!c->until_epoch || epoch < (uint64_t)c->until_epoch);
}

static int begin_stage(struct mixture *m, struct stage *s, struct mr_errbuf *e)
{
    double shares[MR_INDEX_MAX_PARTS];
    uint64_t weights[MR_INDEX_MAX_PARTS];
    bool by_share = m->config->by == MR_MIX_SHARE;
    for (int i = 0; i < m->nparts; i++) {
        if (by_share && !is_on(&m->config->parts[i], s->from))
            continue;
        shares[s->n] = m->config->parts[i].share;
        weights[s->n] = m->part[i].turns;
        s->part[s->n++] = i;
    }
    if (by_share)
        mr__schedule_weights(shares, s->n, weights);
    return mr__schedule_new(&s->schedule, weights, s->n, m->rows > 1 ? 1 : m->batch, e);
}

/* What all parts had when a stage ends. */
static void add_turns(const struct mixture *m, const struct stage *s, struct stage *next)
{
    uint64_t counts[MR_INDEX_MAX_PARTS];
    mr__schedule_counts(s->schedule, (next->from - s->from) * m->turns, counts);
    for (int i = 0; i < m->nparts; i++)
        next->before[i] = s->before[i];
    for (int k = 0; k < s->n; k++)
        next->before[s->part[k]] += counts[k];
}

/* The first epoch after `epoch` at which a part comes or goes; UINT64_MAX: never. */
static uint64_t next_change(const struct mixture *m, uint64_t epoch)
{
    uint64_t next = UINT64_MAX;
    for (int i = 0; i < m->nparts && m->config->by == MR_MIX_SHARE; i++) {
        uint64_t at[2] = {(uint64_t)m->config->parts[i].from_epoch,
                          (uint64_t)m->config->parts[i].until_epoch};
        for (int k = 0; k < 2; k++)
            if (at[k] > epoch && at[k] < next)
                next = at[k];
    }
    return next;
}

static bool any_is_on(const struct mixture *m, uint64_t epoch)
{
    for (int i = 0; i < m->nparts; i++)
        if (m->config->by != MR_MIX_SHARE || is_on(&m->config->parts[i], epoch))
            return true;
    return false;
}

/* Epochs without any part lie behind the run's end: the config was checked for it. */
static int open_stages(struct mixture *m, struct mr_errbuf *e)
{
    m->stage = calloc(2 * MR_INDEX_MAX_PARTS + 1, sizeof *m->stage);
    if (!m->stage)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the mixture");
    int rc = MR_OK;
    for (uint64_t from = 0; from != UINT64_MAX && any_is_on(m, from) && rc >= 0;
         from = next_change(m, from)) {
        struct stage *s = &m->stage[m->nstages++];
        s->from = from;
        rc = begin_stage(m, s, e);
        if (m->nstages > 1 && rc >= 0)
            add_turns(m, s - 1, s);
    }
    return rc;
}

static void mixture_close(void *self)
{
    struct mixture *m = self;
    for (int i = 0; i < m->nparts; i++)
        m->part[i].sampler->close(m->part[i].self);
    for (int i = 0; i < m->nstages; i++)
        mr__schedule_free(m->stage[i].schedule);
    free(m->stage);
    free(m);
}

static int open_all(struct mixture *m, const struct mr_sampler_env *env, struct mr_errbuf *e)
{
    const struct mr_mixture_config *c = m->config;
    int rc = MR_OK;
    for (int i = 0; i < c->nparts && rc >= 0; i++)
        rc = open_part(m, i, env, e);
    for (int i = 0; i < c->nparts && rc >= 0 && c->by == MR_MIX_REPEAT; i++)
        rc = set_turns(m, i, e);
    if (rc >= 0 && c->by == MR_MIX_SHARE)
        set_length(m);
    return rc < 0 ? rc : open_stages(m, e);
}

static int mixture_open(const void *params, const struct mr_sampler_env *env, void **self,
                        struct mr_errbuf *e)
{
    struct mixture *m = calloc(1, sizeof *m);
    if (!m)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the mixture");
    m->config = params;
    m->seed = env->seed;
    m->batch = env->batch;
    m->rows = m->config->unit == MR_MIX_BATCH ? env->batch : 1;
    int rc = open_all(m, env, e);
    if (rc >= 0)
        *self = m;
    else
        mixture_close(m);
    return rc;
}

/* ---- windows, and what else the parts' samplers have to say ---- */

/* The config was checked: all parts' windows are alike. */
static void mixture_window(const void *params, int32_t *w, int32_t *h)
{
    const struct mr_mixture_config *c = params;
    const struct mr_sampler *first = c->parts[0].sampler.desc;
    first->window(c->parts[0].sampler.params, w, h);
}

static int mixture_index(const void *params, const struct mr_sampler_build *build,
                         struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct mr_mixture_config *c = params;
    for (int i = 0; i < c->nparts; i++) {
        const struct mr_sampler *sampler = c->parts[i].sampler.desc;
        int rc = sampler->index ? sampler->index(c->parts[i].sampler.params, build,
                                                 mr__index_built_part(b, (uint64_t)i), e)
                                : MR_OK;
        if (rc < 0)
            return mr__context(e, "part '%s' of the mixture", c->parts[i].name);
    }
    return MR_OK;
}

static void mixture_note(void *self, char *text, size_t cap)
{
    const struct mixture *m = self;
    char note[512];
    size_t n = 0;
    for (int i = 0; i < m->nparts && n < cap; i++) {
        const struct part *p = &m->part[i];
        note[0] = 0;
        if (p->sampler->note)
            p->sampler->note(p->self, note, sizeof note);
        if (note[0])
            n += (size_t)snprintf(text + n, cap - n, "%spart '%s': %s", n ? "; " : "",
                                  m->config->parts[i].name, note);
    }
}

const struct mr_sampler mr__sampler_mixture = {
    .d = {.name = "mixture", .help = "the parts of a mixture take turns"},
    .open = mixture_open,
    .close = mixture_close,
    .hash = mixture_hash,
    .length = mixture_length,
    .at = mixture_at,
    .substitute = mixture_substitute,
    .window = mixture_window,
    .index = mixture_index,
    .note = mixture_note,
};
