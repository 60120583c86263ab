/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegshrink.h"

#include "loaders/codec/orient.h"

static int32_t divide_up(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

/* A mirrored image begins with the pixels that reach beyond the stored one's end. */
int mr__jpegshrink(const struct mr_image_info *info, int32_t scale, struct mr_shrunk *shrunk,
                   struct mr_errbuf *e)
{
    if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
        return mr__fail(e, MR_E_USAGE, "a JPEG can be decoded 1, 2, 4 or 8 times smaller, not %d",
                        scale);
    struct mr_turn t = mr__orient_turn(info->orientation);
    int32_t w = divide_up(info->w, scale), h = divide_up(info->h, scale);
    bool mirror_x = t.swap ? t.flip_y : t.flip_x, mirror_y = t.swap ? t.flip_x : t.flip_y;
    *shrunk = (struct mr_shrunk){.scale = scale,
                                 .w = w,
                                 .h = h,
                                 .before_x = mirror_x ? w * scale - info->w : 0,
                                 .before_y = mirror_y ? h * scale - info->h : 0};
    return MR_OK;
}
