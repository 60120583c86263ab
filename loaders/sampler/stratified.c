/* SPDX-License-Identifier: Apache-2.0
 *
 * stratified.c: every sample once per epoch, and in every batch the classes in the data set's
 * proportions, to within one row. Without a table of the order.
 *
 * Let N samples make G full batches of B rows and a rest of T. A class of n samples is due B n / N
 * rows in each full batch: floor(B n / N) it gets in each, and over the epoch k more have to go to
 * k batches, at most one to each. Lay the k of all classes end to end on a line: its length is a
 * multiple of G, G R. The j-th batch takes the places j, j + G, j + 2 G ... of it, R of them, and
 * no two of one class, since a class's k places are at most G. (It is systematic sampling: W. G.
 * Madow, 1949.) The rest's rows come first, by the same rule: due T n / N, on a line of N units per
 * row. What rows come of it:
 *
 *     batch g, which is the j-th:  samples [g q, g q + q) of its class, q = floor(B n / N);
 *                                  sample G q + i, if place i of the class's k is j's
 *     rest:                        the class's last samples
 *
 * in a permutation of the class of the epoch's own. The classes stand on the line in an order of
 * the epoch's own, the batches take their j in one, and the rows of a batch their places, too.
 */
#include "class_lists.h"
#include "keyed.h"

#include <stdlib.h>

struct stratified_params {
    const char *by;
};

struct stratum { /* a class in the epoch's order */
    uint64_t class;
    uint64_t q, k, t; /* rows in every full batch, in some, in the rest; here the sum of them up to
                         and with this class */
};

struct stratified {
    struct mr_class_lists lists;
    uint64_t n, batch, batches, rest; /* N, B, G, T */
    struct mr_keyed_table order;      /* of the classes in `epoch` */
    struct stratum *stratum;          /* in that order; [0] stands for what is before the first */
    uint64_t epoch;
    bool laid;                 /* there is an epoch */
    struct mr_keyed_table row; /* the places of a full batch's rows */
    uint64_t j;                /* of the same batch */
};

static void stratified_close(void *self)
{
    struct stratified *s = self;
    mr__class_lists_close(&s->lists);
    free(s->stratum);
    free(s->order.at);
    free(s->row.at);
    free(s);
}

static bool take_memory(struct stratified *s)
{
    s->stratum = calloc(s->lists.classes + 1, sizeof *s->stratum);
    return s->stratum && mr__keyed_table_open(&s->order, s->lists.classes) &&
           mr__keyed_table_open(&s->row, s->batch);
}

static int stratified_open(const void *params, const struct mr_sampler_env *env, void **self,
                           struct mr_errbuf *e)
{
    const struct stratified_params *p = params;
    struct stratified *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    s->n = env->samples;
    s->batch = env->batch;
    s->batches = s->n / s->batch;
    s->rest = s->n % s->batch;
    int rc = mr__class_lists_open(&s->lists, env, "sampler.by", p->by, e);
    if (rc >= 0 && !take_memory(s))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu classes",
                      (unsigned long long)s->lists.classes);
    if (rc < 0)
        stratified_close(s);
    else
        *self = s;
    return rc;
}

static uint64_t stratified_length(void *self)
{
    const struct stratified *s = self;
    return s->n;
}

/* Of the places first, first + step ... how many are below `end`. */
static uint64_t places_below(uint64_t end, uint64_t first, uint64_t step)
{
    return end > first ? (end - first - 1) / step + 1 : 0;
}

/* Products stay far below 2^64: a batch has at most 2^16 rows. */
static void lay_out(struct stratified *s, uint64_t epoch)
{
    const struct mr_class_lists *l = &s->lists;
    struct mr_row_key key = {.seed = l->seed, .epoch = epoch};
    mr_rng rng = mr__rng_open(&key, "stratified.rest", 0);
    uint64_t line = 0, first = mr_rng_below(&rng, s->n); /* of the rest */
    mr__keyed_table_fill(&s->order, &key, "stratified.classes");
    for (uint64_t i = 0; i < l->classes; i++) {
        const struct stratum *before = &s->stratum[i];
        uint64_t c = s->order.at[i], size = l->size[c];
        uint64_t q = s->batch * size / s->n, t = s->rest * size / s->n;
        uint64_t end = line + s->rest * size % s->n;
        t += places_below(end, first, s->n) - places_below(line, first, s->n);
        line = end;
        s->stratum[i + 1] = (struct stratum){c, before->q + q,
                                             before->k + size - t - s->batches * q, before->t + t};
    }
    s->epoch = epoch;
    s->laid = true;
}

/* The first stratum whose sum, at `off` in it, is above x. */
static const struct stratum *find(const struct stratified *s, size_t off, uint64_t x)
{
    uint64_t lo = 1, hi = s->lists.classes;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (*(const uint64_t *)((const char *)&s->stratum[mid] + off) > x)
            hi = mid;
        else
            lo = mid + 1;
    }
    return &s->stratum[lo];
}

/* Number `i` of the epoch's permutation of the class. */
static uint64_t sample_of(const struct stratified *s, uint64_t class, uint64_t i)
{
    const struct mr_class_lists *l = &s->lists;
    struct mr_row_key key = {.seed = l->seed, .epoch = s->epoch, .position = class};
    return mr__class_sample(l, class, mr__keyed(i, l->size[class], &key, "stratified.samples"));
}

static uint64_t in_full_batch(const struct stratified *s, uint64_t g, uint64_t row)
{
    uint64_t every = s->stratum[s->lists.classes].q;
    if (row < every) {
        const struct stratum *own = find(s, offsetof(struct stratum, q), row);
        return sample_of(s, own->class, g * (own->q - own[-1].q) + row - own[-1].q);
    }
    uint64_t place = (row - every) * s->batches + s->j;
    const struct stratum *own = find(s, offsetof(struct stratum, k), place);
    return sample_of(s, own->class, s->batches * (own->q - own[-1].q) + place - own[-1].k);
}

static uint64_t in_rest(const struct stratified *s, uint64_t row)
{
    const struct stratum *own = find(s, offsetof(struct stratum, t), row);
    uint64_t from_behind = own->t - row; /* 1: the class's last */
    return sample_of(s, own->class, s->lists.size[own->class] - from_behind);
}

static uint64_t batch_number(const struct stratified *s, uint64_t g)
{
    struct mr_row_key key = {.seed = s->lists.seed, .epoch = s->epoch};
    return mr__keyed(g, s->batches, &key, "stratified.batches");
}

static int stratified_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                         struct mr_errbuf *e)
{
    struct stratified *s = self;
    (void)e;
    if (!s->laid || s->epoch != epoch)
        lay_out(s, epoch);
    uint64_t g = position / s->batch, row = position % s->batch;
    struct mr_row_key key = {.seed = s->lists.seed, .epoch = epoch, .position = g};
    if (g < s->batches && mr__keyed_table_fill(&s->row, &key, "stratified.rows"))
        s->j = batch_number(s, g);
    *pick = (struct mr_pick){
        .sample = g < s->batches
                      ? in_full_batch(s, g, s->row.at[row])
                      : in_rest(s, mr__keyed(row, s->rest, &key, "stratified.rest_rows"))};
    return MR_OK;
}

static void stratified_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                                  struct mr_pick *pick)
{
    const struct stratified *s = self;
    mr__class_substitute(&s->lists, epoch, position, attempt, pick);
}

static const struct mr_opt stratified_opts[] = {
    {.name = "by",
     .type = MR_OPT_STR,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct stratified_params, by),
     .def = "label",
     .help = "column of whole numbers that says which class a sample is of"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_stratified = {
    .d = {.name = "stratified",
          .help = "every sample once, with the data set's mix of classes in every batch",
          .params_size = sizeof(struct stratified_params),
          .opts = stratified_opts},
    .open = stratified_open,
    .close = stratified_close,
    .length = stratified_length,
    .at = stratified_at,
    .substitute = stratified_substitute,
    .batchwise = true,
};
