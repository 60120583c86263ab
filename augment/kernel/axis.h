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
#define MR_COEF_LOW 16  /* of these are in `lo` */

/* The weights of two neighbouring inputs, each hi * 2^MR_COEF_LOW + lo, so that multiplications of
 * 16 bits do: sums of hi and of lo are taken by themselves and put together in the end. hi is 8
 * bits, |hi[0]| + |hi[1]| at most 128 (a pair of weights is well below 2), and a sum of hi is
 * wanted modulo 2^16 only. */
struct mr_coefs {
    int16_t hi[2], lo[2];
    int8_t twice[4]; /* hi[0], hi[1], hi[0], hi[1] */
};

/* One axis of a struct mr_geometry. */
struct mr_axis_spec {
    int32_t box, box_n; /* what of the input is used: position and size */
    int32_t to;         /* what it is resampled to; = box_n: nothing is resampled */
    int32_t win, win_n; /* what of that is made */
    enum mr_filter filter;
    bool antialias, flip;
};

enum mr_axis_kind {
    MR_AXIS_COPY, /* output i is input i */
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
    int32_t *start;     /* [n], relative to `first` */
    int32_t *used;      /* [n] coefficients that count, at least 1 */
    struct mr_coefs *k; /* [n][taps / 2], for 8-bit pixels */
    float *wide;        /* [n][taps], for 16-bit pixels */
    struct mr_scratch heads, cells, weights;
};

/* The input positions that an axis depends on. */
void mr__axis_span(const struct mr_axis_spec *spec, int32_t *first, int32_t *count);
/* Fills the tables; start and used exist for all kinds. wide: 16-bit pixels. MR_E_MEMORY. */
int mr__axis_make(struct mr_axis *axis, const struct mr_axis_spec *spec, bool wide,
                  struct mr_errbuf *e);
void mr__axis_free(struct mr_axis *axis);

#endif
