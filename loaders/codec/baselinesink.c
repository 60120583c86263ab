/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/baselinesink.h"

struct mr_pixels mr__baselinesink_pixels(int32_t components, int32_t c)
{
    enum mr_pixel_kind kind = components == 1 && c == 1 ? MR_PIXEL_GRAY
                              : c == 4                  ? MR_PIXEL_RGBA
                                                        : MR_PIXEL_RGB;
    return (struct mr_pixels){kind, 8};
}

int mr__baselinesink_fill(struct mr_baseline *b, struct mr_rowsink *sink,
                          const struct mr_pixels *from, int32_t w, int32_t h, struct mr_errbuf *e)
{
    int rc = mr__rowsink_begin(sink, from, w, h, e), n = 0;
    if (rc < 0)
        return rc;
    int32_t most = sink->to ? sink->to->most : 0;
    const uint8_t *rows;
    int64_t stride;
    while ((n = mr__baseline_rows(b, most, &rows, &stride)) > 0)
        mr__rowsink_put(sink, rows, stride, n);
    return n < 0 ? MR_BASELINESINK_PASS : MR_OK;
}
