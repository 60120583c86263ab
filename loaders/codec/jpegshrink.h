/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegshrink.h: the size of an image that is decoded 1, 2, 4 or 8 times smaller from its
 * coefficients.
 */
#ifndef MR_CODEC_JPEGSHRINK_H
#define MR_CODEC_JPEGSHRINK_H

#include "base/descriptor.h"

/* MR_E_USAGE for any other scale; *shrunk is left alone then. */
int mr__jpegshrink(const struct mr_image_info *info, int32_t scale, struct mr_shrunk *shrunk,
                   struct mr_errbuf *e);

#endif
