/* SPDX-License-Identifier: Apache-2.0
 *
 * color.h: what color_jitter does to 8-bit pixels, in place, as Pillow's ImageEnhance and
 * torchvision's adjust_hue do it on PIL images: the same rounding, bit by bit. Images of 1, 3 or 4
 * channels; a fourth channel (alpha) stays.
 */
#ifndef MR_AUGMENT_COLOR_H
#define MR_AUGMENT_COLOR_H

#include "base/image.h"

/* factor 0: black; 1: as it is; above: brighter. */
void mr__color_brightness(const struct mr_view *image, double factor);
/* factor 0: the image's mean gray; 1: as it is. */
void mr__color_contrast(const struct mr_view *image, double factor);
/* factor 0: gray; 1: as it is. A gray image stays as it is. */
void mr__color_saturation(const struct mr_view *image, double factor);
/* shift: -0.5 .. 0.5 of the way around the colour circle. A gray image stays as it is. */
void mr__color_hue(const struct mr_view *image, double shift);

#endif
