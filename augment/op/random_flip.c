/* SPDX-License-Identifier: Apache-2.0
 *
 * random_flip.c: random_horizontal_flip and random_vertical_flip.
 */
#include "augment/op/op_common.h"

struct params {
    double p;
};

static void draw(const void *params, mr_rng *rng, const struct mr_spec *in, void *out)
{
    const struct params *p = params;
    (void)in;
    ((struct mr_coin_draw *)out)->on = mr__draw_coin(rng, p->p);
}

static int compose_horizontal(const void *params, const void *drawn, struct mr_geometry *g,
                              struct mr_errbuf *e)
{
    (void)params;
    (void)e;
    if (((const struct mr_coin_draw *)drawn)->on)
        mr__geometry_hflip(g);
    return MR_OK;
}

static int compose_vertical(const void *params, const void *drawn, struct mr_geometry *g,
                            struct mr_errbuf *e)
{
    (void)params;
    (void)e;
    if (((const struct mr_coin_draw *)drawn)->on)
        mr__geometry_vflip(g);
    return MR_OK;
}

static const struct mr_opt opts[] = {
    MR_P_ROW(struct params, "0.5", "probability of the flip"),
    MR_OPTS_END,
};

const struct mr_op mr_op_random_horizontal_flip = {
    .d = {.name = "random_horizontal_flip",
          .help = "mirrors left to right, or does nothing",
          .params_size = sizeof(struct params),
          .opts = opts},
    .kind = MR_OP_GEOMETRY,
    .draw_size = sizeof(struct mr_coin_draw),
    .draw = draw,
    .compose = compose_horizontal,
    .print = mr__print_coin,
};

const struct mr_op mr_op_random_vertical_flip = {
    .d = {.name = "random_vertical_flip",
          .help = "mirrors top to bottom, or does nothing",
          .params_size = sizeof(struct params),
          .opts = opts},
    .kind = MR_OP_GEOMETRY,
    .draw_size = sizeof(struct mr_coin_draw),
    .draw = draw,
    .compose = compose_vertical,
    .print = mr__print_coin,
};
