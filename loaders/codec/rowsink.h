/* SPDX-License-Identifier: Apache-2.0
 *
 * rowsink.h: where decoders put their rows: one stored row after the other is converted and turned,
 * and written into the view that was asked for or handed on.
 */
#ifndef MR_CODEC_ROWSINK_H
#define MR_CODEC_ROWSINK_H

#include "base/descriptor.h"
#include "loaders/codec/pixels.h"

/* Zero it before the first use; the strip is kept from image to image: free(strip) to end. */
struct mr_rowsink {
    struct mr_view view;           /* the target, if `to` is NULL */
    const struct mr_row_taker *to; /* the target */
    int32_t c, bits;               /* what the target wants */
    int32_t orientation;
    struct mr_pixels from;
    bool same;        /* nothing is to be converted */
    int32_t w, h;     /* the stored rectangle */
    int32_t taken;    /* rows so far */
    int32_t waiting;  /* of these, rows in the strip */
    uint8_t *strip;   /* rows to be turned or handed on */
    size_t strip_bytes;
};

/* Names the target: a view, or a taker of rows of c channels of `bits` bits (which needs
 * orientation 1). Both stay the caller's. */
void mr__rowsink_to_view(struct mr_rowsink *s, const struct mr_view *view, int32_t orientation);
void mr__rowsink_to_taker(struct mr_rowsink *s, const struct mr_row_taker *to, int32_t c,
                          int32_t bits);

/* Begins the image, or begins it again: w x h stored pixels of format `from` will come.
 * MR_E_MEMORY, or what the taker says. */
int mr__rowsink_begin(struct mr_rowsink *s, const struct mr_pixels *from, int32_t w, int32_t h,
                      struct mr_errbuf *e);

/* Takes the next n stored rows of s->w pixels, `stride` bytes apart; what comes after the last is
 * ignored. */
void mr__rowsink_put(struct mr_rowsink *s, const void *rows, int64_t stride, int32_t n);

#endif
