/* SPDX-License-Identifier: Apache-2.0
 *
 * geometry.h: how consecutive geometry ops become one resampling stage (struct mr_geometry in
 * base/image.h), and what a stage does to boxes and masks. A rule folds only what gives the same
 * pixels as op after op; what it cannot fold it answers with g->closed = true and leaves the rest
 * of `g` as it was.
 *
 * Coordinates given to a rule are those of the output so far (out_w x out_h), whatever was folded
 * before.
 */
#ifndef MR_AUGMENT_GEOMETRY_H
#define MR_AUGMENT_GEOMETRY_H

#include "base/image.h"

/* The identity on a w x h image. */
void mr__geometry_begin(struct mr_geometry *g, int32_t w, int32_t h);

/* Cuts `rect` (w, h >= 1) out of the output. What lies beyond the output is 0, as in Pillow's
 * crop(). Closed: it reaches beyond an output that has a border of another colour. */
void mr__geometry_crop(struct mr_geometry *g, const struct mr_rect *rect);

/* Resizes the output to w x h (>= 1). The same size is no resampling at all, as in Pillow. Closed:
 * it was resized, flipped or padded before (a flip first rounds ties of nearest and box to the
 * other side). */
void mr__geometry_resize(struct mr_geometry *g, int32_t w, int32_t h, enum mr_filter filter,
                         bool antialias);

/* Mirrors the output left to right, or top to bottom. Never closed. */
void mr__geometry_hflip(struct mr_geometry *g);
void mr__geometry_vflip(struct mr_geometry *g);

/* The border that a pad adds: pixels on each side (>= 0), and their colour in pixel values, one
 * number per channel, and one for masks. */
struct mr_border {
    int32_t left, top, right, bottom;
    double fill[4], mask_fill;
};

/* Adds a border. Closed: there is a border of another colour, or the sum does not fit. */
void mr__geometry_pad(struct mr_geometry *g, const struct mr_border *border);

/* True when the stage would only copy its input. */
bool mr__geometry_is_identity(const struct mr_geometry *g);

/* How many times smaller (1, 2, 4 or 8) the stage's input may be decoded without having fewer
 * pixels than it is resampled to, across or down. 1 where the filter takes single pixels or is not
 * widened when it shrinks: there it is pixels that are wanted, and not averages. */
int32_t mr__geometry_scale(const struct mr_geometry *g);
/* The same stage on the input decoded at a reduced size. */
void mr__geometry_shrink(struct mr_geometry *g, const struct mr_shrunk *s);

/* Moves n boxes (x0 y0 x1 y1, pixels of the stage's input) to the stage's output in place, cuts
 * them to the part of the output that shows the image (not its border), drops those with nothing
 * left (and those with NaN), and returns how many are left, in the same order. */
uint32_t mr__geometry_boxes(const struct mr_geometry *g, float *boxes, uint32_t n);

/* The stage for a mask: the same moves, by nearest neighbour, with the border's colour for masks.
 */
struct mr_geometry mr__geometry_for_mask(const struct mr_geometry *g);

#endif
