/* SPDX-License-Identifier: Apache-2.0
 *
 * rowsink.h: where decoders put their rows: one stored row after the other is converted, turned and
 * written into the view that was asked for.
 */
#ifndef MR_CODEC_ROWSINK_H
#define MR_CODEC_ROWSINK_H

#include "base/error.h"
#include "loaders/codec/pixels.h"

struct mr_rowsink {
    const struct mr_view *dst;
    struct mr_pixels from;
    int32_t orientation;
    int32_t w, h;         /* the stored rectangle */
    int32_t taken;        /* rows so far */
    int32_t waiting;      /* of these, rows in the strip */
    uint8_t *strip;       /* kept between images: free(strip) to end */
    size_t strip_bytes;   /* its size */
};

/* Begins an image: w x h stored pixels of format `from` will come. Zero the struct before the
 * first use; memory for a strip of rows is kept from image to image. MR_E_MEMORY. */
int mr__rowsink_begin(struct mr_rowsink *s, const struct mr_view *dst, const struct mr_pixels *from,
                      int32_t orientation, int32_t w, int32_t h, struct mr_errbuf *e);

/* Takes the next stored row of s->w pixels. Not more than s->h of them. */
void mr__rowsink_put(struct mr_rowsink *s, const void *row);

#endif
