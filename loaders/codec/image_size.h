/* SPDX-License-Identifier: Apache-2.0
 *
 * image_size.h: how large the image in a file is, by its header.
 */
#ifndef MR_CODEC_IMAGE_SIZE_H
#define MR_CODEC_IMAGE_SIZE_H

#include "base/descriptor.h"

/* Fills *info as the codec's `header` would from the whole file, but reads no more of it than that
 * takes. `scratch` is memory to be used again, the caller's. MR_E_DATA, MR_E_LIMIT, MR_E_IO,
 * MR_E_MEMORY: as mr__read_file and `header`. */
int mr__image_size(const char *path, const struct mr_limits *limits, struct mr_buf *scratch,
                   struct mr_image_info *info, struct mr_errbuf *e);

#endif
