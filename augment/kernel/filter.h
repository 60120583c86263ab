/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.h: the resampling filters as functions of the distance from the output pixel's centre,
 * in input pixels (or in output pixels when shrinking with antialias). The same functions as in
 * Pillow's Resample.c.
 */
#ifndef MR_KERNEL_FILTER_H
#define MR_KERNEL_FILTER_H

#include "base/image.h"

#include <math.h>

struct mr_filter_shape {
    double (*at)(double distance); /* not normalised; NULL: nearest, which has no weights */
    double support;                /* at() is 0 beyond it */
};

/* The shape of a filter; never NULL. `antialias` false gives bicubic the parameter of torch's
 * interpolate (a = -0.75); with it, all are Pillow's (bicubic: a = -0.5; R. Keys, "Cubic
 * convolution interpolation for digital image processing", 1981). A value that is no filter
 * counts as nearest. */
const struct mr_filter_shape *mr__filter_shape(enum mr_filter filter, bool antialias);

/* at() of bilinear, which is needed often enough to be inlined. */
static inline double mr__filter_triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

#endif
