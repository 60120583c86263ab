/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_weights.h"

#include "class_lists.h"
#include "weight_file.h"

#include "base/number.h"
#include "base/printable.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(uint64_t n, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the weights of %llu samples",
                    (unsigned long long)n);
}

static int take(struct mr_sample_weights *s, uint64_t n, struct mr_errbuf *e)
{
    if (n > UINT32_MAX)
        return mr__fail(e, MR_E_LIMIT, "%llu samples have weights; 4294967295 are the most",
                        (unsigned long long)n);
    s->n = n;
    s->w = malloc(n * sizeof *s->w);
    return s->w ? MR_OK : no_memory(n, e);
}

/* ---- a column ---- */

static int bad_weight(const struct mr_part_column *c, const char *name, uint64_t i, double w,
                      struct mr_errbuf *e)
{
    char text[MR_NUMBER_TEXT];
    uint64_t sample = c->first + i;
    int image = mr__index_column(c->index, "image");
    char *path = image >= 0 ? mr__index_full_path(c->index, image, sample) : NULL;
    struct mr_printable shown = mr__printable(path ? path : "", path ? strlen(path) : 0);
    free(path);
    return mr__fail(e, MR_E_CONFIG,
                    "in the column '%.80s' of 'sampler.by' sample %llu%s%s%s has the weight %s: a "
                    "weight is a finite number of 0 or more",
                    name, (unsigned long long)sample, *shown.text ? " ('" : "", shown.text,
                    *shown.text ? "')" : "", mr__number_text(w, text));
}

static int read_column(struct mr_sample_weights *s, const char *name,
                       const struct mr_sampler_env *env, struct mr_errbuf *e)
{
    struct mr_part_column c;
    int rc = mr__part_column_find(&c, env, "sampler.by", name, false, e);
    if (rc >= 0)
        rc = take(s, c.n, e);
    for (uint64_t i = 0; i < s->n && rc >= 0; i++) {
        s->w[i] = mr__part_column_float(&c, i);
        if (!isfinite(s->w[i]) || s->w[i] < 0)
            rc = bad_weight(&c, name, i, s->w[i], e);
    }
    return rc;
}

/* ---- class counts ---- */

static int balance(struct mr_sample_weights *s, const char *name, const struct mr_sampler_env *env,
                   struct mr_errbuf *e)
{
    struct mr_class_lists l;
    int rc = mr__class_lists_open(&l, env, "sampler.balance", name, e);
    if (rc < 0)
        return rc;
    rc = take(s, l.by.n, e);
    for (uint64_t c = 0; c < l.classes && rc >= 0;
         c++) /* the first samples of a class are below n */
        for (uint64_t i = 0; i < l.start[c + 1] - l.start[c]; i++)
            s->w[mr__class_sample(&l, c, i) - env->first] = 1 / (double)l.size[c];
    mr__class_lists_close(&l);
    return rc;
}

/* ---- the whole ---- */

static int read_any(struct mr_sample_weights *s, const struct mr_weights_from *from,
                    const struct mr_sampler_env *env, struct mr_errbuf *e)
{
    if (from->by)
        return read_column(s, from->by, env, e);
    if (from->balance)
        return balance(s, from->balance, env, e);
    int rc = take(s, env->samples, e);
    return rc < 0 ? rc : mr__weight_file_read(from->weights, s->w, s->n, e);
}

static int normalize(struct mr_sample_weights *s, uint64_t samples, struct mr_errbuf *e)
{
    double most = 0;
    for (uint64_t i = 0; i < s->n; i++)
        most = s->w[i] > most ? s->w[i] : most;
    if (most == 0)
        return mr__fail(e, MR_E_CONFIG,
                        "all %llu weights are 0, so there is nothing to choose; "
                        "one must be above 0",
                        (unsigned long long)s->n);
    for (uint64_t i = 0; i < s->n; i++) {
        if (s->w[i] == 0)
            continue;
        s->usable += samples / s->n + (i < samples % s->n);
        s->w[i] = fmax(s->w[i] / most, DBL_MIN); /* what is above 0 stays so */
    }
    return MR_OK;
}

int mr__sample_weights_read(struct mr_sample_weights *s, const struct mr_weights_from *from,
                            const struct mr_sampler_env *env, struct mr_errbuf *e)
{
    *s = (struct mr_sample_weights){0};
    int rc = read_any(s, from, env, e);
    if (rc >= 0)
        rc = normalize(s, env->samples, e);
    if (rc >= 0)
        return MR_OK;
    free(s->w);
    s->w = NULL;
    return rc;
}
