/* SPDX-License-Identifier: Apache-2.0
 *
 * op_common.h: what several ops share: names of filters, fills, the draw of a patch's shape, sizes.
 */
#ifndef MR_AUGMENT_OP_COMMON_H
#define MR_AUGMENT_OP_COMMON_H

#include "augment/geometry.h"
#include "base/descriptor.h"

/* The longest side an op may ask for, and the bound that its option rows name. */
#define MR_SIDE_MAX 65535

/* Config names of enum mr_filter, in its order; NULL-terminated. */
extern const char *const mr__interpolation_names[];

#define MR_INTERPOLATION_ROW(params, def_)                                                     \
    {                                                                                          \
        .name = "interpolation", .type = MR_OPT_ENUM, .flags = MR_OPT_STREAM,                  \
        .off = offsetof(params, interpolation), .def = def_, .names = mr__interpolation_names, \
        .help = "filter of the resampling, as Pillow's of that name"                           \
    }
#define MR_ANTIALIAS_ROW(params)                                                                \
    {                                                                                           \
        .name = "antialias", .type = MR_OPT_BOOL, .flags = MR_OPT_STREAM,                       \
        .off = offsetof(params, antialias), .def = "true",                                      \
        .help = "widen the filter when shrinking, as Pillow does; false is cheaper and aliases" \
    }
#define MR_SIZE_ROW(params, help_)                                                \
    {                                                                             \
        .name = "size", .type = MR_OPT_SIZE, .flags = MR_OPT_STREAM,              \
        .off = offsetof(params, size), .def = NULL, .min = 1, .max = MR_SIDE_MAX, \
        .unit = "pixels", .help = help_                                           \
    }
#define MR_P_ROW(params, def_, help_)                                                          \
    {                                                                                          \
        .name = "p", .type = MR_OPT_FLOAT, .flags = MR_OPT_STREAM, .off = offsetof(params, p), \
        .def = def_, .min = 0, .max = 1, .help = help_                                         \
    }
#define MR_PADDING_ROW(params, def_)                                                              \
    {                                                                                             \
        .name = "padding", .type = MR_OPT_FLOATS, .flags = MR_OPT_STREAM,                         \
        .off = offsetof(params, padding), .def = def_, .min = 0, .max = MR_SIDE_MAX,              \
        .unit = "pixels",                                                                         \
        .help =                                                                                   \
            "1 number: all sides; 2: left and right, top and bottom; 4: left, top, right, bottom" \
    }
#define MR_FILL_ROW(params)                                                            \
    {                                                                                  \
        .name = "fill", .type = MR_OPT_FLOATS, .flags = MR_OPT_STREAM,                 \
        .off = offsetof(params, fill), .def = "0", .min = 0, .max = 65535,             \
        .help = "colour of the border in pixel values: one number, or one per channel" \
    }
#define MR_MASK_FILL_ROW(params)                                                     \
    {                                                                                \
        .name = "mask_fill", .type = MR_OPT_FLOAT, .flags = MR_OPT_STREAM,           \
        .off = offsetof(params, mask_fill), .def = "0", .min = 0, .max = 65535,      \
        .help = "class of the border in masks, for example the one the loss ignores" \
    }

/* A flip's draw, and that of other ops which only happen or do not. */
struct mr_coin_draw {
    bool on;
};
/* True with probability p: uniform [0, 1) < p, as torch.rand(1) < p. */
bool mr__draw_coin(mr_rng *rng, double p);

/* exp(uniform(log lo, log hi)): an aspect ratio, as likely to be r as 1/r. */
double mr__draw_ratio(mr_rng *rng, const struct mr_range *ratio);
/* Whole numbers, uniform in [0, last]. last >= 0. */
int32_t mr__draw_offset(mr_rng *rng, int32_t last);

/* Python's round(): ties to even. */
int32_t mr__round(double v);

/* `fill` as one colour: one number is taken for all channels. */
void mr__fill_expand(const struct mr_floats *fill, double out[4]);
/* plan(): 1 or `c` numbers in `list`, else MR_E_CONFIG naming `key`. */
int mr__channels_check(const struct mr_floats *list, const char *key, int32_t c,
                       struct mr_errbuf *e);

/* check(): a ratio's bounds must be above 0. */
int mr__ratio_check(const struct mr_range *ratio, struct mr_errbuf *e);
/* plan() of an op whose output size is always `size`. */
void mr__spec_size(struct mr_spec *out, const struct mr_spec *in, int64_t h, int64_t w);

/* `padding` as torchvision reads it: 1 number (all sides), 2 (left and right, top and bottom) or 4
 * (left, top, right, bottom). */
void mr__padding_expand(const struct mr_floats *padding, struct mr_border *b);
/* check(): 1, 2 or 4 whole numbers. */
int mr__padding_check(const struct mr_floats *padding, struct mr_errbuf *e);

/* print() of the draws above. */
int mr__print_coin(const void *params, const void *draw, char *text, size_t cap);
int mr__print_rect(const void *params, const void *draw, char *text, size_t cap);

#endif
