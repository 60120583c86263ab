/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/class_mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

/* ---- labels ---- */

static int64_t label_of(const struct mr_class_mix *m, uint64_t sample)
{
    return mr__index_whole(m->index, m->column, sample);
}

/* Where a label is, or belongs. */
static struct mr_label_count *find(const struct mr_class_mix *m, int64_t label)
{
    uint64_t at = ((uint64_t)label * 0x9E3779B97F4A7C15u) >> 20;
    for (at &= m->cap - 1; m->table[at].used && m->table[at].label != label;)
        at = (at + 1) & (m->cap - 1);
    return &m->table[at];
}

static bool grow(struct mr_class_mix *m)
{
    struct mr_class_mix larger = *m;
    larger.cap = m->cap ? 2 * m->cap : FIRST_CAP;
    larger.table = calloc(larger.cap, sizeof *larger.table);
    if (!larger.table)
        return false;
    for (uint64_t i = 0; i < m->cap; i++)
        if (m->table[i].used)
            *find(&larger, m->table[i].label) = m->table[i];
    free(m->table);
    *m = larger;
    return true;
}

static bool count(struct mr_class_mix *m, int64_t label, uint64_t samples)
{
    if (2 * (m->classes + 1) > m->cap && !grow(m))
        return false;
    struct mr_label_count *c = find(m, label);
    m->classes += !c->used;
    c->used = true;
    c->label = label;
    c->samples += samples;
    return true;
}

int mr__class_mix_open(struct mr_class_mix *m, const struct mr_index *index, struct mr_errbuf *e)
{
    *m = (struct mr_class_mix){.index = index, .column = mr__index_column(index, "label")};
    const struct mr_column *c = m->column < 0 ? NULL : &index->head->column[m->column];
    if (!c || !mr__index_is_whole(c)) {
        m->column = -1;
        return MR_OK;
    }
    uint64_t samples = index->head->samples, n = samples;
    if (c->period && c->period < n) /* each value stands for many */
        n = c->period;
    for (uint64_t i = 0; i < n; i++)
        if (!count(m, label_of(m, i), samples / n + (i < samples % n)))
            return mr__fail(e, MR_E_MEMORY, "not enough memory to count the labels");
    return MR_OK;
}

void mr__class_mix_close(struct mr_class_mix *m)
{
    free(m->table);
    *m = (struct mr_class_mix){.column = -1};
}

/* ---- entropies ---- */

static double x_log_x(double x)
{
    return x > 0 ? x * log2(x) : 0;
}

double mr__class_mix_batch(struct mr_class_mix *m, const uint64_t *samples, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        find(m, label_of(m, samples[i]))->rows++;
    for (uint64_t i = 0; i < n; i++) { /* each label once: it is taken back when it was added */
        struct mr_label_count *c = find(m, label_of(m, samples[i]));
        sum += x_log_x((double)c->rows);
        c->rows = 0;
    }
    return log2((double)n) - sum / (double)n;
}

double mr__class_mix_whole(const struct mr_class_mix *m)
{
    double n = (double)m->index->head->samples, sum = 0;
    for (uint64_t i = 0; i < m->cap; i++)
        sum += x_log_x((double)m->table[i].samples);
    return log2(n) - sum / n;
}

/* The mean of x log2 x, where x of the n drawn are among the k of `all` that have a label: the
 * hypergeometric distribution, from its mode outwards by the quotients of neighbours, until what is
 * left cannot be seen; divided by its sum at the end. */
static double mean_of(double k, double n, double all)
{
    double mode = floor((n + 1) * (k + 1) / (all + 2)), total = 1, sum = x_log_x(mode);
    double p = 1;
    for (double x = mode; p > 1e-20 * total; x++) {
        p *= (k - x) * (n - x) / ((x + 1) * (all - k - n + x + 1));
        if (!(p > 0))
            break;
        total += p;
        sum += p * x_log_x(x + 1);
    }
    p = 1;
    for (double x = mode; p > 1e-20 * total && x > 0; x--) {
        p *= x * (all - k - n + x) / ((k - x + 1) * (n - x + 1));
        if (!(p > 0))
            break;
        total += p;
        sum += p * x_log_x(x - 1);
    }
    return sum / total;
}

double mr__class_mix_ideal(const struct mr_class_mix *m, uint64_t n)
{
    double all = (double)m->index->head->samples, sum = 0, mean = 0;
    uint64_t last = 0;
    if (n > m->index->head->samples) /* more cannot be drawn than there are */
        n = m->index->head->samples;
    for (uint64_t i = 0; i < m->cap; i++) {
        if (m->table[i].samples && m->table[i].samples != last) {
            last = m->table[i].samples;
            mean = mean_of((double)last, (double)n, all);
        }
        sum += m->table[i].samples ? mean : 0;
    }
    return log2((double)n) - sum / (double)n;
}
