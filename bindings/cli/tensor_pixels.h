/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor_pixels.h: an image of a batch, whatever its dtype and layout, as 8-bit RGB for the eye.
 */
#ifndef MR_CLI_TENSOR_PIXELS_H
#define MR_CLI_TENSOR_PIXELS_H

#include "millrace/types.h"

#include <stdbool.h>

struct image_shape {
    int64_t rows, h, w, c;
    int64_t row_stride, y_stride, x_stride, c_stride; /* bytes */
};

/* Whether the tensor can be shown: [rows, c, h, w], [rows, h, w, c] with c = 1, 3 or 4, or [rows,
 * h, w]. */
bool tensor_image_shape(const mr_tensor *t, struct image_shape *shape);

/* One element as a number; `at` points to it. */
double tensor_number(mr_dtype dtype, const void *at);

/* How numbers become 0 .. 255: shown = (number - lo) * scale. */
struct tensor_range {
    double lo, scale;
};
/* u8 and u16 have their own range; of other types an image that lies within 0 .. 1 or 0 .. 255 is
 * taken to be meant so, and any other (a normalised one) is stretched from its own least to its own
 * greatest number. */
struct tensor_range tensor_image_range(const mr_tensor *t, const struct image_shape *s,
                                       int64_t row);
/* The mean of the block of step x step elements at (x, y), cut at the image's edge, as RGB. Gray
 * gives three equal bytes, a fourth channel is left out. */
void tensor_pixel(const mr_tensor *t, const struct image_shape *s, int64_t row, int64_t x,
                  int64_t y, int64_t step, const struct tensor_range *range, uint8_t rgb[3]);

#endif
