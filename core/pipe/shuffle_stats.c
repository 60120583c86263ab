/* SPDX-License-Identifier: Apache-2.0
 *
 * shuffle_stats.c: mr_shuffle_stats: how well an epoch is mixed, by planning it. Nothing is read
 * but what the index is made from.
 */
#include "base/json_writer.h"
#include "millrace/millrace.h"
#include "pipe/class_mix.h"
#include "pipe/last_error.h"
#include "pipe/session.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 16 /* entropies of single batches, in the text */

struct spread { /* of one figure over batches */
    double sum, least, most;
    uint64_t n;
};

struct study {
    struct mr_session s;
    struct mr_class_mix mix;
    uint64_t epoch, batches, rows;
    uint64_t *samples;       /* of a batch */
    struct mr_buf entropies; /* double per batch */
    struct spread entropy, ideal;
    double distance; /* of neighbours, summed */
    uint64_t neighbours;
    double p, q, pp, qq, pq; /* sums of place and sample, both 0 to 1 */
    uint64_t last;           /* sample before; UINT64_MAX: none */
};

static void add(struct spread *s, double v)
{
    s->least = s->n && s->least < v ? s->least : v;
    s->most = s->n && s->most > v ? s->most : v;
    s->sum += v;
    s->n++;
}

static double mean(const struct spread *s)
{
    return s->n ? s->sum / (double)s->n : NAN;
}

/* ---- planning ---- */

static int open_session(struct mr_session *s, const char *path, const mr_options *o,
                        struct mr_errbuf *e)
{
    struct mr_config *config;
    struct mr_user user = {0};
    int rc = mr__config_read(&config, path, o->config_text, o->set, e);
    if (rc < 0)
        return rc;
    rc = mr__plan_compile(&s->plan, config, &user, e);
    if (rc < 0) {
        mr__config_free(config);
        return rc;
    }
    if (!config->sampler.desc || s->plan->user_commander)
        return mr__fail(e, MR_E_UNSUPPORTED,
                        "a user's commander decides what comes next, and only a run asks it: "
                        "there is no sampler to look at");
    rc = s->index_fd = mr__index_memfd(e);
    if (rc >= 0)
        rc = mr__session_index(s, NULL, e);
    if (rc >= 0)
        rc = mr__session_bind(s, e);
    s->epochs.counted = false; /* it is passes that are shuffled */
    s->epochs.batches = s->epochs.pass;
    return rc;
}

static void look_at(struct study *t, uint64_t position, uint64_t sample)
{
    double n = (double)t->s.index.head->samples;
    double p = (double)position / (double)t->s.epochs.positions, q = (double)sample / n;
    if (t->last != UINT64_MAX) {
        t->distance += fabs((double)sample - (double)t->last) / n;
        t->neighbours++;
    }
    t->last = sample;
    t->rows++;
    t->p += p;
    t->q += q;
    t->pp += p * p;
    t->qq += q * q;
    t->pq += p * q;
}

static int study_batch(struct study *t, uint64_t batch, struct mr_errbuf *e)
{
    uint64_t rows = t->s.epochs.batch, n = 0, from = batch * rows;
    if (rows > t->s.epochs.positions - from) /* what is wrapped or padded is not looked at */
        rows = t->s.epochs.positions - from;
    for (uint64_t i = 0; i < rows; i++) {
        struct mr_pick pick;
        int rc = mr__session_pick(&t->s, t->epoch, from + i, &pick, e);
        if (rc < 0)
            return rc;
        if (pick.sample == UINT64_MAX)
            continue;
        look_at(t, from + i, pick.sample);
        t->samples[n++] = pick.sample;
    }
    if (t->mix.column < 0 || !n)
        return MR_OK;
    double entropy = mr__class_mix_batch(&t->mix, t->samples, n);
    add(&t->entropy, entropy);
    add(&t->ideal,
        n == t->s.epochs.batch && t->ideal.n ? t->ideal.most : mr__class_mix_ideal(&t->mix, n));
    return mr__buf_append(&t->entropies, &entropy, sizeof entropy)
               ? MR_OK
               : mr__fail(e, MR_E_MEMORY, "not enough memory for a figure per batch");
}

static int study_epoch(struct study *t, uint64_t batches, struct mr_errbuf *e)
{
    uint64_t size = t->s.epochs.batch, most = t->s.epochs.positions / size;
    if (t->s.epochs.positions % size && t->s.epochs.last != MR_LAST_DROP)
        most++;
    if (!batches || batches > most)
        batches = most;
    t->samples = calloc(size, sizeof *t->samples);
    if (!t->samples)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a batch");
    int rc = mr__class_mix_open(&t->mix, &t->s.index, e);
    for (; rc >= 0 && t->batches < batches; t->batches++)
        rc = study_batch(t, t->batches, e);
    return rc;
}

/* Pearson's correlation of place and sample. */
static double correlation(const struct study *t)
{
    double n = (double)t->rows;
    double v = (t->pp - t->p * t->p / n) * (t->qq - t->q * t->q / n);
    return v > 0 ? (t->pq - t->p * t->q / n) / sqrt(v) : NAN;
}

/* The mean distance of two different samples of n, as a share of n. */
static double ideal_distance(const struct study *t)
{
    double n = (double)t->s.index.head->samples;
    return (n + 1) / (3 * n);
}

/* ---- telling ---- */

static void tell_entropies(const struct study *t, struct mr_text *x)
{
    const double *v = (const double *)(const void *)t->entropies.data;
    size_t n = t->entropies.n / sizeof *v;
    if (t->mix.column < 0) {
        mr__text_addf(x, "classes:   the data set has no labels (a column 'label' of whole "
                         "numbers)\n");
        return;
    }
    mr__text_addf(x, "classes:   %" PRIu64 ", of %.4f bits of entropy over the whole data set\n",
                  t->mix.classes, mr__class_mix_whole(&t->mix));
    mr__text_addf(x, "entropy:   %.4f bits in the mean batch (least %.4f, most %.4f)\n",
                  mean(&t->entropy), t->entropy.least, t->entropy.most);
    mr__text_addf(x, "ideal:     %.4f bits in the mean of uniform draws of as many samples\n",
                  mean(&t->ideal));
    mr__text_addf(x, "batches:  ");
    for (size_t i = 0; i < n && i < SHOWN; i++)
        mr__text_addf(x, " %.3f", v[i]);
    mr__text_addf(x, "%s\n", n > SHOWN ? " ..." : "");
}

static char *tell(const struct study *t)
{
    const struct mr_desc *sampler = t->s.plan->config->sampler.desc;
    struct mr_text x = {0};
    mr__text_addf(&x,
                  "sampler:   %s, epoch %" PRIu64 ": %" PRIu64 " batches of %" PRIu64
                  " looked at, %" PRIu64 " of %" PRIu64 " rows\n",
                  sampler->name, t->epoch, t->batches, t->s.epochs.batch, t->rows,
                  t->s.epochs.positions);
    tell_entropies(t, &x);
    mr__text_addf(&x,
                  "distance:  %.4f of the data set between neighbours; %.4f in a uniform shuffle\n",
                  t->neighbours ? t->distance / (double)t->neighbours : NAN, ideal_distance(t));
    mr__text_addf(&x,
                  "order:     correlation %.4f of place and sample; within %.4f of 0 in 95 of 100 "
                  "uniform shuffles\n",
                  correlation(t), 1.96 / sqrt((double)t->rows));
    return mr__text_take(&x);
}

static void put(struct mr_json *j, const char *key, double value)
{
    mr__json_key(j, key);
    mr__json_f64(j, value);
}

static void put_count(struct mr_json *j, const char *key, uint64_t value)
{
    mr__json_key(j, key);
    mr__json_u64(j, value);
}

static char *tell_json(const struct study *t)
{
    const struct mr_desc *sampler = t->s.plan->config->sampler.desc;
    const double *v = (const double *)(const void *)t->entropies.data;
    bool labels = t->mix.column >= 0;
    struct mr_json j = {.indent = 2};
    mr__json_begin_object(&j);
    mr__json_key(&j, "sampler");
    mr__json_str(&j, sampler->name);
    put_count(&j, "epoch", t->epoch);
    put_count(&j, "batches", t->batches);
    put_count(&j, "batch_size", t->s.epochs.batch);
    put_count(&j, "rows", t->rows);
    put_count(&j, "epoch_rows", t->s.epochs.positions);
    put_count(&j, "samples", t->s.index.head->samples);
    put_count(&j, "classes", t->mix.classes);
    put(&j, "dataset_entropy", labels ? mr__class_mix_whole(&t->mix) : NAN);
    put(&j, "entropy_mean", mean(&t->entropy));
    put(&j, "entropy_min", labels ? t->entropy.least : NAN);
    put(&j, "entropy_max", labels ? t->entropy.most : NAN);
    put(&j, "entropy_ideal", mean(&t->ideal));
    put(&j, "distance", t->neighbours ? t->distance / (double)t->neighbours : NAN);
    put(&j, "distance_ideal", ideal_distance(t));
    put(&j, "correlation", correlation(t));
    mr__json_key(&j, "entropies");
    mr__json_begin_array(&j);
    for (size_t i = 0; i < t->entropies.n / sizeof *v; i++)
        mr__json_f64(&j, v[i]);
    mr__json_end_array(&j);
    mr__json_end_object(&j);
    return mr__json_take(&j);
}

/* ---- the call ---- */

static void close_study(struct study *t)
{
    mr__class_mix_close(&t->mix);
    mr__buf_free(&t->entropies);
    free(t->samples);
    mr__session_release(&t->s);
}

int mr_shuffle_stats(const char *path, const mr_options *options, uint64_t epoch, uint64_t batches,
                     const char *format, char **text)
{
    static const mr_options defaults = {.size = sizeof defaults};
    struct mr_errbuf e = {0};
    bool json = format && !strcmp(format, "json");
    struct study t = {.epoch = epoch, .last = UINT64_MAX, .mix = {.column = -1}};
    const mr_options *o = options ? options : &defaults;
    if (!text || (format && !json && strcmp(format, "text")))
        return mr__refuse("mr_shuffle_stats needs a place for the text, and the format text or "
                          "json");
    *text = NULL;
    if (o->size != sizeof *o)
        return mr__refuse("mr_options.size is not sizeof(mr_options)");
    if (!path && !o->config_text)
        return mr__refuse("the path of a config or its text is needed");
    t.s =
        (struct mr_session){.index_fd = -1, .boot_fd = -1, .roots_fd = -1, .feedback = {.fd = -1}};
    int rc = open_session(&t.s, path, o, &e);
    if (rc >= 0)
        rc = study_epoch(&t, batches, &e);
    if (rc >= 0)
        *text = json ? tell_json(&t) : tell(&t);
    close_study(&t);
    if (rc >= 0 && !*text)
        rc = mr__fail(&e, MR_E_MEMORY, "no memory for the text");
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}
