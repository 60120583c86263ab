/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/limits.h"

#include <inttypes.h>

int mr__limits_size(const struct mr_limits *limits, uint64_t w, uint64_t h, struct mr_errbuf *e)
{
    if (w == 0 || h == 0)
        return mr__fail(e, MR_E_DATA,
                        "the header declares an image of %" PRIu64 " x %" PRIu64 " pixels", w, h);
    uint64_t side = w > h ? w : h;
    if (limits->max_side > 0 && side > (uint64_t)limits->max_side)
        return mr__fail(e, MR_E_LIMIT,
                        "the header declares %" PRIu64 " x %" PRIu64
                        " pixels, but limits.max_side is %" PRId64,
                        w, h, limits->max_side);
    if (limits->max_pixels > 0 && w > (uint64_t)limits->max_pixels / h)
        return mr__fail(e, MR_E_LIMIT,
                        "the header declares %" PRIu64 " x %" PRIu64
                        " pixels, but limits.max_pixels is %" PRId64,
                        w, h, limits->max_pixels);
    return MR_OK;
}

int mr__limits_memory(const struct mr_limits *limits, uint64_t bytes, struct mr_errbuf *e)
{
    if (limits->max_decode_bytes > 0 && bytes > (uint64_t)limits->max_decode_bytes)
        return mr__fail(e, MR_E_LIMIT,
                        "decoding needs %" PRIu64
                        " bytes of memory, but limits.max_decode_bytes is "
                        "%" PRId64,
                        bytes, limits->max_decode_bytes);
    return MR_OK;
}

static bool inside(int32_t at, int32_t size, int32_t whole)
{
    return at >= 0 && size > 0 && size <= whole && at <= whole - size;
}

static int check_crop(int32_t w, int32_t h, const struct mr_rect *roi, struct mr_errbuf *e)
{
    if (inside(roi->x, roi->w, w) && inside(roi->y, roi->h, h))
        return MR_OK;
    return mr__fail(e, MR_E_USAGE, "the crop %d,%d %d x %d is not inside the %d x %d image", roi->x,
                    roi->y, roi->w, roi->h, w, h);
}

static int check_format(int32_t c, int32_t bits, struct mr_errbuf *e)
{
    if (c != 1 && c != 3 && c != 4)
        return mr__fail(e, MR_E_USAGE, "cannot decode to %d channels, only to 1, 3 or 4", c);
    if (bits != 8 && bits != 16)
        return mr__fail(e, MR_E_USAGE, "cannot decode to %d bits, only to 8 or 16", bits);
    return MR_OK;
}

int mr__limits_request(int32_t w, int32_t h, const struct mr_rect *roi, const struct mr_view *dst,
                       struct mr_errbuf *e)
{
    int rc = check_crop(w, h, roi, e);
    if (rc == MR_OK && (dst->w != roi->w || dst->h != roi->h))
        rc = mr__fail(e, MR_E_USAGE, "the crop is %d x %d but there is room for %d x %d", roi->w,
                      roi->h, dst->w, dst->h);
    return rc == MR_OK ? check_format(dst->c, dst->bits, e) : rc;
}

int mr__limits_rows(const struct mr_image_info *info, int32_t w, int32_t h,
                    const struct mr_rect *roi, int32_t c, int32_t bits, struct mr_errbuf *e)
{
    if (info->orientation != 1)
        return mr__fail(e, MR_E_USAGE, "the rows of an image with orientation %d are not those "
                        "that are displayed: decode it into a view", info->orientation);
    int rc = check_crop(w, h, roi, e);
    return rc == MR_OK ? check_format(c, bits, e) : rc;
}
