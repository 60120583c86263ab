/* SPDX-License-Identifier: Apache-2.0
 *
 * pad.c: a border around the image: of one colour, or made of the image itself.
 */
#include "augment/op/op_common.h"

#include <string.h>

enum mode { CONSTANT, EDGE, REFLECT, SYMMETRIC };
static const char *const mode_names[] = {"constant", "edge", "reflect", "symmetric", NULL};

struct params {
    struct mr_floats padding, fill;
    double mask_fill;
    int padding_mode;
};

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    return mr__padding_check(&p->padding, e);
}

static struct mr_border border_of(const struct params *p)
{
    struct mr_border b = {.mask_fill = p->mask_fill};
    mr__padding_expand(&p->padding, &b);
    mr__fill_expand(&p->fill, b.fill);
    return b;
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    struct mr_border b = border_of(p);
    int64_t w = in->w ? (int64_t)in->w + b.left + b.right : 0;
    int64_t h = in->h ? (int64_t)in->h + b.top + b.bottom : 0;
    if (w > INT32_MAX || h > INT32_MAX)
        return mr__fail(e, MR_E_CONFIG, "a padded image of %lld x %lld pixels is too large",
                        (long long)w, (long long)h);
    mr__spec_size(out, in, h, w);
    return mr__channels_check(&p->fill, "fill", in->c, e);
}

static int compose(const void *params, const void *drawn, struct mr_geometry *g,
                   struct mr_errbuf *e)
{
    const struct params *p = params;
    struct mr_border b = border_of(p);
    (void)drawn;
    (void)e;
    mr__geometry_pad(g, &b);
    g->border = !g->closed && p->padding_mode != CONSTANT;
    return MR_OK;
}

/* Which of n pixels stands at position i beyond them (or among them), as numpy.pad counts. */
static int32_t source(enum mode mode, int64_t i, int32_t n)
{
    if (mode == EDGE || n == 1)
        return (int32_t)(i < 0 ? 0 : i >= n ? n - 1 : i);
    int64_t period = mode == REFLECT ? 2 * ((int64_t)n - 1) : 2 * (int64_t)n;
    int64_t at = (i % period + period) % period;
    if (at < n)
        return (int32_t)at;
    return (int32_t)(mode == REFLECT ? period - at : period - 1 - at);
}

static uint8_t *row_of(const struct mr_view *image, int32_t y)
{
    return (uint8_t *)image->data + (int64_t)y * image->stride;
}

/* Paints both ends of a row whose inner pixels are there. */
static void paint_row(const struct mr_view *image, int32_t y, const struct mr_border *b,
                      enum mode mode)
{
    size_t pixel = (size_t)image->c * (size_t)(image->bits / 8);
    int32_t inner = image->w - b->left - b->right;
    uint8_t *row = row_of(image, y);
    for (int32_t x = 0; x < image->w; x++) {
        if (x == b->left)
            x += inner;
        if (x >= image->w)
            break;
        int32_t from = b->left + source(mode, (int64_t)x - b->left, inner);
        memcpy(row + (size_t)x * pixel, row + (size_t)from * pixel, pixel);
    }
}

static void border(const void *params, const void *drawn, const struct mr_view *image)
{
    const struct params *p = params;
    struct mr_border b = border_of(p);
    enum mode mode = (enum mode)p->padding_mode;
    int32_t inner = image->h - b.top - b.bottom;
    size_t bytes = (size_t)image->w * (size_t)image->c * (size_t)(image->bits / 8);
    (void)drawn;
    for (int32_t y = b.top; y < b.top + inner; y++)
        paint_row(image, y, &b, mode);
    for (int32_t y = 0; y < image->h; y++) {
        int32_t from = b.top + source(mode, (int64_t)y - b.top, inner);
        if (from != y)
            memcpy(row_of(image, y), row_of(image, from), bytes);
    }
}

static const struct mr_opt opts[] = {
    MR_PADDING_ROW(struct params, NULL),
    MR_FILL_ROW(struct params),
    MR_MASK_FILL_ROW(struct params),
    {.name = "padding_mode",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, padding_mode),
     .def = "constant",
     .names = mode_names,
     .help = "constant: 'fill'; edge: the outermost pixels; reflect and symmetric: mirrored, "
             "without and with them (masks alike)"},
    MR_OPTS_END,
};

const struct mr_op mr_op_pad = {
    .d = {.name = "pad",
          .help = "adds a border",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_GEOMETRY,
    .plan = plan,
    .compose = compose,
    .border = border,
};
