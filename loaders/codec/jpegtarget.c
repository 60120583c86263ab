/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegtarget.h"

#include "loaders/codec/limits.h"
#include "loaders/codec/orient.h"

int mr__jpegtarget_view(struct mr_rowsink *sink, const struct mr_image_info *info,
                        const struct mr_shrunk *shown, const struct mr_rect *roi,
                        const struct mr_view *dst, struct mr_rect *stored, struct mr_errbuf *e)
{
    int rc = mr__limits_request(shown->w, shown->h, roi, dst, e);
    if (rc < 0)
        return rc;
    bool swap = mr__orient_turn(info->orientation).swap;
    int32_t w = swap ? shown->h : shown->w, h = swap ? shown->w : shown->h;
    *stored = mr__orient_stored(info->orientation, roi, w, h);
    mr__rowsink_to_view(sink, dst, info->orientation);
    return MR_OK;
}

int mr__jpegtarget_taker(struct mr_rowsink *sink, const struct mr_image_info *info,
                         const struct mr_shrunk *shown, const struct mr_rect *roi, int32_t c,
                         int32_t bits, const struct mr_row_taker *to, struct mr_errbuf *e)
{
    int rc = mr__limits_rows(info, shown->w, shown->h, roi, c, bits, e);
    if (rc < 0)
        return rc;
    mr__rowsink_to_taker(sink, to, c, bits);
    return MR_OK;
}
