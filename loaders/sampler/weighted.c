/* SPDX-License-Identifier: Apache-2.0
 *
 * weighted.c: samples by weight. With replacement every position draws from an alias table: O(1)
 * per position, nothing per epoch. Without, an epoch's order is a table of its own, made when the
 * epoch is first asked about.
 */
#include "alias.h"
#include "race.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

struct weighted_params {
    struct mr_weights_from from;
    bool replacement;
    int64_t length;
};

struct weighted {
    struct mr_sampler_env env;
    struct mr_sample_weights weights; /* w is NULL with replacement */
    struct mr_alias *alias;
    uint64_t length, file_hash;
    bool replacement;
    uint32_t *order; /* without replacement: of `epoch`; NULL: of none yet */
    uint64_t epoch;
};

static int weighted_check(const void *params, struct mr_errbuf *e)
{
    const struct weighted_params *p = params;
    int given = !!p->from.by + !!p->from.weights + !!p->from.balance;
    if (given == 1)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "say where the weights come from by %s of 'by: COLUMN', 'weights: FILE' and "
                    "'balance: COLUMN'",
                    given ? "just one" : "one");
}

static void weighted_close(void *self)
{
    struct weighted *s = self;
    free(s->weights.w);
    free(s->alias);
    free(s->order);
    free(s);
}

static int no_memory(const struct weighted *s, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory to choose among %llu samples by weight",
                    (unsigned long long)s->env.samples);
}

static int choose_length(struct weighted *s, const struct weighted_params *p, struct mr_errbuf *e)
{
    s->length = p->length ? (uint64_t)p->length : s->env.samples;
    if (p->replacement)
        return MR_OK;
    if (s->env.samples > UINT32_MAX)
        return mr__fail(e, MR_E_LIMIT,
                        "'replacement: false' sorts the samples of an epoch, and %llu are more "
                        "than it can (4294967295)",
                        (unsigned long long)s->env.samples);
    if (!p->length)
        s->length = s->weights.usable;
    if (s->length <= s->weights.usable)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "'sampler.length' is %llu, but with 'replacement: false' only %llu of %llu "
                    "samples can come: those with a weight above 0",
                    (unsigned long long)s->length, (unsigned long long)s->weights.usable,
                    (unsigned long long)s->env.samples);
}

/* A weight stands for as many samples as have it (mr_sample_weights). */
static int build_alias(struct weighted *s, struct mr_errbuf *e)
{
    uint64_t n = s->weights.n, whole = s->env.samples / n, rest = s->env.samples % n;
    double *w = malloc(n * sizeof *w), most = 0;
    for (uint64_t i = 0; w && i < n; i++) {
        w[i] = s->weights.w[i] * (double)(whole + (i < rest)) / (double)(whole + 1);
        most = fmax(most, w[i]);
    }
    for (uint64_t i = 0; w && i < n; i++)
        w[i] /= most;
    s->alias = w ? mr__alias_new(w, n) : NULL;
    free(w);
    return s->alias ? MR_OK : no_memory(s, e);
}

static int weighted_open(const void *params, const struct mr_sampler_env *env, void **self,
                         struct mr_errbuf *e)
{
    const struct weighted_params *p = params;
    struct weighted *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    s->env = *env;
    s->replacement = p->replacement;
    int rc = mr__sample_weights_read(&s->weights, &p->from, env, e);
    if (rc >= 0 && p->from.weights)
        s->file_hash = XXH3_64bits(s->weights.w, s->weights.n * sizeof *s->weights.w) | 1;
    if (rc >= 0)
        rc = choose_length(s, p, e);
    if (rc >= 0)
        rc = build_alias(s, e);
    if (rc >= 0 && s->replacement) {
        free(s->weights.w);
        s->weights.w = NULL;
    }
    if (rc < 0)
        weighted_close(s);
    else
        *self = s;
    return rc;
}

/* Of the weights, not of their file: it may be written anew. Weights of the index are its own
 * business. */
static uint64_t weighted_hash(void *self)
{
    const struct weighted *s = self;
    return s->file_hash;
}

static uint64_t weighted_length(void *self)
{
    const struct weighted *s = self;
    return s->length;
}

static void draw(const struct weighted *s, const struct mr_row_key *key, const char *name,
                 struct mr_pick *pick)
{
    mr_rng rng = mr__rng_open(key, name, 0);
    uint64_t n = s->weights.n, i = mr__alias_draw(s->alias, &rng);
    if (n < s->env.samples)
        i += n * mr_rng_below(&rng, s->env.samples / n + (i < s->env.samples % n));
    *pick = (struct mr_pick){.sample = s->env.first + i};
}

static int weighted_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                       struct mr_errbuf *e)
{
    struct weighted *s = self;
    if (s->replacement) {
        struct mr_row_key key = {s->env.seed, epoch, position, 0};
        draw(s, &key, "weighted", pick);
        return MR_OK;
    }
    if (!s->order || s->epoch != epoch) {
        free(s->order);
        s->order = mr__race(&s->weights, s->env.samples, s->length, s->env.seed, epoch);
        s->epoch = epoch;
    }
    if (!s->order)
        return no_memory(s, e);
    *pick = (struct mr_pick){.sample = s->env.first + s->order[position]};
    return MR_OK;
}

static void weighted_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                                struct mr_pick *pick)
{
    const struct weighted *s = self;
    struct mr_row_key key = {s->env.seed, epoch, position, attempt};
    draw(s, &key, "substitute", pick);
}

static const struct mr_opt weighted_opts[] = {
    {.name = "by",
     .type = MR_OPT_STR,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct weighted_params, from.by),
     .def = "",
     .help = "column of the data set that holds the weights"},
    {.name = "weights",
     .type = MR_OPT_PATH,
     .off = offsetof(struct weighted_params, from.weights),
     .def = "",
     .help = "text file with a weight per line, in the order of the samples"},
    {.name = "balance",
     .type = MR_OPT_STR,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct weighted_params, from.balance),
     .def = "",
     .help = "column of classes, such as label: each class is as likely as any other, whatever its "
             "size"},
    {.name = "replacement",
     .type = MR_OPT_BOOL,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct weighted_params, replacement),
     .def = "true",
     .help = "true: every draw is among all samples; false: a sample comes once per epoch at most"},
    {.name = "length",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM | MR_OPT_AUTO,
     .off = offsetof(struct weighted_params, length),
     .def = "auto",
     .min = 1,
     .max = INFINITY,
     .unit = "rows",
     .help = "draws that make an epoch; auto: as many as there are samples (without replacement: "
             "with a weight above 0)"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_weighted = {
    .d = {.name = "weighted",
          .help = "samples drawn by weight, with or without replacement",
          .params_size = sizeof(struct weighted_params),
          .opts = weighted_opts,
          .check = weighted_check},
    .open = weighted_open,
    .close = weighted_close,
    .hash = weighted_hash,
    .length = weighted_length,
    .at = weighted_at,
    .substitute = weighted_substitute,
};
