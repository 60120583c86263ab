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

int mr__limits_request(const struct mr_image_info *info, const struct mr_rect *roi,
                       const struct mr_view *dst, struct mr_errbuf *e)
{
    if (!inside(roi->x, roi->w, info->w) || !inside(roi->y, roi->h, info->h))
        return mr__fail(e, MR_E_USAGE, "the crop %d,%d %d x %d is not inside the %d x %d image",
                        roi->x, roi->y, roi->w, roi->h, info->w, info->h);
    if (dst->w != roi->w || dst->h != roi->h)
        return mr__fail(e, MR_E_USAGE, "the crop is %d x %d but there is room for %d x %d", roi->w,
                        roi->h, dst->w, dst->h);
    if (dst->c != 1 && dst->c != 3 && dst->c != 4)
        return mr__fail(e, MR_E_USAGE, "cannot decode to %d channels, only to 1, 3 or 4", dst->c);
    if (dst->bits != 8 && dst->bits != 16)
        return mr__fail(e, MR_E_USAGE, "cannot decode to %d bits, only to 8 or 16", dst->bits);
    return MR_OK;
}
