/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_pixels.h: files decoded whole, and made smaller.
 */
#ifndef MR_PACK_PIXELS_H
#define MR_PACK_PIXELS_H

#include "pack/pack_recipe.h"

enum { MR_PACK_MASK_LEVEL = 3 }; /* masks of raw pixels are always compressed: to a few percent */

struct mr_pack_pixels; /* a thread's decoders, resampler and pixels */
int mr__pack_pixels_new(struct mr_pack_pixels **p, const struct mr_limits *limits,
                        struct mr_errbuf *e);
void mr__pack_pixels_free(struct mr_pack_pixels *p); /* safe on NULL */

/* Leaves in *made how large the image is displayed, or 0 when its header says nothing. MR_E_MEMORY.
 */
int mr__pack_pixels_size(struct mr_pack_pixels *p, const struct mr_buf *file,
                         struct mr_pack_made *made);
/* The pixels as displayed, in the channels and bits that the file has (CMYK becomes RGB). They are
 * good until the next call of any of these. MR_E_DATA, MR_E_LIMIT, MR_E_MEMORY. */
int mr__pack_pixels_whole(struct mr_pack_pixels *p, const struct mr_buf *file,
                          struct mr_view *pixels, struct mr_errbuf *e);
/* The image with its longer side of max_side pixels (8 bits, no alpha), and how much smaller that
 * is into *made; pixels->data NULL: it is small enough. */
int mr__pack_pixels_shrink(struct mr_pack_pixels *p, const struct mr_buf *file, int32_t max_side,
                           struct mr_pack_made *made, struct mr_view *pixels, struct mr_errbuf *e);
/* The mask of an image that was shrunk, by nearest neighbour; NULL: it was not. */
int mr__pack_pixels_mask(struct mr_pack_pixels *p, const struct mr_buf *file,
                         const struct mr_pack_made *made, struct mr_view *pixels,
                         struct mr_errbuf *e);

/* An image of 1 or 3 channels of 8 bits as a JPEG (4:2:0), replacing what is in *jpeg. MR_E_MEMORY,
 * MR_E_LIMIT: too large for a JPEG. */
int mr__pack_jpeg_write(const struct mr_view *image, int quality, struct mr_buf *jpeg,
                        struct mr_errbuf *e);

#endif
