/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/rowsink.h"

#include "loaders/codec/orient.h"

#include <stdlib.h>

enum {
    STRIP_ROWS = 16, /* 16 x 3 bytes: most of a cache line is written at once when axes swap */
    FEW_ROWS = 4,    /* fewer are gathered for who takes any number */
};

static size_t row_bytes(const struct mr_rowsink *s)
{
    return (size_t)s->w * (size_t)s->c * (size_t)(s->bits / 8);
}

void mr__rowsink_to_view(struct mr_rowsink *s, const struct mr_view *view, int32_t orientation)
{
    s->to = NULL;
    s->view = *view;
    s->c = view->c;
    s->bits = view->bits;
    s->orientation = orientation;
}

void mr__rowsink_to_taker(struct mr_rowsink *s, const struct mr_row_taker *to, int32_t c,
                          int32_t bits)
{
    s->to = to;
    s->c = c;
    s->bits = bits;
    s->orientation = 1;
}

/* Rows to be turned wait in the strip; so do those handed on that come one by one or are converted.
 * A reader may look some bytes beyond the last. */
static int make_strip(struct mr_rowsink *s, struct mr_errbuf *e)
{
    enum { SLACK = 64 };
    if (!s->to && s->orientation == 1)
        return MR_OK;
    size_t need = row_bytes(s) * STRIP_ROWS + SLACK;
    if (need <= s->strip_bytes)
        return MR_OK;
    free(s->strip);
    s->strip = malloc(need);
    s->strip_bytes = s->strip ? need : 0;
    return s->strip ? MR_OK : mr__fail(e, MR_E_MEMORY, "no memory for %zu bytes of rows", need);
}

int mr__rowsink_begin(struct mr_rowsink *s, const struct mr_pixels *from, int32_t w, int32_t h,
                      struct mr_errbuf *e)
{
    s->from = *from;
    s->same = mr__pixels_same(from, s->c, s->bits);
    s->w = w;
    s->h = h;
    s->taken = s->waiting = 0;
    int rc = make_strip(s, e);
    return rc == MR_OK && s->to ? s->to->begin(s->to->ctx, e) : rc;
}

static void empty_strip(struct mr_rowsink *s)
{
    int64_t bytes = (int64_t)row_bytes(s);
    if (s->to)
        s->to->rows(s->to->ctx, s->strip, bytes, s->waiting);
    else
        mr__orient_rows(s->orientation, s->strip, bytes, s->taken - s->waiting, s->waiting,
                        &s->view);
    s->waiting = 0;
}

static void put_row(struct mr_rowsink *s, const void *row)
{
    if (!s->to && s->orientation == 1) {
        uint8_t *to = (uint8_t *)s->view.data + s->view.stride * s->taken++;
        mr__pixels_convert(&s->from, row, s->c, s->bits, to, s->w);
        return;
    }
    uint8_t *to = s->strip + row_bytes(s) * (size_t)s->waiting++;
    mr__pixels_convert(&s->from, row, s->c, s->bits, to, s->w);
    s->taken++;
    if (s->waiting == STRIP_ROWS || s->taken == s->h)
        empty_strip(s);
}

void mr__rowsink_put(struct mr_rowsink *s, const void *rows, int64_t stride, int32_t n)
{
    if (n > s->h - s->taken)
        n = s->h - s->taken;
    if (s->to && s->same && s->waiting == 0 && (n >= FEW_ROWS || s->to->most > 0)) {
        s->to->rows(s->to->ctx, rows, stride, n);
        s->taken += n;
        return;
    }
    for (int32_t i = 0; i < n; i++)
        put_row(s, (const uint8_t *)rows + i * stride);
}
