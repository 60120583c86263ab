/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.h: what a tensor is, as people and configs write it.
 */
#ifndef MR_BASE_SHAPE_H
#define MR_BASE_SHAPE_H

#include <stddef.h>
#include <stdint.h>

/* "float32 [3, 32, 32]" into text[cap], or "[3, 32, 32]" for a `dtype` of NULL; [] for ndim = 0.
 * What has no room is cut. */
void mr__shape_text(const char *dtype, const int64_t *shape, int ndim, char *text, size_t cap);

#endif
