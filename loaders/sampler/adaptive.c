/* SPDX-License-Identifier: Apache-2.0
 *
 * adaptive.c: samples are drawn with replacement by weights that the trainer moves (mr_feedback).
 * A rule says whose the weights are and how they are drawn by; the draws of a position follow from
 * the weights and from the stream (seed, epoch, position, "adaptive").
 */
#include "class_lists.h"
#include "uniform.h"

#include "base/rng.h"
#include "base/weights.h"

#include <stdlib.h>

enum { RULE_LOSS, RULE_RANK, RULE_CLASS };
enum { UPDATE_REPLACE, UPDATE_EMA, UPDATE_MAX };

struct params {
    int64_t delay, tournament;
    int rule, update;
    double alpha, floor, initial;
    const char *by;
};

/* RULE_LOSS: what was drawn for the positions from `first` on, together, since each draw waits for
 * memory several times. Good for as long as the weights are what they were. */
struct drawn {
    const struct mr_weights *w; /* NULL: nothing */
    uint64_t version, epoch, first, sample[MR_WEIGHTS_TOGETHER];
    uint64_t n;
};

struct adaptive {
    struct mr_uniform all; /* first: uniform.h's functions are given the whole */
    struct params p;
    struct mr_class_lists lists; /* RULE_CLASS */
    uint64_t batch;              /* rows: weights change between batches */
    struct drawn drawn;
};

static int adaptive_open(const void *params, const struct mr_sampler_env *env, void **self,
                         struct mr_errbuf *e)
{
    struct adaptive *a = calloc(1, sizeof *a);
    if (!a)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    a->p = *(const struct params *)params;
    a->all = (struct mr_uniform){env->first, env->samples, env->seed};
    a->batch = env->batch ? env->batch : 1;
    int rc = a->p.rule == RULE_CLASS
                 ? mr__class_lists_open(&a->lists, env, "sampler.by", a->p.by, e)
                 : MR_OK;
    if (rc < 0)
        free(a);
    else
        *self = a;
    return rc;
}

static void adaptive_close(void *self)
{
    struct adaptive *a = self;
    mr__class_lists_close(&a->lists);
    free(a);
}

static int64_t delay(const void *params)
{
    return ((const struct params *)params)->delay;
}

static uint64_t weights(void *self)
{
    const struct adaptive *a = self;
    return a->p.rule == RULE_CLASS ? a->lists.classes : a->all.samples;
}

static float initial(void *self)
{
    return (float)((const struct adaptive *)self)->p.initial;
}

static uint64_t weight_of(void *self, uint64_t sample)
{
    const struct adaptive *a = self;
    if (sample < a->all.first || sample - a->all.first >= a->all.samples)
        return UINT64_MAX;
    return a->p.rule == RULE_CLASS ? mr__class_of(&a->lists, sample) : sample - a->all.first;
}

static float learn(void *self, float weight, float value)
{
    const struct params *p = &((const struct adaptive *)self)->p;
    switch (p->update) {
    case UPDATE_EMA: return (float)((1 - p->alpha) * (double)weight + p->alpha * (double)value);
    case UPDATE_MAX: return value > weight ? value : weight;
    default: return value;
    }
}

/* ---- a draw ---- */

static double uniform(mr_rng *rng) /* in steps of 2^-53: any leaf of any tree can be met */
{
    uint64_t high = mr_rng_u32(rng) >> 5, low = mr_rng_u32(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

/* In proportion to the weights; from equal ones before there are any, or when all are 0. */
static uint64_t by_weight(const struct mr_weights *w, uint64_t n, mr_rng *rng)
{
    if (!w || !(mr__weights_total(w) > 0))
        return mr_rng_below(rng, n);
    return mr__weights_draw(w, uniform(rng));
}

/* The heaviest of a few that are drawn uniformly: so it is the rank that counts. */
static uint64_t by_rank(const struct mr_weights *w, uint64_t n, int64_t rounds, mr_rng *rng)
{
    uint64_t best = mr_rng_below(rng, n);
    for (int64_t i = 1; i < rounds; i++) {
        uint64_t other = mr_rng_below(rng, n);
        if (w && mr__weights_get(w, other) > mr__weights_get(w, best))
            best = other;
    }
    return best;
}

static uint64_t draw(const struct adaptive *a, const struct mr_weights *w, mr_rng *rng)
{
    uint64_t n = a->p.rule == RULE_CLASS ? a->lists.classes : a->all.samples, leaf;
    if (uniform(rng) < a->p.floor)
        leaf = mr_rng_below(rng, n);
    else if (a->p.rule == RULE_RANK)
        leaf = by_rank(w, n, a->p.tournament, rng);
    else
        leaf = by_weight(w, n, rng);
    if (a->p.rule != RULE_CLASS)
        return a->all.first + leaf;
    return mr__class_sample(&a->lists, leaf, mr_rng_below(rng, a->lists.size[leaf]));
}

static mr_rng rng_of(const struct adaptive *a, uint64_t epoch, uint64_t position)
{
    struct mr_row_key key = {.seed = a->all.seed, .epoch = epoch, .position = position};
    return mr__rng_open(&key, "adaptive", 0);
}

/* As draw() does it, for as many positions as are left of the batch. */
static void draw_together(struct adaptive *a, const struct mr_weights *w, uint64_t epoch,
                          uint64_t position)
{
    struct drawn *d = &a->drawn;
    uint64_t left = a->batch - position % a->batch, leaf[MR_WEIGHTS_TOGETHER];
    double u[MR_WEIGHTS_TOGETHER] = {0};
    int place[MR_WEIGHTS_TOGETHER], n = 0;
    d->n = left < MR_WEIGHTS_TOGETHER ? left : MR_WEIGHTS_TOGETHER;
    for (int i = 0; i < (int)d->n; i++) {
        mr_rng rng = rng_of(a, epoch, position + (uint64_t)i);
        if (uniform(&rng) < a->p.floor) {
            d->sample[i] = a->all.first + mr_rng_below(&rng, a->all.samples);
        } else {
            u[n] = uniform(&rng);
            place[n++] = i;
        }
    }
    mr__weights_draw_some(w, u, n, leaf);
    for (int i = 0; i < n; i++)
        d->sample[place[i]] = a->all.first + leaf[i];
    d->w = w;
    d->version = mr__weights_version();
    d->epoch = epoch;
    d->first = position;
}

static bool is_drawn(const struct drawn *d, const struct mr_weights *w, uint64_t epoch,
                     uint64_t position)
{
    return d->w == w && d->epoch == epoch && position - d->first < d->n &&
           d->version == mr__weights_version();
}

static int choose(void *self, const struct mr_weights *w, uint64_t epoch, uint64_t position,
                  struct mr_pick *pick, struct mr_errbuf *e)
{
    struct adaptive *a = self;
    (void)e;
    if (w && a->p.rule == RULE_LOSS && mr__weights_total(w) > 0) {
        if (!is_drawn(&a->drawn, w, epoch, position))
            draw_together(a, w, epoch, position);
        *pick = (struct mr_pick){.sample = a->drawn.sample[position - a->drawn.first]};
        return MR_OK;
    }
    mr_rng rng = rng_of(a, epoch, position);
    *pick = (struct mr_pick){.sample = draw(a, w, &rng)};
    return MR_OK;
}

static int adaptive_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                       struct mr_errbuf *e)
{
    return choose(self, NULL, epoch, position, pick, e);
}

static void substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                       struct mr_pick *pick)
{
    const struct adaptive *a = self;
    if (a->p.rule == RULE_CLASS)
        mr__class_substitute(&a->lists, epoch, position, attempt, pick);
    else
        mr__uniform_substitute(self, epoch, position, attempt, pick);
}

/* ---- the table ---- */

static const char *const rules[] = {"loss", "rank", "class", NULL};
static const char *const updates[] = {"replace", "ema", "max", NULL};

#define ROW(name_, type_, field_, ...)                        \
    {                                                         \
        .name = name_, .type = type_, .flags = MR_OPT_STREAM, \
        .off = offsetof(struct params, field_), __VA_ARGS__   \
    }

static const struct mr_opt opts[] = {
    ROW("feedback_delay", MR_OPT_INT, delay, .def = "8", .min = 1, .max = 4096, .unit = "batches",
        .help = "feedback of batch b takes effect from batch b + feedback_delay on, and what "
                "follows waits for it: more than the batches that you hold at a time"),
    ROW("rule", MR_OPT_ENUM, rule, .def = "loss", .names = rules,
        .help = "loss: a weight per sample, drawn in proportion; rank: a weight per sample, whose "
                "rank counts; class: a weight per class, then any sample of the class"),
    ROW("update", MR_OPT_ENUM, update, .def = "replace", .names = updates,
        .help = "a value replaces the weight, moves it by `alpha`, or raises it"),
    ROW("alpha", MR_OPT_FLOAT, alpha, .def = "0.5", .min = 0, .max = 1,
        .help = "`update: ema`: weight = (1 - alpha) * weight + alpha * value"),
    ROW("floor", MR_OPT_FLOAT, floor, .def = "0.1", .min = 0, .max = 1,
        .help = "share of the draws that ignores the weights, so that nothing starves: each has at "
                "least this share of the mean chance"),
    ROW("initial", MR_OPT_FLOAT, initial, .def = "1", .min = 0, .max = 1e30,
        .help = "the weight before there is feedback; a large one brings everything once first"),
    ROW("tournament", MR_OPT_INT, tournament, .def = "2", .min = 2, .max = 16,
        .help = "`rule: rank`: the heaviest of so many is taken"),
    ROW("by", MR_OPT_STR, by, .def = "label",
        .help = "`rule: class`: column of whole numbers that says which class a sample is of"),
    MR_OPTS_END,
};

static const struct mr_learner learner = {
    .delay = delay,
    .weights = weights,
    .initial = initial,
    .weight_of = weight_of,
    .learn = learn,
    .choose = choose,
};

const struct mr_sampler mr__sampler_adaptive = {
    .d = {.name = "adaptive",
          .help = "samples with replacement, by weights that follow the trainer's mr_feedback",
          .params_size = sizeof(struct params),
          .opts = opts},
    .open = adaptive_open,
    .close = adaptive_close,
    .length = mr__uniform_length,
    .at = adaptive_at,
    .substitute = substitute,
    .learner = &learner,
};
