/* SPDX-License-Identifier: Apache-2.0
 *
 * The specification of the store: scale and bias in float32 by one fused multiply-add, then the
 * conversion. An 8-bit value can become only 256 things per channel, so these are made once, by
 * the code for 16-bit values.
 */
#include "augment/kernel/convert.h"
#include "augment/kernel/passes.h"

#include <math.h>
#include <string.h>

static float stored(const struct mr_put *put, int channel, float value)
{
    return fmaf(value, put->scale[channel], put->bias[channel]);
}

void mr__put_table(const struct mr_put *put, void *table)
{
    char *to = table;

    for (int ch = 0; ch < put->c; ch++) {
        for (int v = 0; v < 256; v++, to += put->size)
            mr__convert(put->dtype, stored(put, ch, (float)v), to);
    }
}

void mr__put16(const struct mr_put *put, const void *pixels, void *to)
{
    const uint16_t *p = pixels;

    for (int32_t i = 0; i < put->n; i++) {
        char *pixel = (char *)to + i * put->pixel;
        for (int ch = 0; ch < put->c; ch++)
            mr__convert(put->dtype, stored(put, ch, *p++), pixel + ch * put->channel);
    }
}

void mr__put_same(const struct mr_put *put, const void *pixels, void *to)
{
    size_t n = (size_t)put->n * (size_t)put->pixel;

    for (size_t i = 0; i < n; i += 64) /* two rows on: batches are in no cache */
        __builtin_prefetch((const char *)to + 2 * n + i, 1);
    memcpy(to, pixels, n);
}

/* The elements of one channel are `step` elements apart. */
#define PUT_CHANNELS(name, type)                                             \
    static void name(const struct mr_put *put, const void *pixels, void *to) \
    {                                                                        \
        ptrdiff_t step = put->pixel / (ptrdiff_t)sizeof(type);               \
        for (int ch = 0; ch < put->c; ch++) {                                \
            const type *table = (const type *)put->table + 256 * ch;         \
            const uint8_t *p = (const uint8_t *)pixels + ch;                 \
            type *out = (type *)((char *)to + ch * put->channel);            \
            for (int32_t i = 0; i < put->n; i++)                             \
                out[i * step] = table[p[i * put->c]];                        \
        }                                                                    \
    }
PUT_CHANNELS(put_1, uint8_t)
PUT_CHANNELS(put_2, uint16_t)
PUT_CHANNELS(put_4, uint32_t)
PUT_CHANNELS(put_8, uint64_t)

mr_put_row *mr__put8(const struct mr_put *put)
{
    static mr_put_row *const by_size[] = {[1] = put_1, [2] = put_2, [4] = put_4, [8] = put_8};

    return by_size[put->size];
}
