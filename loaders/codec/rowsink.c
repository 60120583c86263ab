/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/rowsink.h"

#include "loaders/codec/orient.h"

#include <stdlib.h>

enum { STRIP_ROWS = 16 }; /* 16 x 3 bytes: most of a cache line is written at once when axes swap */

static size_t row_bytes(const struct mr_rowsink *s)
{
    return (size_t)s->w * (size_t)s->dst->c * (size_t)(s->dst->bits / 8);
}

int mr__rowsink_begin(struct mr_rowsink *s, const struct mr_view *dst, const struct mr_pixels *from,
                      int32_t orientation, int32_t w, int32_t h, struct mr_errbuf *e)
{
    s->dst = dst;
    s->from = *from;
    s->orientation = orientation;
    s->w = w;
    s->h = h;
    s->taken = s->waiting = 0;
    if (orientation == 1)
        return MR_OK;
    size_t need = row_bytes(s) * STRIP_ROWS;
    if (need <= s->strip_bytes)
        return MR_OK;
    free(s->strip);
    s->strip = malloc(need);
    s->strip_bytes = s->strip ? need : 0;
    if (!s->strip)
        return mr__fail(e, MR_E_MEMORY, "no memory for %zu bytes of rows to be turned", need);
    return MR_OK;
}

void mr__rowsink_put(struct mr_rowsink *s, const void *row)
{
    const struct mr_view *dst = s->dst;
    if (s->taken == s->h)
        return;
    if (s->orientation == 1) {
        uint8_t *to = (uint8_t *)dst->data + dst->stride * s->taken++;
        mr__pixels_convert(&s->from, row, dst->c, dst->bits, to, s->w);
        return;
    }
    size_t bytes = row_bytes(s);
    uint8_t *to = s->strip + bytes * (size_t)s->waiting++;
    mr__pixels_convert(&s->from, row, dst->c, dst->bits, to, s->w);
    s->taken++;
    if (s->waiting < STRIP_ROWS && s->taken < s->h)
        return;
    mr__orient_rows(s->orientation, s->strip, (int64_t)bytes, s->taken - s->waiting, s->waiting,
                    dst);
    s->waiting = 0;
}
