/* SPDX-License-Identifier: Apache-2.0
 *
 * repeat_augment.c: every sample several times in an epoch. Its copies are augmented differently,
 * because randomness follows the position. They stand beside each other in one batch (Hoffer et
 * al., "Augment your batch", CVPR 2020), or one in each of neighbouring batches, which ranks get in
 * the same step (RASampler of DeiT, after Berman et al., "MultiGrain", 2019).
 */
#include "keyed.h"
#include "uniform.h"

#include <stdlib.h>

enum within { WITHIN_BATCH, WITHIN_EPOCH };

struct repeat_params {
    int64_t repeats, length;
    int within;
};

struct repeat {
    struct mr_uniform u; /* first: what uniform.h takes for its own */
    uint64_t repeats, batch, length;
    int within;
};

static int check_fit(const struct repeat *r, struct mr_errbuf *e)
{
    uint64_t whole;
    if (__builtin_mul_overflow(r->u.samples, r->repeats, &whole))
        return mr__fail(e, MR_E_CONFIG,
                        "'sampler.repeats: %llu' of %llu samples are too many to count",
                        (unsigned long long)r->repeats, (unsigned long long)r->u.samples);
    if (r->length > whole)
        return mr__fail(e, MR_E_CONFIG,
                        "'sampler.length: %llu' is more than there is in an epoch: %llu samples, "
                        "each %llu times, are %llu",
                        (unsigned long long)r->length, (unsigned long long)r->u.samples,
                        (unsigned long long)r->repeats, (unsigned long long)whole);
    if (r->within == WITHIN_BATCH && r->batch % r->repeats)
        return mr__fail(e, MR_E_CONFIG,
                        "'batch.size: %llu' is no multiple of 'sampler.repeats: %llu', so that the "
                        "copies of a sample would lie in two batches: change one of them, or "
                        "choose 'within: epoch'",
                        (unsigned long long)r->batch, (unsigned long long)r->repeats);
    return MR_OK;
}

static int repeat_open(const void *params, const struct mr_sampler_env *env, void **self,
                       struct mr_errbuf *e)
{
    const struct repeat_params *p = params;
    struct repeat *r = malloc(sizeof *r);
    if (!r)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    *r = (struct repeat){.u = {env->first, env->samples, env->seed},
                         .repeats = (uint64_t)p->repeats,
                         .batch = env->batch,
                         .length = (uint64_t)p->length,
                         .within = p->within};
    int rc = check_fit(r, e);
    if (rc < 0) {
        free(r);
        return rc;
    }
    if (!r->length)
        r->length = r->u.samples * r->repeats;
    *self = r;
    return MR_OK;
}

static uint64_t repeat_length(void *self)
{
    const struct repeat *r = self;
    return r->length;
}

/* As many batches as there are repeats hold the same samples; the last such round may be short. */
static uint64_t spread(const struct repeat *r, uint64_t position)
{
    uint64_t rounds = r->u.samples / r->batch, round = position / r->repeats / r->batch;
    uint64_t width = round < rounds ? r->batch : r->u.samples - rounds * r->batch;
    uint64_t place = position - round * r->batch * r->repeats;
    return round * r->batch + place % width;
}

static int repeat_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                     struct mr_errbuf *e)
{
    const struct repeat *r = self;
    const struct mr_row_key whole = {.seed = r->u.seed, .epoch = epoch};
    uint64_t turn = r->within == WITHIN_BATCH ? position / r->repeats : spread(r, position);
    (void)e;
    uint64_t place = mr__keyed(turn, r->u.samples, &whole, "repeat_augment");
    *pick = (struct mr_pick){.sample = r->u.first + place};
    return MR_OK;
}

static const char *const withins[] = {"batch", "epoch", NULL};
static const struct mr_opt repeat_opts[] = {
    {.name = "repeats",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct repeat_params, repeats),
     .def = "3",
     .min = 1,
     .max = 65536,
     .help = "how often a sample comes in an epoch, each time augmented anew"},
    {.name = "within",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct repeat_params, within),
     .def = "batch",
     .names = withins,
     .help = "batch: the copies beside each other; epoch: one in each of so many batches in a row, "
             "which ranks get in one step"},
    {.name = "length",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM | MR_OPT_AUTO,
     .off = offsetof(struct repeat_params, length),
     .def = "auto",
     .min = 1,
     .max = 1e18,
     .help = "rows of an epoch; auto: samples x repeats. DeiT's is the number of samples: each "
             "epoch then sees another part of them"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_repeat_augment = {
    .d = {.name = "repeat_augment",
          .help = "every sample several times, each time augmented anew",
          .params_size = sizeof(struct repeat_params),
          .opts = repeat_opts},
    .open = repeat_open,
    .close = mr__uniform_close,
    .length = repeat_length,
    .at = repeat_at,
    .substitute = mr__uniform_substitute,
    .batchwise = true, /* a sample's copies lie in one batch, or each in one of its own */
};
