/* SPDX-License-Identifier: Apache-2.0
 *
 * resampler.h: what a resampler holds: tables and scratch memory that are kept between images,
 * and the job under way. Rows go across as they come, into a ring that holds just the rows that
 * the next output row needs; an output row is summed down, stored and forgotten as soon as its
 * last row is there. So everything between source and destination stays in the first-level cache,
 * and the source may still be decoding. Rows that no weight touches go past the ring.
 */
#ifndef MR_KERNEL_RESAMPLER_H
#define MR_KERNEL_RESAMPLER_H

#include "augment/kernel/passes.h"
#include "augment/kernel/resample.h"

/* Rows of the source under way: from `first` on, counted from y.first. */
struct mr_portion {
    const char *data; /* where the window's first pixel is */
    int64_t stride;
    int32_t first, n;
    const char *end; /* the first byte that must not be read */
};

struct mr_job {
    int c;
    bool wide;           /* 16-bit pixels */
    bool bare;           /* no weights on either axis: rows need no ring */
    size_t pixel;        /* bytes of a source pixel */
    int32_t row;         /* rows fed so far, of the rectangle that the source holds */
    int32_t above, left; /* where y.first, x.first lie in that rectangle */
    int32_t rows, width; /* its size */
    int32_t done;        /* rows from y.first on that are across, or that nothing needs */
    int32_t next;        /* output rows made, from the top of the window */
    int32_t ring_rows;   /* a power of two */
    size_t ring_stride, tail_stride;
    int32_t pad_left, pad_right, pad_top, pad_bottom;
    bool vflip, padded;
    struct mr_portion portion;
    struct mr_put put;
    mr_put_row *put_row;
    char *dst;
};

struct mr_resampler {
    const struct mr_kernel *kernel;
    struct mr_axis x, y;
    struct mr_scratch ring, line, tail, rows;
    struct mr_scratch pad_line; /* one output row of padding */
    struct mr_scratch table;    /* of the last store that needed one, which is: */
    struct mr_put table_of;
    struct mr_job job;
};

/* The two axes of a geometry. Rows are made from the top and put in their place, so that the one
 * down is never flipped. */
struct mr_axis_spec mr__axis_across(const struct mr_geometry *g);
struct mr_axis_spec mr__axis_down(const struct mr_geometry *g);

/* Each MR_E_USAGE. */
int mr__check_geometry(const struct mr_geometry *g, struct mr_errbuf *e);
int mr__check_source(int c, int bits, const struct mr_rect *at, const struct mr_geometry *g,
                     struct mr_errbuf *e);
int mr__check_store(const struct mr_store *s, int c, struct mr_errbuf *e);

/* Begins a job whose put and dst are set. MR_E_MEMORY. */
int mr__job_begin(struct mr_resampler *r, int c, int bits, const struct mr_rect *at,
                  const struct mr_geometry *g, struct mr_errbuf *e);
/* Feeds n rows of the source; `end` is the first byte that must not be read. Rows beyond the last
 * are ignored. */
void mr__job_rows(struct mr_resampler *r, const void *data, int64_t stride, int32_t n,
                  const void *end);
/* Stores the rows that are padding only. */
void mr__job_finish(struct mr_resampler *r);

#endif
