/* SPDX-License-Identifier: Apache-2.0
 *
 * pixel_scalar.h: the C kernels that other versions fall back on, and use at the ends of rows.
 */
#ifndef MR_PIXEL_SCALAR_H
#define MR_PIXEL_SCALAR_H

#include "loaders/codec/baseline/pixel_kernels.h"

/* JFIF's factors for twice Cr, Cb: 1.402 and 1.772 times 2^14, which with a multiplication that
 * drops 15 bits and rounds give what pixel_scalar.c gives for all 256 values; and 0.34414 and
 * 0.71414 times 2^15. */
enum { MR_CR_RED = 22970, MR_CB_BLUE = 29033, MR_CB_GREEN = 11277, MR_CR_GREEN = 23401 };

/* As mr_pixel_kernels says. */
void mr__idct_scalar(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                     int last);
/* The case of last = 0. */
void mr__idct_dc(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride);
void mr__repeat_scalar(const uint8_t *in, size_t n, int times, uint8_t *out);
/* Only the outputs of the first and of the last sample. */
void mr__h2v1_ends(const uint8_t *in, size_t n, uint8_t *out);
void mr__h2v2_ends(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out);

#endif
