/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/resampler.h"

#include <string.h>

static void *ring_row(const struct mr_resampler *r, int32_t row)
{
    return (char *)r->ring.p + (size_t)(row & (r->job.ring_rows - 1)) * r->job.ring_stride;
}

/* Where the window's pixels begin in an output row that has padding. */
static char *line_body(const struct mr_resampler *r)
{
    return (char *)r->line.p + (size_t)r->job.pad_left * r->job.pixel;
}

/* Loops may have written over the padding behind the body. */
static void repair_right_pad(struct mr_resampler *r)
{
    size_t at = (size_t)(r->job.pad_left + r->x.n) * r->job.pixel;

    if (r->job.pad_right > 0)
        memcpy((char *)r->line.p + at, r->pad_line.p, (size_t)r->job.pad_right * r->job.pixel);
}

static const void **gather_rows(struct mr_resampler *r, int32_t y)
{
    const void **rows = r->rows.p;
    int32_t n = r->y.used[y];

    for (int32_t j = 0; j < n; j++)
        rows[j] = ring_row(r, r->y.start[y] + j);
    for (; n % MR_ROW_GROUP; n++)
        rows[n] = rows[n - 1];
    return rows;
}

static const char *source_row(const struct mr_resampler *r, int32_t row)
{
    return r->job.portion.data + (row - r->job.portion.first) * r->job.portion.stride;
}

/* A source row, or a copy of it when a loop could read beyond the source's end. */
static const uint8_t *guarded(struct mr_resampler *r, int which, int32_t row)
{
    const char *from = source_row(r, row);
    size_t reach = (size_t)r->x.reach * r->job.pixel + MR_OVERREAD;

    if ((size_t)(r->job.portion.end - from) >= reach)
        return (const uint8_t *)from;
    uint8_t *copy = (uint8_t *)r->tail.p + (size_t)which * r->job.tail_stride;
    memcpy(copy, from, (size_t)r->x.count * r->job.pixel);
    return copy;
}

/* A row of 8-bit pixels across without weights. Touches nothing behind either row. */
static void move_row(const struct mr_resampler *r, int32_t row, uint8_t *out)
{
    const uint8_t *from = (const uint8_t *)source_row(r, row);
    size_t n = (size_t)r->x.n;

    if (r->x.kind == MR_AXIS_COPY)
        memcpy(out, from, n * r->job.pixel);
    else if (r->x.kind == MR_AXIS_TURN)
        r->kernel->turn(r->job.c, n, from, out);
    else
        mr__pick(&r->x, r->job.c, from, out);
}

/* Output row y of a job without weights: the source's own row, if nothing changes in it. */
static const void *bare_line(struct mr_resampler *r, int32_t y)
{
    int32_t row = r->y.start[y];

    if (r->x.kind == MR_AXIS_COPY && !r->job.padded)
        return guarded(r, 0, row);
    move_row(r, row, (uint8_t *)line_body(r));
    repair_right_pad(r);
    return r->line.p;
}

/* Output row y of the window, 8-bit; valid until the next call. */
static const void *line8(struct mr_resampler *r, int32_t y)
{
    int n = r->x.n * r->job.c;

    if (r->job.bare)
        return bare_line(r, y);
    if (r->y.kind == MR_AXIS_TAPS)
        r->kernel->down(&r->y, y, (const uint8_t *const *)gather_rows(r, y), n,
                        (uint8_t *)line_body(r));
    else if (r->job.padded)
        memcpy(line_body(r), ring_row(r, r->y.start[y]), (size_t)n);
    else
        return ring_row(r, r->y.start[y]);
    repair_right_pad(r);
    return r->line.p;
}

static const void *line16(struct mr_resampler *r, int32_t y)
{
    static const float one = 1;
    const float *k = r->y.kind == MR_AXIS_TAPS ? r->y.wide + (size_t)y * (size_t)r->y.taps : &one;

    mr__down16((const float *const *)gather_rows(r, y), k, r->y.used[y], r->x.n * r->job.c,
               (uint16_t *)line_body(r));
    repair_right_pad(r);
    return r->line.p;
}

static void put_line(struct mr_resampler *r, const void *line, int32_t y)
{
    r->job.put_row(&r->job.put, line, r->job.dst + y * r->job.put.row);
}

/* Makes every output row whose rows are all across. */
static void make_lines(struct mr_resampler *r)
{
    struct mr_job *job = &r->job;

    while (job->next < r->y.n && r->y.start[job->next] + r->y.used[job->next] <= job->done) {
        int32_t y = job->next++;
        const void *line = job->wide ? line16(r, y) : line8(r, y);
        put_line(r, line, job->pad_top + (job->vflip ? r->y.n - 1 - y : y));
    }
}

static void across_band(struct mr_resampler *r, int32_t row, int n)
{
    const uint8_t *src[MR_BAND];
    uint8_t *out[MR_BAND];

    for (int i = 0; i < MR_BAND; i++) {
        src[i] = i < n ? guarded(r, i, row + i) : src[n - 1];
        out[i] = ring_row(r, row + (i < n ? i : n - 1));
    }
    r->kernel->across(&r->x, r->job.c, src, out);
}

/* Takes n <= MR_BAND rows, from `row` on, across into the ring. */
static void across(struct mr_resampler *r, int32_t row, int n)
{
    if (r->x.kind == MR_AXIS_TAPS && !r->job.wide) {
        across_band(r, row, n);
        return;
    }
    for (int32_t i = row; i < row + n; i++) {
        if (r->job.wide)
            mr__across16(&r->x, r->job.c, (const void *)source_row(r, i), ring_row(r, i));
        else
            move_row(r, i, ring_row(r, i));
    }
}

/* Rows across and output rows down in turn, as far as the portion goes. */
static void make_rows(struct mr_resampler *r)
{
    struct mr_job *job = &r->job;

    while (job->next < r->y.n) {
        int32_t start = r->y.start[job->next];
        int32_t row = job->done > start ? job->done : start;
        int32_t left = job->portion.first + job->portion.n - row;
        if (left <= 0)
            return;
        int m = left < MR_BAND ? left : MR_BAND;
        if (!job->bare)
            across(r, row, m);
        job->done = row + m;
        make_lines(r);
    }
}

void mr__job_rows(struct mr_resampler *r, const void *data, int64_t stride, int32_t n,
                  const void *end)
{
    struct mr_job *job = &r->job;

    job->portion = (struct mr_portion){
        .data = (const char *)data + (size_t)job->left * job->pixel,
        .stride = stride,
        .first = job->row - job->above,
        .n = n,
        .end = end,
    };
    job->row += n;
    if (r->x.n > 0)
        make_rows(r);
}

void mr__job_finish(struct mr_resampler *r)
{
    struct mr_job *job = &r->job;
    int32_t below = job->pad_top + r->y.n;

    for (int32_t y = 0; y < below + job->pad_bottom; y++) {
        if (y < job->pad_top || y >= below || r->x.n <= 0)
            put_line(r, r->pad_line.p, y);
    }
    if (r->kernel->fence)
        r->kernel->fence();
}
