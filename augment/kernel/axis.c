/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables follow Pillow's precompute_coeffs(): double arithmetic, taps from trunc(centre -
 * support + 0.5), weights normalised over the taps inside the box. Without antialias they follow
 * torch's interpolate: support as it is, taps beyond the box count for its border.
 */
#include "augment/kernel/axis.h"

#include "augment/kernel/axis_loops.h"
#include "augment/kernel/filter.h"

#include <math.h>
#include <string.h>

struct taps {
    int32_t start, n;
};

struct scaling {
    const struct mr_filter_shape *shape;
    double low;            /* where the input begins, in its first pixel */
    double step;           /* input pixels per output pixel */
    double width, support; /* of the filter, in input pixels */
    int32_t size;          /* of the input */
    bool clamp;            /* taps outside count for the border */
};

static double length_of(const struct mr_axis_spec *s)
{
    return (double)s->box_n - s->low - s->high;
}

static bool resampled(const struct mr_axis_spec *s)
{
    return s->to != s->box_n || s->low > 0 || s->high > 0;
}

bool mr__axis_weighs(const struct mr_axis_spec *spec)
{
    return resampled(spec) && spec->filter != MR_NEAREST;
}

static struct scaling scaling_of(const struct mr_axis_spec *spec)
{
    bool plain = !spec->antialias && (spec->filter == MR_BILINEAR || spec->filter == MR_BICUBIC);
    struct scaling s = {.shape = mr__filter_shape(spec->filter, !plain), .size = spec->box_n};

    s.low = spec->low;
    s.step = length_of(spec) / spec->to;
    s.width = plain || s.step < 1.0 ? 1.0 : s.step;
    s.support = s.shape->support * s.width;
    s.clamp = plain;
    return s;
}

static int32_t clamped(double position, int32_t max)
{
    return position <= 0 ? 0 : position >= max ? max : (int32_t)position;
}

static struct taps taps_of(const struct scaling *s, int32_t x)
{
    double centre = s->low + (x + 0.5) * s->step;
    int32_t start, end;

    if (s->clamp) {
        double left = floor(centre - 0.5) - (s->support - 1);
        start = clamped(left, s->size - 1);
        end = clamped(left + 2 * s->support - 1, s->size - 1) + 1;
    } else {
        start = clamped(centre - s->support + 0.5, s->size - 1);
        end = clamped(centre + s->support + 0.5, s->size);
    }
    return (struct taps){start, end > start ? end - start : 1};
}

/* Weights of output x; their sum is 1. */
static void weigh(const struct scaling *s, int32_t x, struct taps t, double *w)
{
    double centre = s->low + (x + 0.5) * s->step, per_pixel = 1.0 / s->width, sum = 0;

    for (int32_t i = 0; i < t.n; i++) {
        w[i] = s->shape->at((t.start + i - centre + 0.5) * per_pixel);
        sum += w[i];
    }
    if (sum == 0.0)
        w[0] = sum = 1.0;
    sum = 1.0 / sum;
    for (int32_t i = 0; i < t.n; i++)
        w[i] *= sum;
}

/* The same with the taps beyond the border added to the border's. */
static void weigh_clamped(const struct scaling *s, int32_t x, struct taps t, double *w)
{
    double centre = s->low + (x + 0.5) * s->step;
    int32_t n = (int32_t)(2 * s->support);
    double left = floor(centre - 0.5) - (s->support - 1);

    memset(w, 0, (size_t)t.n * sizeof *w);
    for (int32_t i = 0; i < n; i++)
        w[clamped(left + i, s->size - 1) - t.start] += s->shape->at(left + i - centre + 0.5);
}

/* Pillow adds the step up from pixel to pixel; a product rounds differently now and then. */
static void nearest_starts(const struct mr_axis_spec *spec, int32_t *start)
{
    double step = length_of(spec) / spec->to, at = spec->low + step * 0.5;

    for (int32_t x = 0; x < spec->win + spec->win_n; x++, at += step) {
        if (x >= spec->win)
            start[x - spec->win] = clamped(at, spec->box_n - 1);
    }
}

static int32_t nearest_one(const struct mr_axis_spec *spec, int32_t x)
{
    struct mr_axis_spec one = *spec;
    int32_t start;

    one.win = x;
    one.win_n = 1;
    nearest_starts(&one, &start);
    return start;
}

void mr__axis_span(const struct mr_axis_spec *spec, int32_t *first, int32_t *count)
{
    int32_t last = spec->win + spec->win_n - 1;

    *first = spec->box + spec->win;
    *count = spec->win_n;
    if (!resampled(spec) || spec->win_n <= 0)
        return;
    if (spec->filter == MR_NEAREST) {
        int32_t start = nearest_one(spec, spec->win);
        *first = spec->box + start;
        *count = nearest_one(spec, last) - start + 1;
        return;
    }
    struct scaling s = scaling_of(spec);
    struct taps a = taps_of(&s, spec->win), b = taps_of(&s, last);
    *first = spec->box + a.start;
    *count = b.start + b.n - a.start;
}

static size_t outputs(const struct mr_axis *axis)
{
    return ((size_t)axis->n + MR_AXIS_GROUP) / MR_AXIS_GROUP * MR_AXIS_GROUP; /* never 0 */
}

static int reserve_heads(struct mr_axis *axis, struct mr_errbuf *e)
{
    size_t n = outputs(axis);

    if (!mr__scratch(&axis->heads, 2 * n * sizeof(int32_t)))
        return mr__fail(e, MR_E_MEMORY, "no memory to resample to %zu pixels", n);
    axis->start = axis->heads.p;
    axis->used = axis->start + n;
    return MR_OK;
}

static int reserve_cells(struct mr_axis *axis, struct mr_errbuf *e)
{
    size_t cells = outputs(axis) * (size_t)axis->taps;

    if (!mr__scratch(&axis->cells, cells * sizeof *axis->k) ||
        !mr__scratch(&axis->weights, (size_t)axis->taps * sizeof(double)))
        return mr__fail(e, MR_E_MEMORY, "no memory for %zu resampling coefficients", cells);
    axis->k = axis->cells.p;
    axis->wide = axis->cells.p;
    return MR_OK;
}

/* Pillow's weights, bit for bit. None comes near 2, beyond which hi has no room; were there one, it
 * would be cut. */
static int32_t fixed_point(double w)
{
    const double most = INT8_MAX << MR_COEF_LOW, unit = 1 << MR_COEF_BITS;

    w = w * unit + (w < 0 ? -0.5 : 0.5);
    w = w > most ? most : w;
    return (int32_t)(w < -most ? -most : w);
}

/* The weights of output i, zeros behind them. */
static void keep(struct mr_axis *axis, int32_t i, const double *w, bool wide)
{
    size_t at = (size_t)i * (size_t)axis->taps;
    int32_t n = axis->used[i];

    if (wide) {
        for (int32_t j = 0; j < axis->taps; j++)
            axis->wide[at + (size_t)j] = j < n ? (float)w[j] : 0;
        return;
    }
    for (int32_t j = 0; j < n; j++)
        axis->k[at + (size_t)j] = fixed_point(w[j]);
    for (int32_t j = n; j < axis->taps; j++)
        axis->k[at + (size_t)j] = 0;
}

static int32_t heads(const struct mr_axis_line *line, int32_t *start, int32_t *used)
{
    return mr__axis_heads(line, start, used);
}

static void few(const struct mr_axis_line *line, const int32_t *start, const int32_t *used,
                int32_t taps, int32_t *k)
{
    mr__axis_few(line, start, used, taps, k);
}

static const struct mr_axis_loops plain_loops = {heads, few};

static const struct mr_axis_loops *loops_of(const struct mr_axis *axis)
{
    return axis->loops ? axis->loops : &plain_loops;
}

static struct mr_axis_line line_of(const struct mr_axis *axis, const struct mr_axis_spec *spec,
                                   const struct scaling *s)
{
    return (struct mr_axis_line){.low = s->low,
                                 .step = s->step,
                                 .support = s->support,
                                 .per_pixel = 1.0 / s->width,
                                 .size = s->size,
                                 .base = axis->first - spec->box,
                                 .n = axis->n,
                                 .x = spec->win + (spec->flip ? axis->n - 1 : 0),
                                 .dx = spec->flip ? -1 : 1};
}

static void make_rows(struct mr_axis *axis, const struct mr_axis_spec *spec,
                      const struct scaling *s, bool wide)
{
    int32_t base = axis->first - spec->box, n = axis->n;
    double *w = axis->weights.p;

    if (!wide && !s->clamp && spec->filter == MR_BILINEAR && axis->taps <= MR_AXIS_FEW) {
        struct mr_axis_line line = line_of(axis, spec, s);
        loops_of(axis)->few(&line, axis->start, axis->used, axis->taps, axis->k);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        struct taps t = {axis->start[i] + base, axis->used[i]};
        (s->clamp ? weigh_clamped : weigh)(s, spec->win + (spec->flip ? n - 1 - i : i), t, w);
        keep(axis, i, w, wide);
    }
}

static void repeat_last(struct mr_axis *axis)
{
    size_t taps = (size_t)axis->taps, last = (size_t)axis->n - 1;

    for (size_t i = last + 1; i < outputs(axis); i++) {
        axis->start[i] = axis->start[last];
        axis->used[i] = axis->used[last];
        memcpy(axis->k + i * taps, axis->k + last * taps, taps * sizeof *axis->k);
    }
}

/* Of filters without antialias, whose taps beyond the border count for it. */
static int32_t clamped_heads(struct mr_axis *axis, const struct mr_axis_spec *spec,
                             const struct scaling *s)
{
    int32_t n = axis->n, most = 1;

    for (int32_t i = 0; i < n; i++) {
        struct taps t = taps_of(s, spec->win + i);
        int32_t to = spec->flip ? n - 1 - i : i;
        axis->start[to] = t.start - (axis->first - spec->box);
        axis->used[to] = t.n;
        most = t.n > most ? t.n : most;
    }
    return most;
}

static int make_taps(struct mr_axis *axis, const struct mr_axis_spec *spec, bool wide,
                     struct mr_errbuf *e)
{
    struct scaling s = scaling_of(spec);
    struct mr_axis_line line = line_of(axis, spec, &s);

    axis->kind = MR_AXIS_TAPS;
    axis->taps = s.clamp ? clamped_heads(axis, spec, &s)
                         : loops_of(axis)->heads(&line, axis->start, axis->used);
    axis->taps = (axis->taps + 1) / 2 * 2;
    int rc = reserve_cells(axis, e);
    if (rc == MR_OK)
        make_rows(axis, spec, &s, wide);
    if (rc == MR_OK)
        repeat_last(axis);
    return rc;
}

static void make_picks(struct mr_axis *axis, const struct mr_axis_spec *spec)
{
    int32_t n = axis->n, base = axis->first - spec->box;

    axis->kind = resampled(spec) ? MR_AXIS_PICK : spec->flip ? MR_AXIS_TURN : MR_AXIS_COPY;
    if (resampled(spec))
        nearest_starts(spec, axis->start);
    for (int32_t i = 0; i < n; i++) {
        axis->start[i] = (resampled(spec) ? axis->start[i] : spec->win + i) - base;
        axis->used[i] = 1;
    }
    for (int32_t i = 0; spec->flip && i < n / 2; i++) {
        int32_t other = axis->start[n - 1 - i];
        axis->start[n - 1 - i] = axis->start[i];
        axis->start[i] = other;
    }
}

int mr__axis_make(struct mr_axis *axis, const struct mr_axis_spec *spec, bool wide,
                  struct mr_errbuf *e)
{
    mr__axis_span(spec, &axis->first, &axis->count);
    axis->n = spec->win_n;
    axis->taps = 1;
    int rc = reserve_heads(axis, e);
    if (rc == MR_OK && spec->win_n > 0 && mr__axis_weighs(spec))
        rc = make_taps(axis, spec, wide, e);
    else if (rc == MR_OK)
        make_picks(axis, spec);
    axis->reach = axis->max_used = 0;
    for (int32_t i = 0; rc == MR_OK && i < axis->n; i++) {
        int32_t end = axis->start[i] + axis->taps;
        axis->reach = end > axis->reach ? end : axis->reach;
        axis->max_used = axis->used[i] > axis->max_used ? axis->used[i] : axis->max_used;
    }
    return rc;
}

void mr__axis_free(struct mr_axis *axis)
{
    mr__scratch_free(&axis->heads);
    mr__scratch_free(&axis->cells);
    mr__scratch_free(&axis->weights);
    mr__scratch_free(&axis->packed);
}
