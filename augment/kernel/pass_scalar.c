/* SPDX-License-Identifier: Apache-2.0
 *
 * The specification of the passes over 8-bit pixels.
 */
#include "augment/kernel/passes.h"

#include <string.h>

static uint8_t clip8(int32_t sum, int shift)
{
    int32_t v = sum >> shift;

    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

static void across_row(const struct mr_axis *axis, int c, const uint8_t *src, uint8_t *out)
{
    for (int32_t i = 0; i < axis->n; i++) {
        const int16_t *k = axis->k + (size_t)i * (size_t)axis->taps;
        const uint8_t *p = src + (size_t)axis->start[i] * (size_t)c;
        for (int ch = 0; ch < c; ch++) {
            int32_t sum = 1 << (axis->shift - 1);
            for (int32_t j = 0; j < axis->used[i]; j++)
                sum += k[j] * p[j * c + ch];
            *out++ = clip8(sum, axis->shift);
        }
    }
}

static void across(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                   uint8_t *const out[MR_BAND])
{
    for (int row = 0; row < MR_BAND; row++) {
        if (row == 0 || out[row] != out[row - 1])
            across_row(axis, c, src[row], out[row]);
    }
}

#define BLOCK 256

static void down(const uint8_t *const *rows, const int16_t *k, int taps, int shift, int n,
                 uint8_t *out)
{
    int32_t sum[BLOCK];

    for (int at = 0; at < n; at += BLOCK) {
        int m = n - at < BLOCK ? n - at : BLOCK;
        for (int i = 0; i < m; i++)
            sum[i] = 1 << (shift - 1);
        for (int j = 0; j < taps; j++) {
            const uint8_t *row = rows[j] + at;
            for (int i = 0; i < m; i++)
                sum[i] += k[j] * row[i];
        }
        for (int i = 0; i < m; i++)
            out[at + i] = clip8(sum[i], shift);
    }
}

void mr__pick(const struct mr_axis *axis, size_t size, const void *src, void *out)
{
    const uint8_t *from = src;
    uint8_t *to = out;

    if (axis->kind == MR_AXIS_COPY) {
        memcpy(to, from, (size_t)axis->n * size);
        return;
    }
    for (int32_t i = 0; i < axis->n; i++, to += size)
        memcpy(to, from + (size_t)axis->start[i] * size, size);
}

static bool always(void)
{
    return true;
}

static mr_put_row *no_put(const struct mr_put *put)
{
    (void)put;
    return NULL;
}

const struct mr_kernel mr__kernel_scalar = {"scalar", always, across, down, no_put};
