/* SPDX-License-Identifier: Apache-2.0
 *
 * warp_points.h: the points of a block, for the versions to compile with their own instructions.
 * Operations are rounded one by one (-ffp-contract=off), so that all get the same.
 */
#ifndef MR_KERNEL_WARP_POINTS_H
#define MR_KERNEL_WARP_POINTS_H

#include "augment/kernel/warp.h"

#define MR_WARP_INLINE static inline __attribute__((always_inline))

/* A coordinate in fixed point, rounded down; -1 and `size` stand for all that is outside, and for
 * what is no number. */
MR_WARP_INLINE int32_t mr__warp_fixed(double at, double size)
{
    const double one = 1 << MR_WARP_BITS;

    at = at > -1 ? at : -1;
    at = at < size ? at : size;
    return (int32_t)((at + 1) * one) - (1 << MR_WARP_BITS);
}

MR_WARP_INLINE void mr__warp_points(const struct mr_warp_line *line, const struct mr_view *src,
                                    int32_t x, int32_t *restrict u, int32_t *restrict v)
{
    const struct mr_warp_line l = *line;
    const double w = src->w, h = src->h;

    for (int i = 0; i < MR_WARP_BLOCK && l.affine; i++) {
        double at = x + i + 0.5;
        u[i] = mr__warp_fixed(l.u0 + l.du * at, w);
        v[i] = mr__warp_fixed(l.v0 + l.dv * at, h);
    }
    for (int i = 0; i < MR_WARP_BLOCK && !l.affine; i++) {
        double at = x + i + 0.5, d = l.d0 + l.dd * at;
        u[i] = mr__warp_fixed((l.u0 + l.du * at) / d, w);
        v[i] = mr__warp_fixed((l.v0 + l.dv * at) / d, h);
    }
}

#endif
