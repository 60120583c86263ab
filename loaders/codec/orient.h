/* SPDX-License-Identifier: Apache-2.0
 *
 * orient.h: the eight EXIF orientations as one table: swap the axes, then mirror them.
 */
#ifndef MR_CODEC_ORIENT_H
#define MR_CODEC_ORIENT_H

#include "base/image.h"

/* Displayed (x, y) is stored (x, y), or (y, x) with `swap`; then counted from the right (flip_x)
 * or the bottom (flip_y) of the stored image. */
struct mr_turn {
    bool swap, flip_x, flip_y;
};

/* orientation 1 .. 8 as in EXIF; anything else is 1. */
struct mr_turn mr__orient_turn(int32_t orientation);

/* The stored rectangle of a displayed one; stored_w, stored_h: size of the whole stored image. */
struct mr_rect mr__orient_stored(int32_t orientation, const struct mr_rect *shown,
                                 int32_t stored_w, int32_t stored_h);

/* Puts `n` stored rows (`first` = number of the first one, counted in the stored rectangle)
 * where they are displayed in dst. Rows lie `stride` bytes apart and have dst's channels and
 * bits; their width is dst->w, or dst->h when the axes are swapped. */
void mr__orient_rows(int32_t orientation, const uint8_t *rows, int64_t stride, int32_t first,
                     int32_t n, const struct mr_view *dst);

#endif
