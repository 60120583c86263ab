/* SPDX-License-Identifier: Apache-2.0
 *
 * pixel_neon.h: what the NEON versions share. Every 64-bit ARM has NEON, so functions need no
 * target of their own.
 */
#ifndef MR_PIXEL_NEON_H
#define MR_PIXEL_NEON_H

#include "loaders/codec/baseline/pixel_scalar.h"

#include <arm_neon.h>
#include <string.h>

void mr__idct_neon(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                   int last);

#endif
