/* SPDX-License-Identifier: Apache-2.0
 *
 * patch.h: what the files of the sampler `patch` share.
 *
 *     patch.c        the sampler: options, positions, substitutes
 *     patch_grid.c   where the windows of a grid lie
 */
#ifndef MR_SAMPLER_PATCH_H
#define MR_SAMPLER_PATCH_H

#include "base/descriptor.h"

enum mr_patch_mode { MR_PATCH_RANDOM, MR_PATCH_GRID };
enum mr_patch_edge { MR_PATCH_SHIFT, MR_PATCH_DROP };

struct mr_patch_params {
    struct mr_size size, stride; /* stride.h = 0: not given */
    int64_t overlap, per_image;  /* 0: not given */
    int mode, edge, weight;      /* edge, weight: -1: not given */
    bool shuffle;
};

/* Windows of w x h on an image, every dx pixels to the right and dy down. */
struct mr_patch_grid {
    int32_t w, h, dx, dy;
    bool shift; /* one more window where the last does not reach the edge, moved inward */
};

struct mr_patch_grid mr__patch_grid(const struct mr_patch_params *p);
/* Windows on an image of w x h; 0: it is smaller than one. */
uint64_t mr__patch_grid_count(const struct mr_patch_grid *g, int32_t w, int32_t h);
/* The window `number` < count, row by row. */
struct mr_rect mr__patch_grid_window(const struct mr_patch_grid *g, int32_t w, int32_t h,
                                     uint64_t number);

#endif
