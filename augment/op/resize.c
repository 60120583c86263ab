/* SPDX-License-Identifier: Apache-2.0
 *
 * resize.c: to an exact size, or by the short side with the aspect ratio kept.
 */
#include "augment/op/op_common.h"

struct params {
    struct mr_size size;
    int64_t max_size;
    int interpolation;
    bool antialias;
};

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    if (p->max_size == 0)
        return MR_OK;
    if (!p->size.single)
        return mr__fail(e, MR_E_CONFIG,
                        "'max_size' bounds the long side, but 'size' gives both sides: leave one "
                        "of them out");
    if (p->max_size <= p->size.h)
        return mr__fail(e, MR_E_CONFIG,
                        "'max_size' (%lld) must be above 'size' (%lld), which is the short side",
                        (long long)p->max_size, (long long)p->size.h);
    return MR_OK;
}

/* The new size of a w x h image, h first; torchvision's integer rounding (down). */
static void target(const struct params *p, int64_t w, int64_t h, int64_t *nh, int64_t *nw)
{
    if (!p->size.single) {
        *nh = p->size.h;
        *nw = p->size.w;
        return;
    }
    int64_t small = w <= h ? w : h, large = w <= h ? h : w;
    int64_t new_small = p->size.h, new_large = new_small * large / small;
    if (p->max_size && new_large > p->max_size) {
        new_small = p->max_size * new_small / new_large;
        new_large = p->max_size;
    }
    if (new_small < 1)
        new_small = 1;
    *nw = w <= h ? new_small : new_large;
    *nh = w <= h ? new_large : new_small;
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    int64_t h = 0, w = 0;
    if (!p->size.single || (in->w && in->h))
        target(p, in->w, in->h, &h, &w);
    if (h > INT32_MAX || w > INT32_MAX)
        return mr__fail(e, MR_E_CONFIG,
                        "an image of %d x %d would become %lld x %lld: set 'max_size'", in->w,
                        in->h, (long long)w, (long long)h);
    mr__spec_size(out, in, h, w);
    return MR_OK;
}

static int compose(const void *params, const void *drawn, struct mr_geometry *g,
                   struct mr_errbuf *e)
{
    const struct params *p = params;
    (void)drawn;
    int64_t h, w;
    target(p, g->out_w, g->out_h, &h, &w);
    if (h > MR_SIDE_MAX || w > MR_SIDE_MAX)
        return mr__fail(e, MR_E_DATA,
                        "resize would make its %d x %d pixels %lld x %lld, above %d: set "
                        "'max_size'",
                        g->out_w, g->out_h, (long long)w, (long long)h, MR_SIDE_MAX);
    mr__geometry_resize(g, (int32_t)w, (int32_t)h, (enum mr_filter)p->interpolation, p->antialias);
    return MR_OK;
}

static const struct mr_opt opts[] = {
    MR_SIZE_ROW(struct params,
                "one number: the short side, the aspect ratio is kept; [height, width]: exactly"),
    {.name = "max_size",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, max_size),
     .def = "0",
     .min = 0,
     .max = MR_SIDE_MAX,
     .unit = "pixels",
     .help = "bound of the long side when 'size' is one number (the short side then gives way); "
             "0: none"},
    MR_INTERPOLATION_ROW(struct params, "bilinear"),
    MR_ANTIALIAS_ROW(struct params),
    MR_OPTS_END,
};

const struct mr_op mr_op_resize = {
    .d = {.name = "resize",
          .help = "resizes to an exact size, or by the short side",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_GEOMETRY,
    .plan = plan,
    .compose = compose,
};
