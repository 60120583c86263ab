/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/resample.h"

#include "augment/kernel/resampler.h"

#include <math.h>
#include <string.h>

int mr__resampler_new(struct mr_resampler **r, struct mr_errbuf *e)
{
    const struct mr_kernel *kernel;
    int rc = mr__kernel_choose(&kernel, getenv("MILLRACE_CPU"), e);

    *r = NULL;
    if (rc < 0)
        return rc;
    *r = calloc(1, sizeof **r);
    if (!*r)
        return mr__fail(e, MR_E_MEMORY, "no memory for a resampler");
    (*r)->kernel = kernel;
    return MR_OK;
}

void mr__resampler_free(struct mr_resampler *r)
{
    if (!r)
        return;
    mr__axis_free(&r->x);
    mr__axis_free(&r->y);
    mr__scratch_free(&r->ring);
    mr__scratch_free(&r->line);
    mr__scratch_free(&r->tail);
    mr__scratch_free(&r->rows);
    mr__scratch_free(&r->pad_line);
    mr__scratch_free(&r->table);
    free(r);
}

static struct mr_axis_spec spec_x(const struct mr_geometry *g)
{
    return (struct mr_axis_spec){.box = g->box.x,
                                 .box_n = g->box.w,
                                 .to = g->resized ? g->rw : g->box.w,
                                 .win = g->win.x,
                                 .win_n = g->win.w,
                                 .filter = g->filter,
                                 .antialias = g->antialias,
                                 .flip = g->hflip};
}

/* Rows are made from the top and put in their place, so the vertical table is never flipped. */
static struct mr_axis_spec spec_y(const struct mr_geometry *g)
{
    return (struct mr_axis_spec){.box = g->box.y,
                                 .box_n = g->box.h,
                                 .to = g->resized ? g->rh : g->box.h,
                                 .win = g->win.y,
                                 .win_n = g->win.h,
                                 .filter = g->filter,
                                 .antialias = g->antialias};
}

struct mr_rect mr__resample_needs(const struct mr_geometry *g)
{
    struct mr_axis_spec x = spec_x(g), y = spec_y(g);
    struct mr_rect needs = {0, 0, 0, 0};

    if (g->win.w <= 0 || g->win.h <= 0)
        return needs;
    mr__axis_span(&x, &needs.x, &needs.w);
    mr__axis_span(&y, &needs.y, &needs.h);
    return needs;
}

static bool inside(const struct mr_rect *r, int64_t w, int64_t h)
{
    return r->x >= 0 && r->y >= 0 && r->w >= 0 && r->h >= 0 && (int64_t)r->x + r->w <= w &&
           (int64_t)r->y + r->h <= h;
}

static int check_geometry(const struct mr_geometry *g, struct mr_errbuf *e)
{
    int64_t w = g->resized ? g->rw : g->box.w, h = g->resized ? g->rh : g->box.h;

    if (!inside(&g->box, g->in_w, g->in_h) || g->box.w < 1 || g->box.h < 1)
        return mr__fail(e, MR_E_USAGE, "the box %d,%d %dx%d is not inside the image of %dx%d",
                        g->box.x, g->box.y, g->box.w, g->box.h, g->in_w, g->in_h);
    if (w < 1 || h < 1 || !inside(&g->win, w, h))
        return mr__fail(e, MR_E_USAGE, "the window %d,%d %dx%d is not inside the resampled %dx%d",
                        g->win.x, g->win.y, g->win.w, g->win.h, (int)w, (int)h);
    if (g->pad_left < 0 || g->pad_right < 0 || g->pad_top < 0 || g->pad_bottom < 0 ||
        (int64_t)g->win.w + g->pad_left + g->pad_right != g->out_w ||
        (int64_t)g->win.h + g->pad_top + g->pad_bottom != g->out_h)
        return mr__fail(e, MR_E_USAGE, "the output of %dx%d is not the window plus the padding",
                        g->out_w, g->out_h);
    return MR_OK;
}

static int check_source(const struct mr_view *src, const struct mr_rect *at,
                        const struct mr_geometry *g, struct mr_errbuf *e)
{
    struct mr_rect n = mr__resample_needs(g);

    if ((src->c != 1 && src->c != 3 && src->c != 4) || (src->bits != 8 && src->bits != 16))
        return mr__fail(e, MR_E_USAGE, "pixels of %d channels and %d bits cannot be resampled",
                        src->c, src->bits);
    if (n.w == 0 || n.h == 0)
        return MR_OK;
    n.x -= at->x;
    n.y -= at->y;
    if (src->w != at->w || src->h != at->h || !inside(&n, at->w, at->h))
        return mr__fail(e, MR_E_USAGE, "the pixels of %dx%d do not cover the %dx%d that are needed",
                        src->w, src->h, n.w, n.h);
    return MR_OK;
}

static int check_store(const struct mr_store *s, int c, struct mr_errbuf *e)
{
    if ((unsigned)s->dtype >= MR_DTYPE_COUNT)
        return mr__fail(e, MR_E_USAGE, "%d is no element type", (int)s->dtype);
    for (int i = 0; s->affine && i < c; i++) {
        if (!isfinite(s->scale[i]) || !isfinite(s->bias[i]))
            return mr__fail(e, MR_E_USAGE,
                            "scale and bias of channel %d are not finite: check "
                            "the mean and the standard deviation",
                            i);
    }
    return MR_OK;
}

/* Scratch rows. Reads and writes may go MR_SLACK bytes behind each. */
static int reserve(struct mr_resampler *r, struct mr_errbuf *e)
{
    struct mr_job *job = &r->job;
    size_t c = (size_t)job->c, element = job->wide ? sizeof(float) : 1;
    size_t line = (size_t)job->put.n * job->pixel + 2 * MR_SLACK;

    job->tail_stride = ((size_t)r->x.reach * job->pixel + 2 * MR_SLACK) / 64 * 64;
    job->ring_rows = r->y.max_used + MR_BAND;
    job->ring_stride = ((size_t)r->x.n * c * element + 2 * MR_SLACK) / 64 * 64;
    if (!mr__scratch(&r->ring, (size_t)job->ring_rows * job->ring_stride) ||
        !mr__scratch(&r->line, line) || !mr__scratch(&r->pad_line, line) ||
        !mr__scratch(&r->tail, MR_BAND * job->tail_stride) ||
        !mr__scratch(&r->rows, ((size_t)r->y.max_used + 1) * sizeof(void *)))
        return mr__fail(e, MR_E_MEMORY, "no memory for %d rows of %d pixels", job->ring_rows,
                        r->x.n);
    return MR_OK;
}

static void fill_pads(struct mr_resampler *r, const double *fill)
{
    struct mr_job *job = &r->job;
    double max = job->wide ? UINT16_MAX : UINT8_MAX;
    uint8_t *p8 = r->pad_line.p;
    uint16_t *p16 = r->pad_line.p;

    for (size_t i = 0; job->padded && i < (size_t)job->put.n * (size_t)job->c; i++) {
        double v = rint(fmin(fmax(fill[i % (size_t)job->c], 0), max));
        if (job->wide)
            p16[i] = (uint16_t)v;
        else
            p8[i] = (uint8_t)v;
    }
    if (job->padded)
        memcpy(r->line.p, r->pad_line.p, (size_t)job->pad_left * job->pixel);
}

static bool table_fits(const struct mr_put *a, const struct mr_put *b)
{
    return a->table && a->dtype == b->dtype && a->c == b->c &&
           memcmp(a->scale, b->scale, sizeof a->scale) == 0 &&
           memcmp(a->bias, b->bias, sizeof a->bias) == 0;
}

static int choose_put(struct mr_resampler *r, struct mr_errbuf *e)
{
    struct mr_put *put = &r->job.put;

    if (!put->affine && !put->chw && put->dtype == (r->job.wide ? MR_U16 : MR_U8)) {
        r->job.put_row = mr__put_same;
        return MR_OK;
    }
    r->job.put_row = r->job.wide ? mr__put16 : r->kernel->put(put);
    if (r->job.put_row)
        return MR_OK;
    r->job.put_row = mr__put8(put);
    if (!table_fits(&r->table_of, put)) {
        r->table_of.table = NULL;
        if (!mr__scratch(&r->table, (size_t)put->c * 256 * put->size))
            return mr__fail(e, MR_E_MEMORY, "no memory for a table of pixel values");
        mr__put_table(put, r->table.p);
        r->table_of = *put;
        r->table_of.table = r->table.p;
    }
    put->table = r->table.p;
    return MR_OK;
}

/* job->put and job->dst are set. */
static int begin(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                 const struct mr_geometry *g, struct mr_errbuf *e)
{
    struct mr_axis_spec x = spec_x(g), y = spec_y(g);
    struct mr_job *job = &r->job;
    int rc;

    job->c = src->c;
    job->wide = src->bits == 16;
    job->pixel = (size_t)src->c * (job->wide ? 2 : 1);
    if ((rc = mr__axis_make(&r->x, &x, job->wide, e)) < 0 ||
        (rc = mr__axis_make(&r->y, &y, job->wide, e)) < 0)
        return rc;
    job->row = job->done = job->next = 0;
    job->above = r->y.first - at->y;
    job->left = r->x.first - at->x;
    job->pad_left = g->pad_left;
    job->pad_right = g->pad_right;
    job->pad_top = g->pad_top;
    job->pad_bottom = g->pad_bottom;
    job->padded = g->out_w != g->win.w || g->out_h != g->win.h;
    job->vflip = g->vflip;
    if ((rc = reserve(r, e)) < 0 || (rc = choose_put(r, e)) < 0)
        return rc;
    fill_pads(r, g->pad_fill);
    return MR_OK;
}

static struct mr_put put_of(const struct mr_store *s, const struct mr_geometry *g, int c)
{
    size_t size = mr_dtype_size(s->dtype);
    ptrdiff_t plane = (ptrdiff_t)size * g->out_w * g->out_h;
    struct mr_put put = {
        .n = g->out_w, .c = c, .dtype = s->dtype, .size = size, .chw = s->chw, .affine = s->affine};

    put.pixel = (ptrdiff_t)size * (s->chw ? 1 : c);
    put.channel = s->chw ? plane : (ptrdiff_t)size;
    put.row = put.pixel * g->out_w;
    for (int i = 0; i < 4; i++) {
        put.scale[i] = s->affine ? s->scale[i] : 1;
        put.bias[i] = s->affine ? s->bias[i] : 0;
    }
    return put;
}

static int run(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
               const struct mr_geometry *g, struct mr_errbuf *e)
{
    int rc = begin(r, src, at, g, e);

    if (rc < 0)
        return rc;
    if (g->win.w > 0 && g->win.h > 0)
        mr__job_rows(r, src->data, src->stride, at->h,
                     (const char *)src->data + (at->h - 1) * src->stride +
                         (size_t)at->w * r->job.pixel);
    mr__job_finish(r);
    return MR_OK;
}

int mr__resample_store(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_store *store, void *dst,
                       struct mr_errbuf *e)
{
    int rc;

    if ((rc = check_geometry(g, e)) < 0 || (rc = check_source(src, at, g, e)) < 0 ||
        (rc = check_store(store, src->c, e)) < 0)
        return rc;
    r->job.put = put_of(store, g, src->c);
    r->job.dst = dst;
    return run(r, src, at, g, e);
}

int mr__resample_image(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_view *dst, struct mr_errbuf *e)
{
    struct mr_store same = {.dtype = src->bits == 16 ? MR_U16 : MR_U8};
    int rc;

    if ((rc = check_geometry(g, e)) < 0 || (rc = check_source(src, at, g, e)) < 0)
        return rc;
    if (dst->w != g->out_w || dst->h != g->out_h || dst->c != src->c || dst->bits != src->bits)
        return mr__fail(e, MR_E_USAGE, "the image of %dx%d is not the stage's output of %dx%d",
                        dst->w, dst->h, g->out_w, g->out_h);
    r->job.put = put_of(&same, g, src->c);
    r->job.put.row = dst->stride;
    r->job.dst = dst->data;
    return run(r, src, at, g, e);
}
