/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.h: what a header may declare, held against the config's limits before memory is taken.
 */
#ifndef MR_CODEC_LIMITS_H
#define MR_CODEC_LIMITS_H

#include "base/descriptor.h"

/* The declared size against limits.max_side and limits.max_pixels (0 or less: no limit).
 * MR_E_LIMIT with a sentence that names the key; MR_E_DATA for a width or height of 0. */
int mr__limits_size(const struct mr_limits *limits, uint64_t w, uint64_t h, struct mr_errbuf *e);

/* `bytes` that the decoder would take against limits.max_decode_bytes. MR_E_LIMIT. */
int mr__limits_memory(const struct mr_limits *limits, uint64_t bytes, struct mr_errbuf *e);

/* Checks that a decode call makes sense: roi inside an image of w x h, dst of roi's size, channels
 * 1, 3 or 4, bits 8 or 16. MR_E_USAGE. */
int mr__limits_request(int32_t w, int32_t h, const struct mr_rect *roi, const struct mr_view *dst,
                       struct mr_errbuf *e);
/* The same of a call whose rows are handed on. */
int mr__limits_rows(const struct mr_image_info *info, int32_t w, int32_t h,
                    const struct mr_rect *roi, int32_t c, int32_t bits, struct mr_errbuf *e);

#endif
