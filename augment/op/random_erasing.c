/* SPDX-License-Identifier: Apache-2.0
 *
 * random_erasing.c: a random rectangle becomes one colour or noise (Zhong, Zheng, Kang, Li, Yang:
 * "Random erasing data augmentation", AAAI 2020), as torchvision draws it. Behind normalize it
 * works on the stored row, in its values; before it, on pixels, in theirs.
 */
#include "augment/kernel/convert.h"
#include "augment/op/op_common.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum mode { CONSTANT, NOISE };
static const char *const mode_names[] = {"constant", "random", NULL};

struct params {
    double p;
    struct mr_range scale, ratio;
    struct mr_floats value;
    int mode;
};

struct drawn {
    struct mr_rect rect; /* w = 0: nothing is erased */
    mr_rng noise;        /* where the noise starts */
};

enum { TRIES = 10 };

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    return mr__ratio_check(&p->ratio, e);
}

static bool is_float(enum mr_dtype t)
{
    return t == MR_F16 || t == MR_BF16 || t == MR_F32 || t == MR_F64;
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    *out = *in;
    if (p->mode == NOISE && !((in->normalized || in->unit) && is_float(in->dtype)))
        return mr__fail(e, MR_E_CONFIG,
                        "'mode: random' fills with numbers around 0, which pixels cannot hold: put "
                        "it behind 'normalize'");
    return mr__channels_check(&p->value, "value", in->c, e);
}

/* As torchvision: ratio is height by width here, and a rectangle as large as the image is no try.
 */
static bool try_rect(const struct params *p, mr_rng *rng, const struct mr_spec *in,
                     struct mr_rect *r)
{
    double area = (double)in->w * in->h * mr_rng_uniform(rng, p->scale.lo, p->scale.hi);
    double ratio = mr__draw_ratio(rng, &p->ratio);
    r->h = mr__round(sqrt(area * ratio));
    r->w = mr__round(sqrt(area / ratio));
    if (r->h >= in->h || r->w >= in->w)
        return false;
    r->y = mr__draw_offset(rng, in->h - r->h);
    r->x = mr__draw_offset(rng, in->w - r->w);
    return true;
}

static void draw(const void *params, mr_rng *rng, const struct mr_spec *in, void *out)
{
    const struct params *p = params;
    struct drawn *d = out;
    bool done = !mr__draw_coin(rng, p->p);
    memset(d, 0, sizeof *d);
    if (done)
        return;
    for (int i = 0; i < TRIES && !done; i++)
        done = try_rect(p, rng, in, &d->rect);
    if (!done)
        d->rect = (struct mr_rect){0, 0, 0, 0};
    d->noise = *rng;
}

static void pixel(const void *params, const void *drawn, const struct mr_view *image)
{
    const struct params *p = params;
    const struct mr_rect *r = &((const struct drawn *)drawn)->rect;
    double value[4], top = image->bits == 16 ? 65535 : 255;
    mr__fill_expand(&p->value, value);
    for (int32_t y = r->y; y < r->y + r->h; y++) {
        uint8_t *row = (uint8_t *)image->data + (int64_t)y * image->stride;
        for (int32_t i = r->x * image->c; i < (r->x + r->w) * image->c; i++) {
            double v = rint(fmin(fmax(value[i % image->c], 0), top));
            if (image->bits == 16)
                ((uint16_t *)(void *)row)[i] = (uint16_t)v;
            else
                row[i] = (uint8_t)v;
        }
    }
}

/* Noise is drawn channel by channel, row by row, as a [c][h][w] tensor of normal numbers is. */
static void tensor(const void *params, const void *drawn, const struct mr_tensor *row)
{
    const struct params *p = params;
    const struct drawn *d = drawn;
    const struct mr_rect *r = &d->rect;
    mr_rng noise = d->noise;
    double value[4];
    mr__fill_expand(&p->value, value);
    for (int64_t c = 0; c < row->shape[0]; c++) {
        for (int32_t y = r->y; y < r->y + r->h; y++) {
            uint8_t *at = (uint8_t *)row->data + c * row->strides[0] + y * row->strides[1] +
                          r->x * row->strides[2];
            for (int32_t x = 0; x < r->w; x++, at += row->strides[2])
                mr__convert(row->dtype,
                            (float)(p->mode == NOISE ? mr_rng_normal(&noise) : value[c]), at);
        }
    }
}

static int print(const void *params, const void *drawn, char *text, size_t cap)
{
    return mr__print_rect(params, &((const struct drawn *)drawn)->rect, text, cap);
}

static const struct mr_opt opts[] = {
    MR_P_ROW(struct params, "0.5", "probability that anything is erased"),
    {.name = "scale",
     .type = MR_OPT_RANGE,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, scale),
     .def = "[0.02, 0.33]",
     .min = 0,
     .max = 1,
     .help = "bounds of the erased area, as a part of the image's"},
    {.name = "ratio",
     .type = MR_OPT_RANGE,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, ratio),
     .def = "[0.3, 3.3]",
     .min = 0,
     .max = 1000,
     .help = "bounds of the rectangle's height by width"},
    {.name = "value",
     .type = MR_OPT_FLOATS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, value),
     .def = "0",
     .min = -65535,
     .max = 65535,
     .help = "what is written: one number, or one per channel; pixel values before normalize, "
             "normalised ones behind it"},
    {.name = "mode",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, mode),
     .def = "constant",
     .names = mode_names,
     .help = "constant: 'value'; random: normal noise (torchvision's value=\"random\")"},
    MR_OPTS_END,
};

const struct mr_op mr_op_random_erasing = {
    .d = {.name = "random_erasing",
          .help = "overwrites a random rectangle, or does nothing",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_TENSOR,
    .draw_size = sizeof(struct drawn),
    .plan = plan,
    .draw = draw,
    .pixel = pixel,
    .tensor = tensor,
    .print = print,
};
