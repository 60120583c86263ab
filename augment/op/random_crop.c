/* SPDX-License-Identifier: Apache-2.0
 *
 * random_crop.c: a part of fixed size at a random place, after padding if wanted.
 */
#include "augment/op/op_common.h"

struct params {
    struct mr_size size;
    struct mr_floats padding, fill;
    double mask_fill;
    bool pad_if_needed;
};

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    return mr__padding_check(&p->padding, e);
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    mr__spec_size(out, in, p->size.h, p->size.w);
    return mr__channels_check(&p->fill, "fill", in->c, e);
}

/* The whole border around a w x h image: `padding`, then, on a side that is still too small, what
 * is missing on both of its ends, as torchvision does. */
static struct mr_border border_of(const struct params *p, int32_t w, int32_t h)
{
    struct mr_border b = {.mask_fill = p->mask_fill};
    mr__padding_expand(&p->padding, &b);
    mr__fill_expand(&p->fill, b.fill);
    int64_t more_w = p->size.w - ((int64_t)w + b.left + b.right);
    int64_t more_h = p->size.h - ((int64_t)h + b.top + b.bottom);
    if (p->pad_if_needed && more_w > 0) {
        b.left += (int32_t)more_w;
        b.right += (int32_t)more_w;
    }
    if (p->pad_if_needed && more_h > 0) {
        b.top += (int32_t)more_h;
        b.bottom += (int32_t)more_h;
    }
    return b;
}

/* Offset in the padded image; 0 where the crop does not fit, which compose() then refuses. */
static int32_t draw_side(mr_rng *rng, int64_t have, int64_t want)
{
    return have > want ? mr__draw_offset(rng, (int32_t)(have - want)) : 0;
}

static void draw(const void *params, mr_rng *rng, const struct mr_spec *in, void *out)
{
    const struct params *p = params;
    struct mr_border b = border_of(p, in->w, in->h);
    struct mr_rect *r = out;
    r->w = (int32_t)p->size.w;
    r->h = (int32_t)p->size.h;
    r->y = draw_side(rng, (int64_t)in->h + b.top + b.bottom, r->h);
    r->x = draw_side(rng, (int64_t)in->w + b.left + b.right, r->w);
}

static int compose(const void *params, const void *drawn, struct mr_geometry *g,
                   struct mr_errbuf *e)
{
    const struct params *p = params;
    const struct mr_rect *r = drawn;
    struct mr_border b = border_of(p, g->out_w, g->out_h);
    int64_t w = (int64_t)g->out_w + b.left + b.right, h = (int64_t)g->out_h + b.top + b.bottom;
    if (w < r->w || h < r->h)
        return mr__fail(e, MR_E_DATA,
                        "random_crop takes %d x %d out of its %lld x %lld pixels: set "
                        "pad_if_needed: true, or resize first",
                        r->w, r->h, (long long)w, (long long)h);
    mr__geometry_pad(g, &b);
    if (!g->closed)
        mr__geometry_crop(g, r);
    return MR_OK;
}

static const struct mr_opt opts[] = {
    MR_SIZE_ROW(struct params, "size of the crop: one number for a square, or [height, width]"),
    MR_PADDING_ROW(struct params, "0"),
    {.name = "pad_if_needed",
     .type = MR_OPT_BOOL,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, pad_if_needed),
     .def = "false",
     .help = "pad a smaller image; without it a smaller image is a bad sample"},
    MR_FILL_ROW(struct params),
    MR_MASK_FILL_ROW(struct params),
    MR_OPTS_END,
};

const struct mr_op mr_op_random_crop = {
    .d = {.name = "random_crop",
          .help = "cuts a part of fixed size at a random place (for mirrored borders put 'pad' "
                  "before it)",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_GEOMETRY,
    .draw_size = sizeof(struct mr_rect),
    .plan = plan,
    .draw = draw,
    .compose = compose,
    .print = mr__print_rect,
};
