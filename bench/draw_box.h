/* SPDX-License-Identifier: Apache-2.0
 *
 * draw_box.h: the crops of the benchmark's jobs, for the programs that do without Millrace's ops.
 * Randomness is drand48's.
 */
#ifndef BENCH_DRAW_BOX_H
#define BENCH_DRAW_BOX_H

#include "base/image.h"

/* torchvision's RandomResizedCrop.get_params, scale (0.08, 1), ratio (3/4, 4/3); an image that no
 * try fits gives its central square. */
struct mr_rect draw_box(int w, int h);

/* A square of `side` pixels anywhere in the image, smaller where the image is. */
struct mr_rect draw_square(int w, int h, int side);

#endif
