/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegbaseline.c: the engine for plain JPEGs: our own decoder. What it passes on, before its first
 * row or behind it, libjpeg-turbo decodes from the beginning, with the header as it was read.
 */
#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegplain.h"

static struct mr_pixels choose_output(int32_t components, int32_t c)
{
    enum mr_pixel_kind kind = components == 1 && c == 1 ? MR_PIXEL_GRAY
                              : c == 4                  ? MR_PIXEL_RGBA
                                                        : MR_PIXEL_RGB;
    return (struct mr_pixels){kind, 8};
}

static int baseline_decode(struct mr_jpeg *d, const struct mr_rect *roi)
{
    struct mr_plain_jpeg plain;
    if (!d->baseline || d->shown.scale != 1 || !mr__jpegplain(&d->cinfo, &plain))
        return MR_JPEG_PASS;
    struct mr_pixels from = choose_output(plain.components, d->sink.c);
    if (!mr__baseline_begin(d->baseline, &plain, roi, mr__pixels_channels(from.kind)))
        return MR_JPEG_PASS;
    int rc = mr__rowsink_begin(&d->sink, &from, roi->w, roi->h, d->err.e), n = 0;
    if (rc < 0)
        return rc;
    const uint8_t *rows;
    int64_t stride;
    while ((n = mr__baseline_rows(d->baseline, &rows, &stride)) > 0)
        mr__rowsink_put(&d->sink, rows, stride, n);
    if (n < 0)
        return MR_JPEG_PASS;
    mr__baseline_cost(d->baseline, d->data, &d->cost);
    return MR_OK;
}

const struct mr_jpeg_engine mr__jpegbaseline = {MR_ENGINE_BASELINE, baseline_decode};
