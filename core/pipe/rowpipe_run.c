/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_run.c: one row, from encoded bytes to the slot: header, fold, boxes, then image and mask
 * each through decode, steps and store.
 */
#include "pipe/rowpipe_types.h"

#include <stddef.h>
#include <string.h>

/* A stage whose output is another image, in the other scratch buffer. */
static int run_stage(struct mr_rowjob *j, const struct mr_rowstep *s, struct mr_rowpixels *px)
{
    struct mr_view dst;
    int other = !px->buffer;
    int rc = mr__scratch_view(&j->work->images[other], &dst, s->g.out_w, s->g.out_h, j->c, j->bits,
                              j->e);
    if (rc == MR_OK)
        rc = mr__resample_image(j->work->resampler, &px->view, &px->at, &s->g, &dst, j->e);
    px->view = dst;
    px->buffer = other;
    return rc;
}

static int run_step(struct mr_rowjob *j, const struct mr_rowstep *s, struct mr_rowpixels *px)
{
    const struct mr_rowop *o = s->op;
    const uint8_t *draws = j->work->draws;
    if (s->kind == MR_STEP_STAGE)
        return run_stage(j, s, px);
    if (s->kind == MR_STEP_BORDER)
        o->op->border(o->params, draws + o->draw_at, &px->view);
    else
        o->op->pixel(o->params, draws + o->draw_at, &px->view);
    return MR_OK;
}

/* Where pixels lie in the coordinates of the step's input: all of it, or what the step before was
 * narrowed to. */
static struct mr_rect input_of(const struct mr_rowstep *s, const struct mr_rowpixels *px)
{
    if (s->kind == MR_STEP_STAGE)
        return s->at;
    return (struct mr_rect){0, 0, px->view.w, px->view.h};
}

static int store_row(struct mr_rowjob *j, const struct mr_rowpixels *px)
{
    int last = j->nsteps - 1;
    uint64_t start = mr__row_now_ns();
    int rc = mr__resample_store(j->work->resampler, &px->view, &px->at, &j->steps[last].g, j->store,
                                j->row, j->e);
    mr__row_count_step(j, last, mr__row_now_ns() - start);
    return rc;
}

static int make(struct mr_rowjob *j)
{
    struct mr_rowpixels px;
    int rc = mr__row_decode(j, &px);
    if (rc != MR_OK || px.next == j->nsteps)
        return rc;
    if (px.next > 0)
        px.at = input_of(&j->steps[px.next], &px);
    for (int i = px.next; rc == MR_OK && i < j->nsteps - 1; i++) {
        uint64_t start = mr__row_now_ns();
        rc = run_step(j, &j->steps[i], &px);
        if (rc == MR_OK)
            px.at = input_of(&j->steps[i + 1], &px);
        mr__row_count_step(j, i, mr__row_now_ns() - start);
    }
    return rc == MR_OK ? store_row(j, &px) : rc;
}

/* ---- what is done to the stored row --------------------------------------------------------- */

/* The row as [c][h][w], whatever its layout. */
static struct mr_tensor row_tensor(const struct mr_rowpipe *p, void *data)
{
    int64_t c = p->last.c, h = p->last.h, w = p->last.w;
    int64_t size = (int64_t)mr_dtype_size(p->store.dtype);
    struct mr_tensor t = {.data = data, .name = "image", .dtype = p->store.dtype, .ndim = 3};
    int64_t shape[3] = {c, h, w};
    int64_t planes[3] = {h * w * size, w * size, size}, mixed[3] = {size, w * c * size, c * size};
    memcpy(t.shape, shape, sizeof shape);
    memcpy(t.strides, p->store.chw ? planes : mixed, sizeof planes);
    return t;
}

static void run_tensor_ops(struct mr_rowwork *work, void *row)
{
    const struct mr_rowpipe *p = work->pipe;
    struct mr_tensor t = row_tensor(p, row);
    for (int i = 0; i < p->nops; i++) {
        const struct mr_rowop *o = &p->ops[i];
        if (o->op->kind != MR_OP_TENSOR || o->on_pixels)
            continue;
        uint64_t start = mr__row_now_ns();
        o->op->tensor(o->params, work->draws + o->draw_at, &t);
        work->cost.op_ns[i] += mr__row_now_ns() - start;
        work->cost.op_last[i] = (uint16_t)i;
    }
}

/* ---- boxes ---------------------------------------------------------------------------------- */

static int run_boxes(struct mr_rowwork *work, const struct mr_row_input *in,
                     struct mr_row_output *out, struct mr_errbuf *e)
{
    size_t bytes = (size_t)in->nboxes * 4 * sizeof(float);
    int rc = mr__scratch_grow(&work->boxes, bytes, e);
    if (rc != MR_OK)
        return rc;
    float *boxes = (float *)work->boxes.data;
    uint32_t n = in->nboxes;
    if (n)
        memcpy(boxes, in->boxes, bytes);
    for (int i = 0; i < work->nsteps; i++) {
        if (work->steps[i].kind == MR_STEP_STAGE)
            n = mr__geometry_boxes(&work->steps[i].g, boxes, n);
    }
    if (n > out->boxes_max)
        return mr__fail(e, MR_E_DATA, "%u boxes are left, the field has room for %u: raise its max",
                        n, out->boxes_max);
    memset(out->boxes, 0, (size_t)out->boxes_max * 4 * sizeof(float));
    memcpy(out->boxes, boxes, (size_t)n * 4 * sizeof(float));
    out->nboxes = n;
    return MR_OK;
}

/* ---- a row ---------------------------------------------------------------------------------- */

static int run_image(struct mr_rowjob *j, struct mr_row_output *out)
{
    struct mr_rowwork *work = j->work;
    const struct mr_rowpipe *p = work->pipe;
    mr__row_narrow(work->steps, work->nsteps);
    j->steps = work->steps;
    j->nsteps = work->nsteps;
    j->c = p->last.c;
    j->bits = p->last.bits;
    j->store = &p->store;
    j->row = out->image.data;
    int rc = make(j);
    if (rc == MR_OK)
        run_tensor_ops(work, j->row);
    return rc;
}

static int run_mask(struct mr_rowjob *j, const struct mr_image_info *image,
                    struct mr_row_output *out)
{
    struct mr_rowwork *work = j->work;
    int rc = mr__row_header(j);
    if (rc == MR_OK && (j->info.w != image->w || j->info.h != image->h))
        rc = mr__fail(j->e, MR_E_DATA, "it is %d x %d pixels, its image %d x %d", j->info.w,
                      j->info.h, image->w, image->h);
    if (rc == MR_OK) {
        mr__row_narrow(work->mask_steps, work->nmask_steps);
        j->steps = work->mask_steps;
        j->nsteps = work->nmask_steps;
        j->c = 1;
        j->bits = work->pipe->mask_bits;
        j->store = &work->pipe->mask_store;
        j->row = out->mask.data;
        rc = make(j);
    }
    if (rc != MR_OK)
        mr__context(j->e, "mask");
    return rc;
}

/* Since the last call, or since *from was set. */
static uint64_t lap(uint64_t *from)
{
    uint64_t before = *from;
    *from = mr__row_now_ns();
    return *from - before;
}

/* The order matters: boxes and mask need the stages before they are narrowed; the image's decoder
 * must get its header and decode calls with no other image between them. */
static int run(struct mr_rowjob *image, struct mr_rowjob *mask, const struct mr_row_input *in,
               struct mr_row_output *out)
{
    struct mr_rowwork *work = image->work;
    struct mr_row_cost *cost = &work->cost;
    struct mr_errbuf *e = image->e;
    int rc = mr__row_header(image);
    uint64_t clock = mr__row_now_ns();
    if (rc == MR_OK)
        rc = mr__row_fold(work, &in->key, image->info.w, image->info.h, &in->window, e);
    cost->draw_ns = lap(&clock);
    if (rc == MR_OK && out->boxes)
        rc = run_boxes(work, in, out, e);
    cost->boxes_ns = lap(&clock);
    if (rc == MR_OK && out->mask.data)
        mr__row_fold_mask(work);
    if (rc == MR_OK && out->image.data)
        rc = run_image(image, out);
    lap(&clock);
    uint64_t read_ns = *mask->read_ns;
    if (rc == MR_OK && out->mask.data)
        rc = run_mask(mask, &image->info, out);
    cost->mask_ns = lap(&clock) - (*mask->read_ns - read_ns);
    return rc;
}

static void begin_cost(struct mr_rowwork *work)
{
    struct mr_row_cost *cost = &work->cost;
    size_t nops = (size_t)work->pipe->nops;
    memset(cost, 0, offsetof(struct mr_row_cost, op_ns));
    memset(cost->op_ns, 0, nops * sizeof *cost->op_ns);
    memset(cost->op_last, 0, nops * sizeof *cost->op_last);
    cost->store_first = -1;
    cost->decoded = false;
}

int mr__rowpipe_run(const struct mr_rowpipe *pipe, struct mr_rowwork *work,
                    const struct mr_row_input *in, struct mr_row_output *out, struct mr_errbuf *e)
{
    static const uint64_t none = 0;
    const uint64_t *read_ns = in->read_ns ? in->read_ns : &none;
    uint64_t start = mr__row_now_ns(), read_before = *read_ns;
    (void)pipe; /* the work was opened for it */
    begin_cost(work);
    out->nboxes = 0;
    out->decode_ns = out->augment_ns = 0;
    if (!in->image && !in->image_ranges)
        return mr__fail(e, MR_E_DATA, "the sample has no image");
    if (out->mask.data && !in->mask && !in->mask_ranges)
        return mr__fail(e, MR_E_DATA, "the sample has no mask");
    struct mr_rowjob image = {.work = work,
                              .data = in->image,
                              .n = in->image_bytes,
                              .ranges = in->image_ranges,
                              .read_ns = read_ns,
                              .e = e};
    struct mr_rowjob mask = {.work = work,
                             .data = in->mask,
                             .n = in->mask_bytes,
                             .ranges = in->mask_ranges,
                             .read_ns = read_ns,
                             .mask = true,
                             .e = e};
    int rc = run(&image, &mask, in, out);
    work->cost.header_ns = image.header_ns;
    work->cost.decode_ns = image.decode_ns;
    out->decode_ns = image.header_ns + image.decode_ns + mask.header_ns + mask.decode_ns;
    out->augment_ns = mr__row_now_ns() - start - out->decode_ns - (*read_ns - read_before);
    return rc;
}

const struct mr_row_cost *mr__rowwork_cost(const struct mr_rowwork *work)
{
    return &work->cost;
}
