/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/geometry.h"

/* One axis of a stage, as a map of coordinates: x -> (x - origin) * scale - window, mirrored,
 * shifted. */
struct map {
    double from, to; /* the part of the input that is shown */
    double scale;
    double at, len; /* the window in the resampled image */
    double shift;   /* the border before it */
    bool flipped;
};

static struct map map_x(const struct mr_geometry *g)
{
    double scale = g->box.w > 0 ? (double)g->rw / g->box.w : 1;
    return (struct map){
        g->box.x, (double)g->box.x + g->box.w, scale, g->win.x, g->win.w, g->pad_left, g->hflip};
}

static struct map map_y(const struct mr_geometry *g)
{
    double scale = g->box.h > 0 ? (double)g->rh / g->box.h : 1;
    return (struct map){
        g->box.y, (double)g->box.y + g->box.h, scale, g->win.y, g->win.h, g->pad_top, g->vflip};
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Moves the interval [*lo, *hi]; false when nothing of it is shown (NaN included). */
static bool move(const struct map *m, float *lo, float *hi)
{
    double a = (clamp(*lo, m->from, m->to) - m->from) * m->scale;
    double b = (clamp(*hi, m->from, m->to) - m->from) * m->scale;
    a = clamp(a - m->at, 0, m->len);
    b = clamp(b - m->at, 0, m->len);
    *lo = (float)(m->shift + (m->flipped ? m->len - b : a));
    *hi = (float)(m->shift + (m->flipped ? m->len - a : b));
    return *hi > *lo;
}

uint32_t mr__geometry_boxes(const struct mr_geometry *g, float *boxes, uint32_t n)
{
    struct map x = map_x(g), y = map_y(g);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        float b[4] = {boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]};
        if (!move(&x, &b[0], &b[2]) || !move(&y, &b[1], &b[3]))
            continue;
        for (int k = 0; k < 4; k++)
            boxes[4 * kept + (uint32_t)k] = b[k];
        kept++;
    }
    return kept;
}
