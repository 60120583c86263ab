/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes over 16-bit pixels. They are rare, so there is only this version; float32 between
 * the passes keeps the result within half a step of the exact one.
 */
#include "augment/kernel/passes.h"

#include <math.h>

void mr__across16(const struct mr_axis *axis, int c, const uint16_t *src, float *out)
{
    bool taps = axis->kind == MR_AXIS_TAPS; /* else there are no weights */

    for (int32_t i = 0; i < axis->n; i++) {
        const uint16_t *p = src + (size_t)axis->start[i] * (size_t)c;
        const float *k = taps ? axis->wide + (size_t)i * (size_t)axis->taps : NULL;
        for (int ch = 0; ch < c; ch++) {
            double sum = taps ? 0.0 : p[ch];
            for (int32_t j = 0; taps && j < axis->used[i]; j++)
                sum += (double)k[j] * p[(size_t)j * (size_t)c + (size_t)ch];
            *out++ = (float)sum;
        }
    }
}

void mr__down16(const float *const *rows, const float *k, int taps, int n, uint16_t *out)
{
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < taps; j++)
            sum += (double)k[j] * (double)rows[j][i];
        long v = lrint(sum);
        out[i] = (uint16_t)(v < 0 ? 0 : v > UINT16_MAX ? UINT16_MAX : v);
    }
}
