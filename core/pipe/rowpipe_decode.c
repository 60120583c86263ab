/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_decode.c: how an image is decoded: which part, at which size, and whether its rows go
 * straight on into the first stage.
 */
#include "pipe/rowpipe_types.h"

#include <time.h>

uint64_t mr__row_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the header ----------------------------------------------------------------------------- */

/* As much as it takes to know a codec by, or to tell people what it is that none knows. */
#define FIRST_BYTES 512

static int get(struct mr_rowjob *j, uint64_t bytes)
{
    j->n = bytes;
    return j->ranges->get(j->ranges->ctx, 0, bytes, &j->data, j->e);
}

static int read_header(struct mr_rowjob *j)
{
    int rc = MR_OK;
    if (j->ranges)
        rc = get(j, j->ranges->n < FIRST_BYTES ? j->ranges->n : FIRST_BYTES);
    if (rc == MR_OK)
        rc = mr__row_decoder(j->work, j->data, j->n, &j->codec, &j->decoder, j->e);
    if (rc == MR_OK && j->ranges && j->codec->header_ranges)
        return j->codec->header_ranges(j->decoder, j->ranges, &j->info, j->e);
    if (rc == MR_OK && j->ranges)
        rc = get(j, j->ranges->n);
    return rc == MR_OK ? j->codec->header(j->decoder, j->data, j->n, &j->info, j->e) : rc;
}

int mr__row_header(struct mr_rowjob *j)
{
    uint64_t start = mr__row_now_ns(), read_ns = *j->read_ns;
    int rc = read_header(j);
    j->header_ns = mr__row_now_ns() - start - (*j->read_ns - read_ns);
    return rc;
}

void mr__row_count_step(const struct mr_rowjob *j, int step, uint64_t ns)
{
    struct mr_row_cost *cost = &j->work->cost;
    const struct mr_rowstep *s = &j->steps[step];
    if (j->mask)
        return;
    if (step == j->nsteps - 1) {
        cost->store_ns += ns;
        cost->store_first = s->first_op;
    } else if (s->first_op >= 0) {
        cost->op_ns[s->first_op] += ns;
        cost->op_last[s->first_op] = (uint16_t)s->last_op;
    }
}

/* ---- the size that is decoded --------------------------------------------------------------- */

static uint64_t area(const struct mr_rect *r)
{
    return (uint64_t)r->w * (uint64_t)r->h;
}

/* Masks hold numbers, of which there is no average; so do images that only few filters may touch.
 * What `fast` would do is noted in any case, for who wonders whether it pays. */
static int choose_size(struct mr_rowjob *j, struct mr_rowstep *first)
{
    const struct mr_config *config = j->work->pipe->config;
    struct mr_row_cost *cost = &j->work->cost;
    struct mr_shrunk shrunk;
    if (j->mask)
        return MR_OK;
    cost->scale = 1;
    cost->scale_fast = j->codec->shrink ? mr__geometry_scale(&first->g) : 1;
    if (config->decode != MR_DECODE_FAST || cost->scale_fast == 1)
        return MR_OK;
    int rc = j->codec->shrink(j->decoder, cost->scale_fast, &shrunk, j->e);
    if (rc != MR_OK)
        return rc;
    mr__geometry_shrink(&first->g, &shrunk);
    cost->scale = shrunk.scale;
    return MR_OK;
}

/* ---- rows into the first stage -------------------------------------------------------------- */

/* A clock of its own for what is looked at twice for every few rows: the system's takes twice as
 * long. It goes at any speed, since only parts of a whole are asked for, whose time is known. */
static uint64_t ticks_now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return mr__row_now_ns();
#endif
}

static uint64_t part_of(uint64_t ns, uint64_t ticks, uint64_t all_ticks)
{
    if (ticks >= all_ticks)
        return ticks ? ns : 0;
    return (uint64_t)((double)ns * ((double)ticks / (double)all_ticks));
}

struct rows {
    struct mr_rowjob *j;
    const struct mr_geometry *g;
    struct mr_rect at;
    struct mr_view image; /* the stage's output; data NULL: it is the row, which is stored */
    uint64_t ticks;       /* in the stage, but for the bands of rows */
    uint64_t band_ticks;  /* in one band of ONE_OF, the first among them */
    uint32_t bands;
};

/* A band is up to a few microseconds' work, and there are thirty or more of them. Odd, so that
 * those of single rows are not always the first ones of a row of MCUs. */
enum { ONE_OF = 5 };

static int begin_rows(void *ctx, struct mr_errbuf *e)
{
    struct rows *r = ctx;
    struct mr_rowjob *j = r->j;
    uint64_t start = ticks_now();
    struct mr_resampler *resampler = j->work->resampler;
    int rc = r->image.data
                 ? mr__resample_begin_image(resampler, &r->at, r->g, &r->image, e)
                 : mr__resample_begin(resampler, j->c, j->bits, &r->at, r->g, j->store, j->row, e);
    r->ticks += ticks_now() - start;
    return rc;
}

static void take_rows(void *ctx, const void *data, int64_t stride, int32_t n)
{
    struct rows *r = ctx;
    bool timed = r->bands++ % ONE_OF == 0;
    uint64_t start = timed ? ticks_now() : 0;
    mr__resample_rows(r->j->work->resampler, data, stride, n);
    r->band_ticks += timed ? ticks_now() - start : 0;
}

static int end_rows(struct rows *r)
{
    uint64_t start = ticks_now();
    int rc = mr__resample_end(r->j->work->resampler, r->j->e);
    r->ticks += ticks_now() - start;
    return rc;
}

static int decode_rows(struct mr_rowjob *j, struct mr_rowpixels *px, uint64_t *stage_ticks)
{
    struct rows r = {.j = j, .g = &j->steps[0].g, .at = px->at};
    struct mr_row_taker to = {
        .begin = begin_rows, .rows = take_rows, .ctx = &r, .most = mr__resample_most(r.g)};
    int rc = MR_OK;
    if (j->nsteps > 1)
        rc = mr__scratch_view(&j->work->images[0], &r.image, r.g->out_w, r.g->out_h, j->c, j->bits,
                              j->e);
    if (rc == MR_OK)
        rc = j->codec->rows(j->decoder, &px->at, j->c, j->bits, &to, j->e);
    if (rc == MR_OK)
        rc = end_rows(&r);
    px->view = r.image;
    px->next = 1;
    *stage_ticks = r.ticks + r.band_ticks * r.bands / ((r.bands + ONE_OF - 1) / ONE_OF + !r.bands);
    return rc;
}

static int decode_view(struct mr_rowjob *j, struct mr_rowpixels *px)
{
    int rc =
        mr__scratch_view(&j->work->images[0], &px->view, px->at.w, px->at.h, j->c, j->bits, j->e);
    return rc == MR_OK ? j->codec->decode(j->decoder, &px->at, &px->view, j->e) : rc;
}

/* ---- an image ------------------------------------------------------------------------------- */

static void count_pixels(const struct mr_rowjob *j, const struct mr_rect *needed,
                         const struct mr_rect *wanted)
{
    struct mr_row_cost *cost = &j->work->cost;
    if (j->mask)
        return;
    cost->decoded = true;
    cost->pixels = (uint64_t)j->info.w * (uint64_t)j->info.h;
    cost->pixels_needed = area(needed);
    cost->pixels_wanted = area(wanted);
    j->codec->cost(j->decoder, &cost->decode);
}

static int decode_crop(struct mr_rowjob *j, struct mr_rowpixels *px, bool stage)
{
    struct mr_rect needed = px->at;
    uint64_t start = mr__row_now_ns(), first = ticks_now(), in_stage = 0, read_ns = *j->read_ns;
    int rc = stage ? choose_size(j, &j->steps[0]) : MR_OK;
    if (rc != MR_OK)
        return rc;
    if (stage)
        px->at = mr__resample_needs(&j->steps[0].g);
    if (stage && j->codec->rows && j->info.orientation == 1)
        rc = decode_rows(j, px, &in_stage);
    else
        rc = decode_view(j, px);
    uint64_t ticks = ticks_now() - first, ns = mr__row_now_ns() - start;
    uint64_t stage_ns = part_of(ns, in_stage, ticks), other = stage_ns + *j->read_ns - read_ns;
    j->decode_ns = ns > other ? ns - other : 0; /* of two clocks */
    if (px->next == 1)
        mr__row_count_step(j, 0, stage_ns);
    if (rc == MR_OK)
        count_pixels(j, &needed, &px->at);
    return rc;
}

int mr__row_decode(struct mr_rowjob *j, struct mr_rowpixels *px)
{
    bool stage = j->steps[0].kind == MR_STEP_STAGE;
    px->buffer = px->next = 0;
    px->at = (struct mr_rect){0, 0, j->info.w, j->info.h};
    if (stage)
        px->at = mr__resample_needs(&j->steps[0].g);
    if (px->at.w >= 1 && px->at.h >= 1)
        return decode_crop(j, px, stage);
    px->at.w = px->at.h = 0;
    return mr__scratch_view(&j->work->images[0], &px->view, 0, 0, j->c, j->bits, j->e);
}
