/* SPDX-License-Identifier: Apache-2.0
 *
 * baselinesink.h: an image that our own decoder has begun, into a sink.
 */
#ifndef MR_CODEC_BASELINESINK_H
#define MR_CODEC_BASELINESINK_H

#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/rowsink.h"

/* What our decoder gives of an image that is to have c channels. */
struct mr_pixels mr__baselinesink_pixels(int32_t components, int32_t c);

enum { MR_BASELINESINK_PASS = 1 }; /* the decoder has said "not mine": begin with another one */

/* All rows of a crop of w x h, which `b` has begun with the channels of `from`. MR_OK,
 * MR_BASELINESINK_PASS, or the sink's error. */
int mr__baselinesink_fill(struct mr_baseline *b, struct mr_rowsink *sink,
                          const struct mr_pixels *from, int32_t w, int32_t h, struct mr_errbuf *e);

#endif
