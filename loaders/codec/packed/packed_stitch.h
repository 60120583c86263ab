/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_stitch.h: segments that a crop needs as a JPEG file of their own, for libjpeg-turbo.
 */
#ifndef MR_PACKED_STITCH_H
#define MR_PACKED_STITCH_H

#include "loaders/codec/packed/packed_types.h"

/* Where a crop lies in the file that was made. */
struct mr_packed_stitched {
    struct mr_rect roi; /* at the scale asked for */
    int32_t right;      /* pixels of a row that are the image's: what follows is padding */
};

/* Makes the file that has all that `roi` needs, of the image decoded `scale` times smaller, and
 * replaces what is in *out. Its rows of pixels above, below and beside the crop are enough for
 * libjpeg-turbo to give the crop's as it would from the whole image; where the image ends, it ends.
 * *bytes: of the body, asked for. MR_E_DATA, MR_E_MEMORY, and what `file` says. */
int mr__packed_stitch(const struct mr_packed_body *body, const struct mr_ranges *file,
                      const struct mr_rect *roi, int32_t scale, struct mr_buf *out,
                      struct mr_packed_stitched *to, uint64_t *bytes, struct mr_errbuf *e);

#endif
