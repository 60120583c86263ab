/* SPDX-License-Identifier: Apache-2.0
 *
 * geometry_shrink.c: a stage whose input is decoded at a fraction of its size. The box keeps its
 * place to a fraction of a pixel.
 */
#include "augment/geometry.h"

int32_t mr__geometry_scale(const struct mr_geometry *g)
{
    int32_t scale = 8;
    if (!g->resized || !g->antialias || g->filter == MR_NEAREST)
        return 1;
    while (scale > 1 && (g->box.w / scale < g->rw || g->box.h / scale < g->rh))
        scale /= 2;
    return scale;
}

/* One axis: the pixels that [from, from + n) touches, and how much of them lies beyond it. */
struct span {
    int32_t at, n;
    double low, high;
};

static struct span shrink(int32_t from, int32_t n, int32_t scale)
{
    int64_t begin = from, end = begin + n;
    int64_t first = begin / scale, last = (end + scale - 1) / scale;
    return (struct span){.at = (int32_t)first,
                         .n = (int32_t)(last - first),
                         .low = (double)(begin - first * scale) / scale,
                         .high = (double)(last * scale - end) / scale};
}

void mr__geometry_shrink(struct mr_geometry *g, const struct mr_shrunk *s)
{
    struct span x = shrink(g->box.x + s->before_x, g->box.w, s->scale);
    struct span y = shrink(g->box.y + s->before_y, g->box.h, s->scale);
    g->in_w = s->w;
    g->in_h = s->h;
    g->box = (struct mr_rect){x.at, y.at, x.n, y.n};
    g->cut_left = x.low;
    g->cut_right = x.high;
    g->cut_top = y.low;
    g->cut_bottom = y.high;
}
