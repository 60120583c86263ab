/* SPDX-License-Identifier: Apache-2.0
 *
 * The specification of the passes over 8-bit pixels.
 */
#include "augment/kernel/passes.h"
#include "augment/kernel/turn.h"

#include <string.h>

#define ROUND (1u << (MR_COEF_BITS - 1))

/* Of a sum modulo 2^32; the whole sum fits, whatever its parts do. */
static uint8_t clip8(uint32_t sum)
{
    int32_t v = (int32_t)sum >> MR_COEF_BITS;

    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Inlined once for every number of channels, which then is a constant. */
static inline __attribute__((always_inline)) void across_channels(const struct mr_axis *axis, int c,
                                                                  const uint8_t *src, uint8_t *out)
{
    const int32_t *k = axis->k;

    for (int32_t i = 0; i < axis->n; i++, k += axis->taps) {
        const uint8_t *p = src + (size_t)axis->start[i] * (size_t)c;
        uint32_t sum[4], n = (uint32_t)axis->used[i];
        for (int ch = 0; ch < c; ch++)
            sum[ch] = ROUND;
        for (uint32_t j = 0; j < n; j++, p += c) {
            uint32_t w = (uint32_t)k[j];
            for (int ch = 0; ch < c; ch++)
                sum[ch] += w * p[ch];
        }
        for (int ch = 0; ch < c; ch++)
            *out++ = clip8(sum[ch]);
    }
}

static void across_row(const struct mr_axis *axis, int c, const uint8_t *src, uint8_t *out)
{
    if (c == 1)
        across_channels(axis, 1, src, out);
    else if (c == 3)
        across_channels(axis, 3, src, out);
    else
        across_channels(axis, 4, src, out);
}

static void across(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                   uint8_t *const out[MR_BAND])
{
    for (int row = 0; row < MR_BAND; row++) {
        if (row == 0 || out[row] != out[row - 1])
            across_row(axis, c, src[row], out[row]);
    }
}

enum { BLOCK = 64 }; /* bytes at a time, constant for the vectoriser; the last go to the slack */

/* Two sums of 16-bit products: without SSE4 there is no multiplication of 32 bits. */
static void down(const struct mr_axis *axis, int32_t y, const uint8_t *const *rows, int n,
                 uint8_t *out)
{
    const int32_t *k = axis->k + (size_t)y * (size_t)axis->taps;

    for (int at = 0; at < n; at += BLOCK) {
        uint32_t hi[BLOCK] = {0}, lo[BLOCK];
        for (int i = 0; i < BLOCK; i++)
            lo[i] = ROUND;
        for (int j = 0; j < axis->used[y]; j++) {
            const uint8_t *row = rows[j] + at;
            int16_t khi = (int16_t)mr__coef_hi(k[j]), klo = (int16_t)mr__coef_lo(k[j]);
            for (int i = 0; i < BLOCK; i++)
                hi[i] += (uint32_t)(khi * (int16_t)row[i]);
            for (int i = 0; i < BLOCK; i++)
                lo[i] += (uint32_t)(klo * (int16_t)row[i]);
        }
        for (int i = 0; i < BLOCK; i++)
            out[at + i] = clip8((hi[i] << MR_COEF_LOW) + lo[i]);
    }
}

static inline __attribute__((always_inline)) void pick(const struct mr_axis *axis, size_t size,
                                                       const uint8_t *src, uint8_t *out)
{
    for (int32_t i = 0; i < axis->n; i++, out += size)
        memcpy(out, src + (size_t)axis->start[i] * size, size);
}

void mr__pick(const struct mr_axis *axis, int c, const uint8_t *src, uint8_t *out)
{
    if (c == 1)
        pick(axis, 1, src, out);
    else if (c == 3)
        pick(axis, 3, src, out);
    else
        pick(axis, 4, src, out);
}

static mr_put_row *no_put(const struct mr_put *put)
{
    (void)put;
    return NULL;
}

const struct mr_kernel mr__kernel_scalar = {
    .name = "scalar",
    .level = MR_CPU_SCALAR,
    .across = across,
    .down = down,
    .turn = mr__turn_plain,
    .put = no_put,
};
