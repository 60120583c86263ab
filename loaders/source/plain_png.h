/* SPDX-License-Identifier: Apache-2.0
 *
 * plain_png.h: an image as a PNG file that is not compressed: made in the time that copying takes.
 */
#ifndef MR_SOURCE_PLAIN_PNG_H
#define MR_SOURCE_PLAIN_PNG_H

#include <stddef.h>
#include <stdint.h>

#define MR_PLAIN_PNG_SIDE 16384 /* at most: a row is one stored block, which has a 16-bit length \
                                 */

/* Makes row y of an image: `rgb` gets 3 bytes per pixel. */
typedef void mr_plain_png_row(const void *ctx, uint32_t y, uint8_t *rgb);

/* Bytes of the file; w and h from 1 to MR_PLAIN_PNG_SIDE. */
size_t mr__plain_png_bytes(uint32_t w, uint32_t h);
/* Writes the file of a w x h image of 8-bit RGB, of mr__plain_png_bytes(w, h) bytes, to `to`. */
void mr__plain_png_write(uint8_t *to, uint32_t w, uint32_t h, mr_plain_png_row *row,
                         const void *ctx);

#endif
