/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegplain.h: which JPEGs our own decoder (baseline/baseline.h) is asked for.
 */
#ifndef MR_CODEC_JPEGPLAIN_H
#define MR_CODEC_JPEGPLAIN_H

#include "loaders/codec/baseline/baseline.h"

#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>

/* After jpeg_read_header, before jpeg_start_decompress: what libjpeg has read of an image that may
 * be ours, pointing into cinfo and its source. False: it is not. Nothing of cinfo is changed, so
 * libjpeg can go on with it. */
bool mr__jpegplain(const struct jpeg_decompress_struct *cinfo, struct mr_plain_jpeg *plain);

#endif
