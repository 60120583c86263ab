/* SPDX-License-Identifier: Apache-2.0
 *
 * center_crop.c: the middle of the image; a smaller image gets a black border, as in torchvision.
 */
#include "augment/op/op_common.h"

struct params {
    struct mr_size size;
};

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    (void)e;
    mr__spec_size(out, in, p->size.h, p->size.w);
    return MR_OK;
}

/* Where the crop starts: torchvision pads a smaller side with half of what is missing, rounded
 * down, before, and rounds half of what is too much to even. */
static int32_t start(int32_t have, int32_t want)
{
    return have < want ? -((want - have) / 2) : mr__round((have - want) / 2.0);
}

static int compose(const void *params, const void *drawn, struct mr_geometry *g,
                   struct mr_errbuf *e)
{
    const struct params *p = params;
    (void)drawn;
    (void)e;
    int32_t w = (int32_t)p->size.w, h = (int32_t)p->size.h;
    mr__geometry_crop(g, &(struct mr_rect){start(g->out_w, w), start(g->out_h, h), w, h});
    return MR_OK;
}

static const struct mr_opt opts[] = {
    MR_SIZE_ROW(struct params, "size of the crop: one number for a square, or [height, width]"),
    MR_OPTS_END,
};

const struct mr_op mr_op_center_crop = {
    .d = {.name = "center_crop",
          .help = "cuts out the middle; a smaller image gets a black border",
          .params_size = sizeof(struct params),
          .opts = opts},
    .kind = MR_OP_GEOMETRY,
    .plan = plan,
    .compose = compose,
};
