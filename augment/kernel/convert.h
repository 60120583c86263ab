/* SPDX-License-Identifier: Apache-2.0
 *
 * convert.h: one float32 into any element type: round to nearest even, saturating. This is what
 * every vector version has to equal. Values are finite or infinite, never NaN (the store's scale
 * and bias are finite).
 */
#ifndef MR_KERNEL_CONVERT_H
#define MR_KERNEL_CONVERT_H

#include "millrace/types.h"

/* Writes one element of `dtype` at `to`, aligned for it. */
void mr__convert(enum mr_dtype dtype, float value, void *to);
/* The 16 bits of a float16 / bfloat16. */
uint16_t mr__float16(float value);
uint16_t mr__bfloat16(float value);

#endif
