/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_image.h: a JPEG's coefficients, by rows of MCUs.
 */
#ifndef MR_PACKED_IMAGE_H
#define MR_PACKED_IMAGE_H

#include "loaders/codec/baseline/feed.h"
#include "loaders/codec/packed/packed_types.h"

#include <stdio.h>

#include <jpeglib.h>

struct mr_packed_image {
    struct jpeg_decompress_struct *cinfo; /* behind its header */
    jvirt_barray_ptr *coefficients;       /* what jpeg_read_coefficients has given, or ... */
    struct mr_feed_row own;               /* ... the row, as our own decoder has it */
    const struct mr_packed_body *body;    /* its shape and its tables */
    int16_t (*blocks)[64];                /* of one row of MCUs; free() ends it */
};

/* Row `row`: *to has all of it, as one segment of body->across MCUs. False: it has values that no
 * picture of 8 bits has, so that decoders may not agree on its pixels. May leave through libjpeg's
 * error_exit. */
bool mr__packed_image_row(const struct mr_packed_image *image, int32_t row,
                          struct mr_packed_blocks *to);
/* Blocks of one row of MCUs. */
size_t mr__packed_image_blocks(const struct mr_packed_body *body);

#endif
