/* SPDX-License-Identifier: Apache-2.0
 *
 * random_resized_crop.c: a random part of the image, of random area and aspect ratio, at a fixed
 * size: the "Inception crop" of Szegedy et al., "Going deeper with convolutions", CVPR 2015, as
 * torchvision draws it.
 */
#include "augment/op/op_common.h"

#include <math.h>

struct params {
    struct mr_size size;
    struct mr_range scale, ratio;
    int interpolation;
    bool antialias;
};

enum { TRIES = 10 };

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    return mr__ratio_check(&p->ratio, e);
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    (void)e;
    mr__spec_size(out, in, p->size.h, p->size.w);
    return MR_OK;
}

static bool try_crop(const struct params *p, mr_rng *rng, const struct mr_spec *in,
                     struct mr_rect *r)
{
    double area = (double)in->w * in->h * mr_rng_uniform(rng, p->scale.lo, p->scale.hi);
    double ratio = mr__draw_ratio(rng, &p->ratio);
    r->w = mr__round(sqrt(area * ratio));
    r->h = mr__round(sqrt(area / ratio));
    if (r->w < 1 || r->w > in->w || r->h < 1 || r->h > in->h)
        return false;
    r->y = mr__draw_offset(rng, in->h - r->h);
    r->x = mr__draw_offset(rng, in->w - r->w);
    return true;
}

/* Where no try fitted: the largest central part within the bounds of the aspect ratio. */
static void central_crop(const struct params *p, const struct mr_spec *in, struct mr_rect *r)
{
    double ratio = (double)in->w / in->h;
    r->w = in->w;
    r->h = in->h;
    if (ratio < p->ratio.lo)
        r->h = mr__round(in->w / p->ratio.lo);
    else if (ratio > p->ratio.hi)
        r->w = mr__round(in->h * p->ratio.hi);
    r->w = r->w < 1 ? 1 : r->w; /* one-pixel images with an extreme ratio */
    r->h = r->h < 1 ? 1 : r->h;
    r->x = (in->w - r->w) / 2;
    r->y = (in->h - r->h) / 2;
}

static void draw(const void *params, mr_rng *rng, const struct mr_spec *in, void *out)
{
    for (int i = 0; i < TRIES; i++) {
        if (try_crop(params, rng, in, out))
            return;
    }
    central_crop(params, in, out);
}

static int compose(const void *params, const void *drawn, struct mr_geometry *g,
                   struct mr_errbuf *e)
{
    const struct params *p = params;
    (void)e;
    mr__geometry_crop(g, drawn);
    mr__geometry_resize(g, (int32_t)p->size.w, (int32_t)p->size.h, (enum mr_filter)p->interpolation,
                        p->antialias);
    return MR_OK;
}

static const struct mr_opt opts[] = {
    MR_SIZE_ROW(struct params, "output size: one number for a square, or [height, width]"),
    {.name = "scale",
     .type = MR_OPT_RANGE,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, scale),
     .def = "[0.08, 1.0]",
     .min = 0,
     .max = 1,
     .help = "bounds of the crop's area, as a part of the image's"},
    {.name = "ratio",
     .type = MR_OPT_RANGE,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, ratio),
     .def = "[0.75, 1.3333333333333333]",
     .min = 0,
     .max = 1000,
     .help = "bounds of the crop's width by height, before it is resized"},
    MR_INTERPOLATION_ROW(struct params, "bilinear"),
    MR_ANTIALIAS_ROW(struct params),
    MR_OPTS_END,
};

const struct mr_op mr_op_random_resized_crop = {
    .d = {.name = "random_resized_crop",
          .help = "cuts a random part (area and aspect ratio drawn) and resizes it",
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
