/* SPDX-License-Identifier: Apache-2.0
 *
 * crop_decode.h: a rectangle of a JPEG in memory to RGB with the bare libjpeg-turbo: the columns by
 * jpeg_crop_scanline, the rows above by one jpeg_skip_scanlines, the rows below not at all. The
 * pixels are those of the full decode. A file that cannot be decoded ends the program.
 */
#ifndef BENCH_CROP_DECODE_H
#define BENCH_CROP_DECODE_H

#include "base/image.h"

struct crop_decoder;

/* NULL when memory is out. */
struct crop_decoder *crop_decoder_open(void);
void crop_decoder_close(struct crop_decoder *d);

/* Begins an image; its size. */
void crop_start(struct crop_decoder *d, const unsigned char *data, size_t bytes, int *w, int *h);
/* Goes to the first row of `need`. Rows then have the columns of *at, which has a few more. */
void crop_go(struct crop_decoder *d, const struct mr_rect *need, struct mr_rect *at);
/* The next n rows. */
void crop_rows(struct crop_decoder *d, uint8_t *to, size_t stride, int n);
/* Leaves the image. */
void crop_stop(struct crop_decoder *d);

#endif
