/* SPDX-License-Identifier: Apache-2.0
 *
 * image.h: pixels in memory, rectangles, and the two things that ops build up: a geometry (where
 * output pixels come from) and a store (what a pixel becomes in the batch).
 */
#ifndef MR_BASE_IMAGE_H
#define MR_BASE_IMAGE_H

#include "millrace/types.h"

#include <stdbool.h>

/* Interleaved pixels (HWC). Owns nothing. */
struct mr_view {
    void *data;      /* u8 or, with bits = 16, u16 in native order */
    int32_t w, h, c; /* pixels, pixels, channels (1, 3, 4) */
    int32_t bits;    /* 8 or 16 */
    int64_t stride;  /* bytes from row to row */
};

struct mr_rect {
    int32_t x, y, w, h; /* pixels; x, y from the top left */
};

enum mr_filter { MR_NEAREST, MR_BOX, MR_BILINEAR, MR_HAMMING, MR_BICUBIC, MR_LANCZOS };

/* An image decoded at a fraction of its size. The point (x, y) of the image as the header has it
 * lies at ((x + before_x) / scale, (y + before_y) / scale); where a side is no multiple of the
 * scale, the edge at which it ends in the file has pixels that reach beyond it. */
struct mr_shrunk {
    int32_t scale;
    int32_t w, h;               /* as displayed: the header's divided by the scale, rounded up */
    int32_t before_x, before_y; /* 0 .. scale - 1; not 0 only where the orientation mirrors */
};

/* One resampling stage: output pixel (x, y) of `w` x `h` is taken from resample(crop(in, box),
 * size, filter), of which only the window `win` is made, and then flipped. Consecutive geometry ops
 * are folded into one such stage where that gives the same pixels; where it does not, the stage is
 * closed and the next begins. */
struct mr_geometry {
    int32_t in_w, in_h; /* size of the stage's input */
    struct mr_rect box; /* what of the input is used, inside it */
    /* The part of a pixel, 0 <= x < 1, that the box has too much on each side: what is resampled
     * begins and ends there. Not 0 only where the input was decoded at a reduced size. */
    double cut_left, cut_top, cut_right, cut_bottom;
    bool resized;       /* false: no resampling yet, size = box's */
    int32_t rw, rh;     /* size that the box is resampled to */
    enum mr_filter filter;
    bool antialias;     /* false: bilinear/bicubic support is not widened when shrinking */
    struct mr_rect win; /* what of the rw x rh image is made, inside it; w or h 0: pads only */
    bool hflip, vflip;  /* applied to the window */
    bool closed;        /* the op could not be folded in: begin a new stage and call it again */
    /* The window grows by a border of constant pixels (pad; center_crop beyond the image). */
    int32_t pad_left, pad_top, pad_right, pad_bottom;
    double pad_fill[4]; /* 0 .. 255 (or 65535 with bits = 16), per channel */
    double mask_fill;   /* what takes its place in a mask */
    bool border; /* the op that padded last paints the pads itself (mr_op.border): end the stage */
    int32_t out_w, out_h; /* size after the stage: win + pads */
};

/* What the last pass does to a channel value v (0 .. 255 or 65535): out = v * scale[c] + bias[c] in
 * float32 by one fused multiply-add, then converted to dtype (round to nearest even, saturating for
 * integers); without `affine` integers are copied as they are. */
struct mr_store {
    enum mr_dtype dtype;
    bool affine;
    bool chw; /* layout: planes (NCHW) or interleaved (NHWC) */
    float scale[4], bias[4];
};

#endif
