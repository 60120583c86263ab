/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_fold.c: from the op list and an image's size to the steps of this row. Every op is drawn
 * with the size that the ops before it leave, then folded; what cannot be folded begins a new
 * stage. Where two stages meet with nothing between them, the first makes only what the second
 * reads.
 */
#include "pipe/rowpipe_types.h"

struct fold {
    struct mr_rowwork *work;
    struct mr_geometry g;    /* the stage under construction */
    int first_op, last_op;   /* folded into it so far; -1: none */
    struct mr_errbuf *e;
};

static struct mr_rowstep *push(struct fold *f, enum mr_step_kind kind, const struct mr_rowop *op)
{
    struct mr_rowstep *s = &f->work->steps[f->work->nsteps++];
    s->kind = kind;
    s->op = op;
    s->first_op = s->last_op = op ? (int)(op - f->work->pipe->ops) : -1;
    return s;
}

/* Ends the stage as `g` and begins the next on its output. */
static void end_stage(struct fold *f, struct mr_geometry g)
{
    struct mr_rowstep *s = push(f, MR_STEP_STAGE, NULL);
    s->g = g;
    s->at = (struct mr_rect){0, 0, g.in_w, g.in_h};
    s->first_op = f->first_op;
    s->last_op = f->last_op;
    f->first_op = f->last_op = -1;
    mr__geometry_begin(&f->g, g.out_w, g.out_h);
}

static int check_size(const struct fold *f, const struct mr_rowop *o)
{
    const struct mr_geometry *g = &f->g;
    int64_t most = f->work->pipe->config->limits.max_pixels;
    if (most <= 0 || (int64_t)g->out_w * g->out_h <= most)
        return MR_OK;
    return mr__fail(f->e, MR_E_DATA,
                    "'%s' would make an image of %d x %d pixels, above limits.max_pixels (%lld)",
                    o->op->d.name, g->out_w, g->out_h, (long long)most);
}

static int fold_geometry(struct fold *f, const struct mr_rowop *o, const void *draw)
{
    struct mr_geometry before = f->g;
    int rc = o->op->compose(o->params, draw, &f->g, f->e);
    if (rc == MR_OK && f->g.closed) {
        end_stage(f, before);
        rc = o->op->compose(o->params, draw, &f->g, f->e);
    }
    if (rc != MR_OK)
        return rc;
    if (f->g.closed)
        return mr__fail(f->e, MR_E_DATA, "'%s' cannot be done on its %d x %d pixels", o->op->d.name,
                        before.out_w, before.out_h);
    f->last_op = (int)(o - f->work->pipe->ops);
    if (f->first_op < 0)
        f->first_op = f->last_op;
    rc = check_size(f, o);
    if (rc == MR_OK && f->g.border) {
        end_stage(f, f->g);
        push(f, MR_STEP_BORDER, o);
    }
    return rc;
}

static void fold_pixel(struct fold *f, const struct mr_rowop *o)
{
    if (!mr__geometry_is_identity(&f->g)) {
        end_stage(f, f->g);
    }
    push(f, MR_STEP_PIXEL, o);
}

static int fold_op(struct fold *f, const struct mr_rowop *o, const struct mr_row_key *key)
{
    void *draw = f->work->draws + o->draw_at;
    if (o->op->draw) {
        struct mr_spec in = o->in;
        mr_rng rng = mr__rng_open(key, o->op->d.name, o->ordinal);
        in.w = f->g.out_w;
        in.h = f->g.out_h;
        o->op->draw(o->params, &rng, &in, draw);
    }
    if (o->op->kind == MR_OP_GEOMETRY)
        return fold_geometry(f, o, draw);
    if (o->on_pixels)
        fold_pixel(f, o);
    return MR_OK;
}

void mr__row_narrow(struct mr_rowstep *steps, int n)
{
    for (int i = n - 1; i > 0; i--) {
        if (steps[i].kind != MR_STEP_STAGE || steps[i - 1].kind != MR_STEP_STAGE)
            continue;
        struct mr_geometry g = steps[i - 1].g;
        struct mr_rect needs = mr__resample_needs(&steps[i].g);
        if (needs.w < 1 || needs.h < 1)
            continue;
        mr__geometry_crop(&g, &needs);
        if (g.closed)
            continue;
        steps[i - 1].g = g;
        steps[i].at = needs;
    }
}

void mr__row_fold_mask(struct mr_rowwork *work)
{
    work->nmask_steps = 0;
    for (int i = 0; i < work->nsteps; i++) {
        if (work->steps[i].kind == MR_STEP_PIXEL)
            continue;
        struct mr_rowstep *s = &work->mask_steps[work->nmask_steps++];
        *s = work->steps[i];
        if (s->kind == MR_STEP_STAGE)
            s->g = mr__geometry_for_mask(&s->g);
    }
}

/* The window is the first of all moves, so it reaches the decoder as any crop does. */
static int cut_window(struct fold *f, const struct mr_rect *r)
{
    int32_t w = f->g.in_w, h = f->g.in_h;
    if (r->x < 0 || r->y < 0 || r->w < 1 || r->h < 1 || r->w > w || r->h > h ||
        r->x > w - r->w || r->y > h - r->h)
        return mr__fail(f->e, MR_E_DATA,
                        "the window of %d x %d at (%d, %d) is not inside its %d x %d pixels: it "
                        "has changed, or its size was told wrong",
                        r->w, r->h, r->x, r->y, w, h);
    mr__geometry_crop(&f->g, r);
    return MR_OK;
}

/* What the plan took the sampler's word for: the row's memory has this size. */
static int check_begin(const struct fold *f)
{
    const struct mr_spec *planned = &f->work->pipe->first;
    if (!planned->w || (planned->w == f->g.out_w && planned->h == f->g.out_h))
        return MR_OK;
    return mr__fail(f->e, MR_E_DATA, "the window is %d x %d pixels, but the sampler makes %d x %d",
                    f->g.out_w, f->g.out_h, planned->w, planned->h);
}

int mr__row_fold(struct mr_rowwork *work, const struct mr_row_key *key, int32_t w, int32_t h,
                 const struct mr_rect *window, struct mr_errbuf *e)
{
    const struct mr_rowpipe *p = work->pipe;
    struct fold f = {.work = work, .first_op = -1, .last_op = -1, .e = e};
    work->nsteps = 0;
    mr__geometry_begin(&f.g, w, h);
    int windowed = window->w ? cut_window(&f, window) : MR_OK;
    if (windowed == MR_OK)
        windowed = check_begin(&f);
    if (windowed != MR_OK)
        return windowed;
    for (int i = 0; i < p->nops; i++) {
        int rc = fold_op(&f, &p->ops[i], key);
        if (rc != MR_OK)
            return rc;
    }
    end_stage(&f, f.g);
    return MR_OK;
}
