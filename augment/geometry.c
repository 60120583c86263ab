/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/geometry.h"

#include <string.h>

static void set_size(struct mr_geometry *g)
{
    g->out_w = g->pad_left + g->win.w + g->pad_right;
    g->out_h = g->pad_top + g->win.h + g->pad_bottom;
}

void mr__geometry_begin(struct mr_geometry *g, int32_t w, int32_t h)
{
    memset(g, 0, sizeof *g);
    g->in_w = g->rw = w;
    g->in_h = g->rh = h;
    g->box = g->win = (struct mr_rect){0, 0, w, h};
    g->antialias = true;
    set_size(g);
}

static bool has_border(const struct mr_geometry *g)
{
    return g->pad_left || g->pad_top || g->pad_right || g->pad_bottom;
}

static bool border_may_be(const struct mr_geometry *g, const struct mr_border *b)
{
    if (!has_border(g))
        return true;
    bool same = g->mask_fill == b->mask_fill;
    for (int c = 0; c < 4; c++)
        same = same && g->pad_fill[c] == b->fill[c];
    return same;
}

static void set_fill(struct mr_geometry *g, const struct mr_border *b)
{
    memcpy(g->pad_fill, b->fill, sizeof g->pad_fill);
    g->mask_fill = b->mask_fill;
}

/* ---- crop ----------------------------------------------------------------------------------- */

/* One axis of the output: border, window, border. */
struct axis {
    int32_t lo, len, hi; /* as shown */
    int32_t at;          /* where the window starts in the resampled image */
    bool flipped;
};

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* What is left of an axis between `from` and `from + n` of the output. */
static struct axis cut(struct axis a, int64_t from, int64_t n)
{
    int64_t begin = from - a.lo, end = begin + n; /* the window is [0, len) here */
    int64_t in0 = clamp(begin, 0, a.len), in1 = clamp(end, 0, a.len);
    struct axis r = a;
    r.lo = (int32_t)(begin < 0 ? clamp(-begin, 0, n) : 0);
    r.hi = (int32_t)(end > a.len ? clamp(end - a.len, 0, n) : 0);
    r.len = (int32_t)(in1 - in0);
    r.at = (int32_t)(a.flipped ? a.at + a.len - in1 : a.at + in0);
    return r;
}

static bool reaches_beyond(const struct mr_geometry *g, const struct mr_rect *r)
{
    return r->x < 0 || r->y < 0 || (int64_t)r->x + r->w > g->out_w ||
           (int64_t)r->y + r->h > g->out_h;
}

/* Before any resampling the window is the whole box: the cut shrinks the box itself. An empty
 * window leaves the box as it is, because a box has to have pixels. */
static void move_window_into_box(struct mr_geometry *g)
{
    if (g->win.w < 1 || g->win.h < 1)
        return;
    g->box = (struct mr_rect){g->box.x + g->win.x, g->box.y + g->win.y, g->win.w, g->win.h};
    g->win.x = g->win.y = 0;
    g->rw = g->box.w;
    g->rh = g->box.h;
}

void mr__geometry_crop(struct mr_geometry *g, const struct mr_rect *rect)
{
    static const struct mr_border black = {0};
    bool beyond = reaches_beyond(g, rect);
    if (beyond && !border_may_be(g, &black)) {
        g->closed = true;
        return;
    }
    if (beyond)
        set_fill(g, &black);
    struct axis x = {g->pad_left, g->win.w, g->pad_right, g->win.x, g->hflip};
    struct axis y = {g->pad_top, g->win.h, g->pad_bottom, g->win.y, g->vflip};
    x = cut(x, rect->x, rect->w);
    y = cut(y, rect->y, rect->h);
    g->win = (struct mr_rect){x.at, y.at, x.len, y.len};
    g->pad_left = x.lo;
    g->pad_right = x.hi;
    g->pad_top = y.lo;
    g->pad_bottom = y.hi;
    if (!g->resized)
        move_window_into_box(g);
    set_size(g);
}

/* ---- resize, flips, pad --------------------------------------------------------------------- */

void mr__geometry_resize(struct mr_geometry *g, int32_t w, int32_t h, enum mr_filter filter,
                         bool antialias)
{
    if (w == g->out_w && h == g->out_h)
        return;
    if (g->resized || g->hflip || g->vflip || has_border(g)) {
        g->closed = true;
        return;
    }
    g->resized = true;
    g->filter = filter;
    g->antialias = antialias;
    g->rw = w;
    g->rh = h;
    g->win = (struct mr_rect){0, 0, w, h};
    set_size(g);
}

static void swap(int32_t *a, int32_t *b)
{
    int32_t t = *a;
    *a = *b;
    *b = t;
}

void mr__geometry_hflip(struct mr_geometry *g)
{
    g->hflip = !g->hflip;
    swap(&g->pad_left, &g->pad_right);
}

void mr__geometry_vflip(struct mr_geometry *g)
{
    g->vflip = !g->vflip;
    swap(&g->pad_top, &g->pad_bottom);
}

void mr__geometry_pad(struct mr_geometry *g, const struct mr_border *b)
{
    if (!b->left && !b->top && !b->right && !b->bottom)
        return;
    if (!border_may_be(g, b) || (int64_t)g->out_w + b->left + b->right > INT32_MAX ||
        (int64_t)g->out_h + b->top + b->bottom > INT32_MAX) {
        g->closed = true;
        return;
    }
    set_fill(g, b);
    g->pad_left += b->left;
    g->pad_top += b->top;
    g->pad_right += b->right;
    g->pad_bottom += b->bottom;
    set_size(g);
}

bool mr__geometry_is_identity(const struct mr_geometry *g)
{
    return !g->resized && !g->hflip && !g->vflip && !has_border(g) && g->win.w == g->in_w &&
           g->win.h == g->in_h;
}

struct mr_geometry mr__geometry_for_mask(const struct mr_geometry *g)
{
    struct mr_geometry m = *g;
    m.filter = MR_NEAREST;
    for (int c = 0; c < 4; c++)
        m.pad_fill[c] = g->mask_fill;
    return m;
}
