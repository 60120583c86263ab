/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/filter.h"

#include <math.h>

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double sinc(double x)
{
    x *= M_PI;
    return x == 0.0 ? 1.0 : sin(x) / x;
}

static double hamming(double x) /* float constants, as Pillow's: the weights' last bits show it */
{
    return fabs(x) < 1.0 ? sinc(x) * ((double)0.54f + (double)0.46f * cos(M_PI * x)) : 0.0;
}

static double keys(double x, double a)
{
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

static double cubic_pillow(double x)
{
    return keys(x, -0.5);
}

static double cubic_torch(double x)
{
    return keys(x, -0.75);
}

static double lanczos3(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

static const struct mr_filter_shape shapes[] = {
    [MR_NEAREST] = {NULL, 0.5},
    [MR_BOX] = {box, 0.5},
    [MR_BILINEAR] = {mr__filter_triangle, 1.0},
    [MR_HAMMING] = {hamming, 1.0},
    [MR_BICUBIC] = {cubic_pillow, 2.0},
    [MR_LANCZOS] = {lanczos3, 3.0},
};

const struct mr_filter_shape *mr__filter_shape(enum mr_filter filter, bool antialias)
{
    static const struct mr_filter_shape torch_cubic = {cubic_torch, 2.0};

    if (filter == MR_BICUBIC && !antialias)
        return &torch_cubic;
    return &shapes[(unsigned)filter <= MR_LANCZOS ? filter : MR_NEAREST];
}
