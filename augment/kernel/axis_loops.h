/* SPDX-License-Identifier: Apache-2.0
 *
 * axis_loops.h: the loops that fill an axis's tables for bilinear, written so that a compiler makes
 * vectors of them, for the versions to compile with their own instructions. Operations are rounded
 * one by one (-ffp-contract=off), so that all get the same weights.
 */
#ifndef MR_KERNEL_AXIS_LOOPS_H
#define MR_KERNEL_AXIS_LOOPS_H

#include "augment/kernel/axis.h"
#include "augment/kernel/filter.h"

#define MR_AXIS_INLINE static inline __attribute__((always_inline))
#define MR_AXIS_FEW 8   /* weights that have a loop of their own */
#define MR_AXIS_ONCE 64 /* outputs at a time */

MR_AXIS_INLINE double mr__axis_within(double v, double max)
{
    v = v > 0 ? v : 0;
    return v < max ? v : max;
}

MR_AXIS_INLINE int32_t mr__axis_heads(const struct mr_axis_line *line, int32_t *restrict start,
                                      int32_t *restrict used)
{
    const struct mr_axis_line l = *line;
    double size = l.size;
    int32_t most = 1;

    for (int32_t i = 0; i < l.n; i++) {
        double centre = l.low + (l.x + i * l.dx + 0.5) * l.step;
        int32_t a = (int32_t)mr__axis_within(centre - l.support + 0.5, size - 1);
        int32_t n = (int32_t)mr__axis_within(centre + l.support + 0.5, size) - a;
        n = n > 1 ? n : 1;
        start[i] = a - l.base;
        used[i] = n;
        most = n > most ? n : most;
    }
    return most;
}

/* Weights of outputs i to i + m - 1, `taps` of each, a constant; they are in [0, 1]. Without a
 * branch: how many of them count changes from output to output, so that nobody could guess it. */
MR_AXIS_INLINE void mr__axis_some(const struct mr_axis_line *line, const int32_t *start,
                                  const int32_t *used, int32_t first, int32_t m, int32_t taps,
                                  int32_t *restrict k)
{
    const struct mr_axis_line l = *line;
    double w[MR_AXIS_FEW][MR_AXIS_ONCE], sum[MR_AXIS_ONCE];
    int32_t fixed[MR_AXIS_FEW][MR_AXIS_ONCE];

    for (int32_t i = 0; i < m; i++)
        sum[i] = 0;
    for (int32_t j = 0; j < taps; j++) {
        for (int32_t i = 0; i < m; i++) {
            double centre = l.low + (l.x + (first + i) * l.dx + 0.5) * l.step;
            double at = start[i] + (l.base + j) - centre + 0.5;
            double v = mr__filter_triangle(at * l.per_pixel);
            w[j][i] = j < used[i] ? v : 0.0;
            sum[i] += w[j][i];
        }
    }
    for (int32_t i = 0; i < m; i++) {
        w[0][i] = sum[i] == 0.0 ? 1.0 : w[0][i];
        sum[i] = 1.0 / (sum[i] == 0.0 ? 1.0 : sum[i]);
    }
    for (int32_t j = 0; j < taps; j++)
        for (int32_t i = 0; i < m; i++)
            fixed[j][i] = (int32_t)(w[j][i] * sum[i] * (1 << MR_COEF_BITS) + 0.5);
    for (int32_t i = 0; i < m; i++)
        for (int32_t j = 0; j < taps; j++)
            k[i * taps + j] = fixed[j][i];
}

MR_AXIS_INLINE void mr__axis_few(const struct mr_axis_line *line, const int32_t *start,
                                 const int32_t *used, int32_t taps, int32_t *k)
{
    for (int32_t i = 0; i < line->n; i += MR_AXIS_ONCE) {
        int32_t m = line->n - i < MR_AXIS_ONCE ? line->n - i : MR_AXIS_ONCE;
        int32_t *to = k + (size_t)i * (size_t)taps;
        if (taps == 2)
            mr__axis_some(line, start + i, used + i, i, m, 2, to);
        else if (taps == 4)
            mr__axis_some(line, start + i, used + i, i, m, 4, to);
        else if (taps == 6)
            mr__axis_some(line, start + i, used + i, i, m, 6, to);
        else
            mr__axis_some(line, start + i, used + i, i, m, MR_AXIS_FEW, to);
    }
}

#endif
