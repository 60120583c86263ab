/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/resample.h"

#include "augment/kernel/resampler.h"

#include <stdlib.h>

int mr__resampler_new(struct mr_resampler **r, struct mr_errbuf *e)
{
    struct mr_cpu cpu;
    int rc = mr__cpu_choose(&cpu, e);

    *r = NULL;
    if (rc < 0)
        return rc;
    *r = calloc(1, sizeof **r);
    if (!*r)
        return mr__fail(e, MR_E_MEMORY, "no memory for a resampler");
    (*r)->kernel = mr__kernel_for(&cpu);
    (*r)->x.loops = (*r)->y.loops = (*r)->kernel->loops;
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

struct mr_rect mr__resample_needs(const struct mr_geometry *g)
{
    struct mr_axis_spec x = mr__axis_across(g), y = mr__axis_down(g);
    struct mr_rect needs = {0, 0, 0, 0};

    if (g->win.w <= 0 || g->win.h <= 0)
        return needs;
    mr__axis_span(&x, &needs.x, &needs.w);
    mr__axis_span(&y, &needs.y, &needs.h);
    return needs;
}

/* Rows that are only stored: what waits for memory then does so while the next row is made. */
int32_t mr__resample_most(const struct mr_geometry *g)
{
    struct mr_axis_spec x = mr__axis_across(g), y = mr__axis_down(g);

    return mr__axis_weighs(&x) || mr__axis_weighs(&y) ? 0 : 1;
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

static const char *end_of(const struct mr_resampler *r, const void *data, int64_t stride, int32_t n)
{
    return (const char *)data + (n - 1) * stride + (size_t)r->job.width * r->job.pixel;
}

static int check_view(const struct mr_view *src, const struct mr_rect *at, struct mr_errbuf *e)
{
    if (src->w == at->w && src->h == at->h)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE, "the pixels are %dx%d, not the %dx%d that they stand for",
                    src->w, src->h, at->w, at->h);
}

int mr__resample_begin(struct mr_resampler *r, int c, int bits, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_store *store, void *dst,
                       struct mr_errbuf *e)
{
    int rc;

    if ((rc = mr__check_geometry(g, e)) < 0 || (rc = mr__check_source(c, bits, at, g, e)) < 0 ||
        (rc = mr__check_store(store, c, e)) < 0)
        return rc;
    r->job.put = put_of(store, g, c);
    r->job.dst = dst;
    return mr__job_begin(r, c, bits, at, g, e);
}

void mr__resample_rows(struct mr_resampler *r, const void *data, int64_t stride, int32_t n)
{
    if (n > 0)
        mr__job_rows(r, data, stride, n, end_of(r, data, stride, n));
}

int mr__resample_end(struct mr_resampler *r, struct mr_errbuf *e)
{
    if (r->x.n > 0 && r->job.next < r->y.n)
        return mr__fail(e, MR_E_USAGE, "only %d of %d rows were given", r->job.row, r->job.rows);
    mr__job_finish(r);
    return MR_OK;
}

int mr__resample_store(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_store *store, void *dst,
                       struct mr_errbuf *e)
{
    int rc;

    if ((rc = check_view(src, at, e)) < 0 ||
        (rc = mr__resample_begin(r, src->c, src->bits, at, g, store, dst, e)) < 0)
        return rc;
    mr__resample_rows(r, src->data, src->stride, at->h);
    return mr__resample_end(r, e);
}

int mr__resample_begin_image(struct mr_resampler *r, const struct mr_rect *at,
                             const struct mr_geometry *g, const struct mr_view *dst,
                             struct mr_errbuf *e)
{
    struct mr_store same = {.dtype = dst->bits == 16 ? MR_U16 : MR_U8};
    int rc;

    if ((rc = mr__check_geometry(g, e)) < 0 ||
        (rc = mr__check_source(dst->c, dst->bits, at, g, e)) < 0)
        return rc;
    if (dst->w != g->out_w || dst->h != g->out_h)
        return mr__fail(e, MR_E_USAGE, "the image of %dx%d is not the stage's output of %dx%d",
                        dst->w, dst->h, g->out_w, g->out_h);
    r->job.put = put_of(&same, g, dst->c);
    r->job.put.row = dst->stride;
    r->job.dst = dst->data;
    return mr__job_begin(r, dst->c, dst->bits, at, g, e);
}

int mr__resample_image(struct mr_resampler *r, const struct mr_view *src, const struct mr_rect *at,
                       const struct mr_geometry *g, const struct mr_view *dst, struct mr_errbuf *e)
{
    int rc = check_view(src, at, e);

    if (rc == MR_OK && (dst->c != src->c || dst->bits != src->bits))
        rc = mr__fail(e, MR_E_USAGE, "%d channels of %d bits do not become %d of %d", src->c,
                      src->bits, dst->c, dst->bits);
    if (rc < 0 || (rc = mr__resample_begin_image(r, at, g, dst, e)) < 0)
        return rc;
    mr__resample_rows(r, src->data, src->stride, at->h);
    return mr__resample_end(r, e);
}
