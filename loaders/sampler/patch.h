/* SPDX-License-Identifier: Apache-2.0
 *
 * patch.h: what the files of the sampler `patch` share.
 *
 *     patch.c        the sampler: options, positions, substitutes
 *     patch_grid.c   where the windows of a grid lie
 *     patch_cover.c  how much of a mask windows show
 *     patch_index.c  what the index helper finds out about images and masks
 */
#ifndef MR_SAMPLER_PATCH_H
#define MR_SAMPLER_PATCH_H

#include "base/buf.h"
#include "base/descriptor.h"

enum mr_patch_mode { MR_PATCH_RANDOM, MR_PATCH_GRID };
enum mr_patch_edge { MR_PATCH_SHIFT, MR_PATCH_DROP };

struct mr_patch_params {
    struct mr_size size, stride; /* stride.h = 0: not given */
    int64_t overlap, per_image;  /* 0: not given */
    int mode, edge, weight;      /* edge, weight: -1: not given */
    double min_coverage;         /* 0: masks do not matter */
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
/* Along one side of an image: how many windows there are, and where one of them begins. */
uint64_t mr__patch_grid_along(int32_t whole, int32_t window, int32_t step, bool shift);
int32_t mr__patch_grid_start(uint64_t number, int32_t whole, int32_t window, int32_t step);

/* ---- coverage ---- */

#define MR_PATCH_CELL 16 /* pixels of a mask that are counted together */

struct mr_cuts { /* places along a side, rising */
    int32_t *at;
    size_t n;
};

/* sums[j * x->n + i] = non-zero pixels of the mask (one channel of 8 bits, fewer than 2^31 pixels)
 * above row y->at[j] and left of column x->at[i]. False: memory is out. */
bool mr__patch_sums(const struct mr_view *mask, const struct mr_cuts *x, const struct mr_cuts *y,
                    int32_t *sums);
/* Whether so many non-zero pixels in a window are enough. */
bool mr__patch_enough(const struct mr_patch_grid *g, double min_coverage, double count);
/* Appends x, y (int32_t) of each window of the grid with the coverage, exactly counted. False:
 * memory is out. */
bool mr__patch_grid_covered(const struct mr_patch_grid *g, const struct mr_view *mask,
                            double min_coverage, struct mr_buf *places);
/* Appends what mr__patch_cells_count needs: the mask's size and the sums at its cells' corners, as
 * int32_t. False: memory is out. */
bool mr__patch_cells(const struct mr_view *mask, struct mr_buf *cells);
/* Non-zero pixels in a window that lies in the mask. A cell that its edge cuts counts by the share
 * of its area; without such cells the number is exact. */
double mr__patch_cells_count(const int32_t *cells, const struct mr_rect *r);

/* The column of the index that holds it, RAGGED int32_t: with a grid the places of the windows that
 * have the coverage (width 2), else the cells. */
void mr__patch_column(const struct mr_patch_params *p, char name[MR_INDEX_NAME]);
/* mr_sampler.index. */
int mr__patch_index(const void *params, const struct mr_sampler_build *build,
                    struct mr_index_builder *b, struct mr_errbuf *e);

#endif
