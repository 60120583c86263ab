/* SPDX-License-Identifier: Apache-2.0
 *
 * pk.c: batches of P classes with K samples of each, for losses that compare samples within a
 * batch (triplets, contrastive).
 *
 * Rounds of as many batches as have P classes each: a round goes through a permutation of the
 * classes, and what is left of it when less than P classes are, sits this round out. So no class is
 * in a batch twice. A class's visits are numbered by rounds, and in the same way take K samples at
 * a time off a permutation of the class.
 */
#include "class_lists.h"
#include "keyed.h"

#include <math.h>
#include <stdlib.h>

enum small { SMALL_ERROR, SMALL_SKIP, SMALL_REPEAT };

struct pk_params {
    const char *by;
    int64_t p, k, length;
    int small;
};

struct pk {
    struct mr_class_lists lists;
    uint64_t p, k, length;
    uint32_t *usable;            /* classes that take part */
    uint64_t classes;            /* how many they are */
    uint64_t rounds;             /* of an epoch; the last may be cut */
    struct mr_keyed_table order; /* of the classes in a round */
};

static int check_batch(const struct pk_params *p, const struct mr_sampler_env *env,
                       struct mr_errbuf *e)
{
    long long rows = (long long)(p->p * p->k);
    if (env->batch != (uint64_t)rows)
        return mr__fail(e, MR_E_CONFIG,
                        "'batch.size' is %llu, but %lld classes ('sampler.p') of %lld samples "
                        "('sampler.k') are "
                        "%lld rows: make them the same",
                        (unsigned long long)env->batch, (long long)p->p, (long long)p->k, rows);
    if (p->length % rows)
        return mr__fail(e, MR_E_CONFIG,
                        "'sampler.length' is %lld, which is no multiple of a batch of %lld "
                        "rows ('sampler.p' times 'sampler.k')",
                        (long long)p->length, rows);
    return MR_OK;
}

static int small_class(const struct pk *s, uint64_t c, struct mr_errbuf *e)
{
    return mr__fail(
        e, MR_E_CONFIG,
        "class %s has %llu sample%s, less than 'sampler.k', %llu: make it smaller, or say "
        "'small: skip' to leave such classes out or 'small: repeat' to take their "
        "samples more than once",
        mr__class_name(&s->lists, c).text, (unsigned long long)s->lists.size[c],
        s->lists.size[c] == 1 ? "" : "s", (unsigned long long)s->k);
}

/* Adds up the samples of the classes that take part. */
static int choose_classes(struct pk *s, const struct pk_params *p, uint64_t *samples,
                          struct mr_errbuf *e)
{
    const struct mr_class_lists *l = &s->lists;
    s->usable = malloc(l->classes * sizeof *s->usable);
    if (!s->usable)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    *samples = 0;
    for (uint64_t c = 0; c < l->classes; c++) {
        bool small = l->size[c] < s->k;
        if (small && p->small == SMALL_ERROR)
            return small_class(s, c, e);
        if (small && p->small == SMALL_SKIP)
            continue;
        s->usable[s->classes++] = (uint32_t)c;
        *samples += l->size[c];
    }
    if (s->classes >= s->p && mr__keyed_table_open(&s->order, s->classes))
        return MR_OK;
    if (s->classes >= s->p)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    return mr__fail(e, MR_E_CONFIG,
                    "'sampler.p' is %llu, but %llu class%s%s in the column '%s': a batch needs "
                    "as many different ones",
                    (unsigned long long)s->p, (unsigned long long)s->classes,
                    s->classes == 1 ? " is" : "es are",
                    p->small == SMALL_SKIP ? " large enough for 'sampler.k'" : "", p->by);
}

static int open_pk(struct pk *s, const struct pk_params *p, const struct mr_sampler_env *env,
                   struct mr_errbuf *e)
{
    uint64_t samples, rows = s->p * s->k;
    int rc = check_batch(p, env, e);
    if (rc >= 0)
        rc = mr__class_lists_open(&s->lists, env, "sampler.by", p->by, e);
    if (rc >= 0)
        rc = choose_classes(s, p, &samples, e);
    if (rc < 0)
        return rc;
    uint64_t batches = (p->length ? (uint64_t)p->length : samples) / rows;
    batches += !batches;
    uint64_t in_round = s->classes / s->p;
    s->length = batches * rows;
    s->rounds = batches / in_round + (batches % in_round != 0);
    return MR_OK;
}

static void pk_close(void *self)
{
    struct pk *s = self;
    mr__class_lists_close(&s->lists);
    free(s->usable);
    free(s->order.at);
    free(s);
}

static int pk_open(const void *params, const struct mr_sampler_env *env, void **self,
                   struct mr_errbuf *e)
{
    const struct pk_params *p = params;
    struct pk *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    s->p = (uint64_t)p->p;
    s->k = (uint64_t)p->k;
    int rc = open_pk(s, p, env, e);
    if (rc < 0)
        pk_close(s);
    else
        *self = s;
    return rc;
}

static uint64_t pk_length(void *self)
{
    const struct pk *s = self;
    return s->length;
}

/* A permutation of the class lasts for size / k visits; what is left of it is not used. */
static uint64_t sample_of_visit(const struct pk *s, uint64_t c, uint64_t visit, uint64_t i)
{
    uint64_t size = s->lists.size[c], visits = size < s->k ? 1 : size / s->k;
    struct mr_row_key cycle = {.seed = s->lists.seed, .epoch = visit / visits, .position = c};
    uint64_t place = (visit % visits * s->k + i) % size;
    return mr__class_sample(&s->lists, c, mr__keyed(place, size, &cycle, "pk.samples"));
}

static int pk_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                 struct mr_errbuf *e)
{
    struct pk *s = self;
    (void)e;
    uint64_t batch = position / (s->p * s->k), row = position % (s->p * s->k);
    uint64_t in_round = s->classes / s->p;
    uint64_t visit = epoch * s->rounds + batch / in_round; /* may wrap: then it begins anew */
    struct mr_row_key round = {.seed = s->lists.seed, .position = visit};
    uint64_t place = batch % in_round * s->p + row / s->k;
    mr__keyed_table_fill(&s->order, &round, "pk.classes");
    uint64_t c = s->usable[s->order.at[place]];
    *pick = (struct mr_pick){.sample = sample_of_visit(s, c, visit, row % s->k)};
    return MR_OK;
}

static void pk_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                          struct mr_pick *pick)
{
    const struct pk *s = self;
    mr__class_substitute(&s->lists, epoch, position, attempt, pick);
}

static const char *const small_names[] = {"error", "skip", "repeat", NULL};
static const struct mr_opt pk_opts[] = {
    {.name = "p",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct pk_params, p),
     .min = 1,
     .max = 65536,
     .unit = "classes",
     .help = "different classes in a batch"},
    {.name = "k",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct pk_params, k),
     .min = 1,
     .max = 65536,
     .unit = "samples",
     .help = "samples of each; `batch.size` must be p times k"},
    {.name = "by",
     .type = MR_OPT_STR,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct pk_params, by),
     .def = "label",
     .help = "column of whole numbers that says which class a sample is of"},
    {.name = "small",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct pk_params, small),
     .def = "error",
     .names = small_names,
     .help = "classes with less than k samples are an error, are left out, or have samples more "
             "than once in a batch"},
    {.name = "length",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM | MR_OPT_AUTO,
     .off = offsetof(struct pk_params, length),
     .def = "auto",
     .min = 1,
     .max = INFINITY,
     .unit = "rows",
     .help = "rows of an epoch, a multiple of p times k; auto: as many as there are samples, down "
             "to the next multiple"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_pk = {
    .d = {.name = "pk",
          .help = "batches of p classes with k samples of each",
          .params_size = sizeof(struct pk_params),
          .opts = pk_opts},
    .open = pk_open,
    .close = pk_close,
    .length = pk_length,
    .at = pk_at,
    .substitute = pk_substitute,
    .batchwise = true,
};
