/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.h: coefficients from somewhere else than a JPEG's scan. The decoder asks for one row of MCUs
 * after the other, from the top one that the crop needs to the last, and of each only the MCUs
 * that it needs; what comes behind (inverse DCT, upsampling, colour) is the same.
 */
#ifndef MR_BASELINE_FEED_H
#define MR_BASELINE_FEED_H

#include "loaders/codec/baseline/mcu_run.h"

/* Where a component's blocks go: block (x, y) of the row, counted from MCU `first`'s left block and
 * from its top, is block x % 4 of slot[y * slots + x / 4]. */
struct mr_feed_plane {
    int32_t h, v; /* blocks of an MCU, across and down; 1, 1 where there is but one component */
    struct mr_slot *slot; /* [v][slots] */
    int32_t slots;
    int32_t from, to; /* of a row's slots, those that are looked at; others have to stay zero */
};

struct mr_feed_row {
    int32_t row;         /* of MCUs, from the image's top */
    int32_t first, last; /* the MCUs [first, last) of it, from the image's left */
    int32_t planes;
    struct mr_feed_plane plane[3];
};

struct mr_feed {
    /* Puts the quantised coefficients of the row into slots, which are all zero, and sets each
     * slot's `used` (too many only costs time). Blocks beyond the image's own may be left zero. A
     * DC coefficient is the value itself, not a difference. False: they cannot be had, and the
     * image is given up; slots may then hold anything. */
    bool (*row)(void *ctx, const struct mr_feed_row *to);
    void *ctx;
    int32_t align; /* `first` is to be a multiple of it; 0: any. Then some slots may be left out */
};

#endif
