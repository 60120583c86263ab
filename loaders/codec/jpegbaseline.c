/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegbaseline.c: the engine for plain JPEGs: our own decoder. What it passes on, before its first
 * row or behind it, libjpeg-turbo decodes from the beginning, with the header as it was read.
 */
#include "loaders/codec/baselinesink.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegplain.h"

static int baseline_decode(struct mr_jpeg *d, const struct mr_rect *roi)
{
    struct mr_plain_jpeg plain;
    if (!d->baseline || d->shown.scale != 1 || !mr__jpegplain(&d->cinfo, &plain))
        return MR_JPEG_PASS;
    struct mr_pixels from = mr__baselinesink_pixels(plain.components, d->sink.c);
    if (!mr__baseline_begin(d->baseline, &plain, roi, mr__pixels_channels(from.kind)))
        return MR_JPEG_PASS;
    int rc = mr__baselinesink_fill(d->baseline, &d->sink, &from, roi->w, roi->h, d->err.e);
    if (rc != MR_OK)
        return rc == MR_BASELINESINK_PASS ? MR_JPEG_PASS : rc;
    mr__baseline_cost(d->baseline, d->data, &d->cost);
    return MR_OK;
}

const struct mr_jpeg_engine mr__jpegbaseline = {MR_ENGINE_BASELINE, baseline_decode};
