/* SPDX-License-Identifier: Apache-2.0
 *
 * axis.h: one axis of a resampling stage as a table: for every output position, where its input
 * starts and the coefficients. Both passes run off these tables and know nothing of filters.
 */
#ifndef MR_KERNEL_AXIS_H
#define MR_KERNEL_AXIS_H

#include "augment/kernel/scratch.h"
#include "base/error.h"
#include "base/image.h"

#define MR_AXIS_GROUP 8 /* copies of the last output fill the tables up to a multiple of it */
#define MR_COEF_BITS 22 /* of a weight's fraction: 255 * 2^22 * sum |k| stays under 2^31 */
#define MR_COEF_LOW 16  /* the bits of the lower half of a weight, hi * 2^MR_COEF_LOW + lo */

/* The halves of a weight, for multiplications of 16 bits: sums of hi and of lo are taken by
 * themselves and put together in the end, that of hi modulo 2^16 only. hi has 8 bits, lo 16. */
static inline int32_t mr__coef_hi(int32_t k)
{
    return (k + (1 << (MR_COEF_LOW - 1))) >> MR_COEF_LOW;
}

static inline int32_t mr__coef_lo(int32_t k)
{
    return k - mr__coef_hi(k) * (1 << MR_COEF_LOW);
}

/* One axis of a struct mr_geometry. */
struct mr_axis_spec {
    int32_t box, box_n; /* what of the input is used: position and size */
    double low, high;   /* what it has too much at its ends, 0 <= x < 1 */
    int32_t to;         /* what it is resampled to; = box_n: nothing is resampled */
    int32_t win, win_n; /* what of that is made */
    enum mr_filter filter;
    bool antialias, flip;
};

/* What the loops over an axis's outputs go by: output i is output x + i * dx of the whole. */
struct mr_axis_line {
    double low, step;          /* its centre in the input is low + (x + i * dx + 0.5) * step */
    double support, per_pixel; /* of the filter, in input pixels; 1 / its width */
    int32_t size, base;        /* of the input; what is taken off a start */
    int32_t n, x, dx;
};

/* axis_loops.h, compiled with some instructions. heads: start and used for antialiased filters, and
 * the largest used. few: bilinear weights, `taps` (2, 4, 6, 8) for each output. */
struct mr_axis_loops {
    int32_t (*heads)(const struct mr_axis_line *line, int32_t *start, int32_t *used);
    void (*few)(const struct mr_axis_line *line, const int32_t *start, const int32_t *used,
                int32_t taps, int32_t *k);
};

enum mr_axis_kind {
    MR_AXIS_COPY, /* output i is input i */
    MR_AXIS_TURN, /* output i is input n - 1 - i */
    MR_AXIS_PICK, /* output i is input start[i] */
    MR_AXIS_TAPS, /* output i is the sum of k[i][j] * input[start[i] + j] */
};

struct mr_axis {
    enum mr_axis_kind kind;
    int32_t n;            /* outputs */
    int32_t first, count; /* the input positions used, in the stage's input */
    int32_t taps;         /* coefficients per output, even; zeros behind used[i] */
    int32_t reach;        /* the largest start[i] + taps */
    int32_t max_used;
    int32_t *start; /* [n], relative to `first` */
    int32_t *used;  /* [n] coefficients that count, at least 1 */
    int32_t *k;     /* [n][taps], for 8-bit pixels: fractions of MR_COEF_BITS bits, |k| < 2 */
    float *wide;    /* [n][taps], for 16-bit pixels */
    struct mr_scratch heads, cells, weights;
    const struct mr_axis_loops *loops; /* set before mr__axis_make; NULL: in plain C */
    /* What a version of the kernels has made of k for itself, and in which of its ways. */
    struct mr_scratch packed;
    int packing;
};

/* Whether an axis has weights: it is resampled, and not to the nearest. */
bool mr__axis_weighs(const struct mr_axis_spec *spec);
/* The input positions that an axis depends on. */
void mr__axis_span(const struct mr_axis_spec *spec, int32_t *first, int32_t *count);
/* Fills the tables; start and used exist for all kinds. wide: 16-bit pixels. MR_E_MEMORY. */
int mr__axis_make(struct mr_axis *axis, const struct mr_axis_spec *spec, bool wide,
                  struct mr_errbuf *e);
void mr__axis_free(struct mr_axis *axis);

#endif
