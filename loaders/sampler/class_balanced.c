/* SPDX-License-Identifier: Apache-2.0
 *
 * class_balanced.c: every class equally often. An epoch is made of rounds, in each of which every
 * class comes once, in an order of the round's own. So a class's visits are numbered by the rounds
 * since the first epoch, and visit v is sample v mod size of the permutation number v / size of the
 * class: none comes again before all others of its class have come, from one epoch to the next,
 * too.
 */
#include "class_lists.h"
#include "keyed.h"

#include "base/divide.h"

#include <math.h>
#include <stdlib.h>

struct balanced_params {
    const char *by;
    int64_t length;
};

struct balanced {
    struct mr_class_lists lists;
    struct mr_keyed_table order; /* of the classes in a round */
    uint64_t length, rounds;     /* of an epoch; the last round may be cut */
};

static void balanced_close(void *self)
{
    struct balanced *s = self;
    mr__class_lists_close(&s->lists);
    free(s->order.at);
    free(s);
}

static int balanced_open(const void *params, const struct mr_sampler_env *env, void **self,
                         struct mr_errbuf *e)
{
    const struct balanced_params *p = params;
    struct balanced *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    int rc = mr__class_lists_open(&s->lists, env, "sampler.by", p->by, e);
    if (rc >= 0 && !mr__keyed_table_open(&s->order, s->lists.classes))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu classes",
                      (unsigned long long)s->lists.classes);
    if (rc < 0) {
        balanced_close(s);
        return rc;
    }
    uint64_t classes = s->lists.classes;
    s->rounds = mr__div_up(p->length ? (uint64_t)p->length : env->samples, classes);
    s->length = p->length ? (uint64_t)p->length : s->rounds * classes;
    *self = s;
    return MR_OK;
}

static uint64_t balanced_length(void *self)
{
    const struct balanced *s = self;
    return s->length;
}

static int balanced_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                       struct mr_errbuf *e)
{
    struct balanced *s = self;
    const struct mr_class_lists *l = &s->lists;
    (void)e;
    uint64_t visit = epoch * s->rounds + position / l->classes; /* may wrap: then it begins anew */
    struct mr_row_key round = {.seed = l->seed, .position = visit};
    mr__keyed_table_fill(&s->order, &round, "class_balanced.classes");
    uint64_t c = s->order.at[position % l->classes];
    struct mr_row_key cycle = {.seed = l->seed, .epoch = visit / l->size[c], .position = c};
    uint64_t i = mr__keyed(visit % l->size[c], l->size[c], &cycle, "class_balanced.samples");
    *pick = (struct mr_pick){.sample = mr__class_sample(l, c, i)};
    return MR_OK;
}

static void balanced_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                                struct mr_pick *pick)
{
    const struct balanced *s = self;
    mr__class_substitute(&s->lists, epoch, position, attempt, pick);
}

static const struct mr_opt balanced_opts[] = {
    {.name = "by",
     .type = MR_OPT_STR,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct balanced_params, by),
     .def = "label",
     .help = "column of whole numbers that says which class a sample is of"},
    {.name = "length",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM | MR_OPT_AUTO,
     .off = offsetof(struct balanced_params, length),
     .def = "auto",
     .min = 1,
     .max = INFINITY,
     .unit = "rows",
     .help = "rows of an epoch; auto: as many as there are samples, up to the next multiple of the "
             "number of classes"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_class_balanced = {
    .d = {.name = "class_balanced",
          .help = "every class equally often, each class's samples in turn",
          .params_size = sizeof(struct balanced_params),
          .opts = balanced_opts},
    .open = balanced_open,
    .close = balanced_close,
    .length = balanced_length,
    .at = balanced_at,
    .substitute = balanced_substitute,
};
