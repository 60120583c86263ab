/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/resampler.h"

#include <math.h>
#include <string.h>

struct mr_axis_spec mr__axis_across(const struct mr_geometry *g)
{
    return (struct mr_axis_spec){.box = g->box.x,
                                 .box_n = g->box.w,
                                 .low = g->cut_left,
                                 .high = g->cut_right,
                                 .to = g->resized ? g->rw : g->box.w,
                                 .win = g->win.x,
                                 .win_n = g->win.w,
                                 .filter = g->filter,
                                 .antialias = g->antialias,
                                 .flip = g->hflip};
}

/* Rows are made from the top and put in their place, so the vertical table is never flipped. */
struct mr_axis_spec mr__axis_down(const struct mr_geometry *g)
{
    return (struct mr_axis_spec){.box = g->box.y,
                                 .box_n = g->box.h,
                                 .low = g->cut_top,
                                 .high = g->cut_bottom,
                                 .to = g->resized ? g->rh : g->box.h,
                                 .win = g->win.y,
                                 .win_n = g->win.h,
                                 .filter = g->filter,
                                 .antialias = g->antialias};
}

/* Scratch rows. Reads and writes may go MR_SLACK bytes behind each. */
static int reserve(struct mr_resampler *r, struct mr_errbuf *e)
{
    struct mr_job *job = &r->job;
    size_t c = (size_t)job->c, element = job->wide ? sizeof(float) : 1;
    size_t line = (size_t)job->put.n * job->pixel + 2 * MR_SLACK;

    job->tail_stride = ((size_t)r->x.reach * job->pixel + 2 * MR_SLACK) / 64 * 64;
    job->ring_rows = 8;
    while (job->ring_rows < r->y.max_used + MR_BAND)
        job->ring_rows *= 2;
    job->ring_stride = ((size_t)r->x.n * c * element + 2 * MR_SLACK) / 64 * 64;
    if (!mr__scratch(&r->ring, (size_t)job->ring_rows * job->ring_stride) ||
        !mr__scratch(&r->line, line) || !mr__scratch(&r->pad_line, line) ||
        !mr__scratch(&r->tail, MR_BAND * job->tail_stride) ||
        !mr__scratch(&r->rows, ((size_t)r->y.max_used + MR_ROW_GROUP) * sizeof(void *)))
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

static int pack(struct mr_resampler *r, struct mr_errbuf *e)
{
    const struct mr_kernel *k = r->kernel;

    if ((r->x.kind == MR_AXIS_TAPS && k->pack_across && !k->pack_across(&r->x, r->job.c)) ||
        (r->y.kind == MR_AXIS_TAPS && k->pack_down && !k->pack_down(&r->y)))
        return mr__fail(e, MR_E_MEMORY, "no memory for the tables of %d x %d pixels", r->x.n,
                        r->y.n);
    return MR_OK;
}

int mr__job_begin(struct mr_resampler *r, int c, int bits, const struct mr_rect *at,
                  const struct mr_geometry *g, struct mr_errbuf *e)
{
    struct mr_axis_spec x = mr__axis_across(g), y = mr__axis_down(g);
    struct mr_job *job = &r->job;
    int rc;

    job->c = c;
    job->wide = bits == 16;
    job->pixel = (size_t)c * (job->wide ? 2 : 1);
    if ((rc = mr__axis_make(&r->x, &x, job->wide, e)) < 0 ||
        (rc = mr__axis_make(&r->y, &y, job->wide, e)) < 0 ||
        (rc = job->wide ? MR_OK : pack(r, e)) < 0)
        return rc;
    job->rows = at->h;
    job->width = at->w;
    job->row = job->done = job->next = 0;
    job->above = r->y.first - at->y;
    job->left = r->x.first - at->x;
    job->pad_left = g->pad_left;
    job->pad_right = g->pad_right;
    job->pad_top = g->pad_top;
    job->pad_bottom = g->pad_bottom;
    job->bare = !job->wide && r->x.kind != MR_AXIS_TAPS && r->y.kind != MR_AXIS_TAPS;
    job->padded = g->out_w != g->win.w || g->out_h != g->win.h;
    job->vflip = g->vflip;
    if ((rc = reserve(r, e)) < 0 || (rc = choose_put(r, e)) < 0)
        return rc;
    fill_pads(r, g->pad_fill);
    return MR_OK;
}
