/* SPDX-License-Identifier: Apache-2.0
 *
 * What a caller could have got wrong, said before a pixel is touched.
 */
#include "augment/kernel/resampler.h"

#include <math.h>

static bool inside(const struct mr_rect *r, int64_t w, int64_t h)
{
    return r->x >= 0 && r->y >= 0 && r->w >= 0 && r->h >= 0 && (int64_t)r->x + r->w <= w &&
           (int64_t)r->y + r->h <= h;
}

static bool part(double v)
{
    return v >= 0 && v < 1;
}

int mr__check_geometry(const struct mr_geometry *g, struct mr_errbuf *e)
{
    int64_t w = g->resized ? g->rw : g->box.w, h = g->resized ? g->rh : g->box.h;

    if (!inside(&g->box, g->in_w, g->in_h) || g->box.w < 1 || g->box.h < 1)
        return mr__fail(e, MR_E_USAGE, "the box %d,%d %dx%d is not inside the image of %dx%d",
                        g->box.x, g->box.y, g->box.w, g->box.h, g->in_w, g->in_h);
    if (!part(g->cut_left) || !part(g->cut_top) || !part(g->cut_right) || !part(g->cut_bottom) ||
        g->cut_left + g->cut_right >= g->box.w || g->cut_top + g->cut_bottom >= g->box.h)
        return mr__fail(e, MR_E_USAGE, "%g and %g, %g and %g pixels cannot be cut off %dx%d",
                        g->cut_left, g->cut_right, g->cut_top, g->cut_bottom, g->box.w, g->box.h);
    if (w < 1 || h < 1 || !inside(&g->win, w, h))
        return mr__fail(e, MR_E_USAGE, "the window %d,%d %dx%d is not inside the resampled %dx%d",
                        g->win.x, g->win.y, g->win.w, g->win.h, (int)w, (int)h);
    if (g->pad_left < 0 || g->pad_right < 0 || g->pad_top < 0 || g->pad_bottom < 0 ||
        (int64_t)g->win.w + g->pad_left + g->pad_right != g->out_w ||
        (int64_t)g->win.h + g->pad_top + g->pad_bottom != g->out_h)
        return mr__fail(e, MR_E_USAGE, "the output of %dx%d is not the window plus the padding",
                        g->out_w, g->out_h);
    return MR_OK;
}

int mr__check_source(int c, int bits, const struct mr_rect *at, const struct mr_geometry *g,
                     struct mr_errbuf *e)
{
    struct mr_rect n = mr__resample_needs(g);

    if ((c != 1 && c != 3 && c != 4) || (bits != 8 && bits != 16))
        return mr__fail(e, MR_E_USAGE, "pixels of %d channels and %d bits cannot be resampled", c,
                        bits);
    if (n.w == 0 || n.h == 0)
        return MR_OK;
    n.x -= at->x;
    n.y -= at->y;
    if (!inside(&n, at->w, at->h))
        return mr__fail(e, MR_E_USAGE, "the pixels of %dx%d do not cover the %dx%d that are needed",
                        at->w, at->h, n.w, n.h);
    return MR_OK;
}

int mr__check_store(const struct mr_store *s, int c, struct mr_errbuf *e)
{
    if ((unsigned)s->dtype >= MR_DTYPE_COUNT)
        return mr__fail(e, MR_E_USAGE, "%d is no element type", (int)s->dtype);
    for (int i = 0; s->affine && i < c; i++) {
        if (!isfinite(s->scale[i]) || !isfinite(s->bias[i]))
            return mr__fail(e, MR_E_USAGE,
                            "scale and bias of channel %d are not finite: check "
                            "the mean and the standard deviation",
                            i);
    }
    return MR_OK;
}
