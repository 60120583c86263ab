/* SPDX-License-Identifier: Apache-2.0
 *
 * color_jitter.c: brightness, contrast, saturation and hue changed by random factors, in random
 * order.
 */
#include "augment/op/color.h"
#include "augment/op/op_common.h"

#include <stdio.h>

enum { KINDS = 4 };

struct params {
    struct mr_range brightness, contrast, saturation, hue;
};

struct drawn {
    uint8_t order[KINDS];
    bool on[KINDS];
    double factor[KINDS];
};

static void (*const change[KINDS])(const struct mr_view *, double) = {
    mr__color_brightness, mr__color_contrast, mr__color_saturation, mr__color_hue};
static const char *const kind_names[KINDS] = {"brightness", "contrast", "saturation", "hue"};
static const double centre[KINDS] = {1, 1, 1, 0}; /* the factor that changes nothing */

static const struct mr_range *range_of(const struct params *p, int kind)
{
    const struct mr_range *all[KINDS] = {&p->brightness, &p->contrast, &p->saturation, &p->hue};
    return all[kind];
}

/* The bounds of a factor; false when it can only be the one that changes nothing. */
static bool bounds(const struct params *p, int kind, double *lo, double *hi)
{
    const struct mr_range *r = range_of(p, kind);
    *lo = r->lo;
    *hi = r->hi;
    if (!r->set && !r->single)
        return false;
    if (r->single) {
        *lo = centre[kind] - r->hi;
        *hi = centre[kind] + r->hi;
        if (centre[kind] == 1 && *lo < 0)
            *lo = 0;
    }
    return *lo != centre[kind] || *hi != centre[kind];
}

static int check(const void *params, struct mr_errbuf *e)
{
    for (int k = 0; k < KINDS; k++) {
        const struct mr_range *r = range_of(params, k);
        if (r->single ? r->hi < 0 : r->lo < 0 && centre[k] == 1)
            return mr__fail(e, MR_E_CONFIG, "'%s' cannot be negative, it is %g", kind_names[k],
                            r->single ? r->hi : r->lo);
    }
    return MR_OK;
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    (void)params;
    if (in->bits != 8)
        return mr__fail(e, MR_E_CONFIG,
                        "it is made for 8-bit images: give the field 'image' bits: 8");
    *out = *in;
    return MR_OK;
}

static void draw(const void *params, mr_rng *rng, const struct mr_spec *in, void *out)
{
    struct drawn *d = out;
    (void)in;
    *d = (struct drawn){.order = {0, 1, 2, 3}};
    for (int i = KINDS - 1; i > 0; i--) {
        uint64_t k = mr_rng_below(rng, (uint64_t)i + 1);
        uint8_t t = d->order[i];
        d->order[i] = d->order[k];
        d->order[k] = t;
    }
    for (int k = 0; k < KINDS; k++) {
        double lo, hi;
        d->on[k] = bounds(params, k, &lo, &hi);
        if (d->on[k])
            d->factor[k] = mr_rng_uniform(rng, lo, hi);
    }
}

static void pixel(const void *params, const void *drawn, const struct mr_view *image)
{
    const struct drawn *d = drawn;
    (void)params;
    for (int i = 0; i < KINDS; i++) {
        int k = d->order[i];
        if (d->on[k])
            change[k](image, d->factor[k]);
    }
}

static int print(const void *params, const void *drawn, char *text, size_t cap)
{
    const struct drawn *d = drawn;
    size_t n = 0;
    (void)params;
    for (int i = 0; i < KINDS; i++) {
        int k = d->order[i];
        if (d->on[k])
            n += (size_t)snprintf(n < cap ? text + n : NULL, n < cap ? cap - n : 0,
                                  "%s\"%s\": %.17g", n ? ", " : "{", kind_names[k], d->factor[k]);
    }
    n += (size_t)snprintf(n < cap ? text + n : NULL, n < cap ? cap - n : 0, n ? "}" : "{}");
    return (int)n;
}

#define FACTOR_ROW(key, lo, hi, text)                                                       \
    {                                                                                       \
        .name = #key, .type = MR_OPT_SPREAD, .flags = MR_OPT_STREAM,                        \
        .off = offsetof(struct params, key), .def = "0", .min = lo, .max = hi, .help = text \
    }

static const struct mr_opt opts[] = {
    FACTOR_ROW(brightness, 0, 1000, "factor in [max(0, 1 - v), 1 + v], or in [min, max]; 0: none"),
    FACTOR_ROW(contrast, 0, 1000, "factor in [max(0, 1 - v), 1 + v], or in [min, max]; 0: none"),
    FACTOR_ROW(saturation, 0, 1000, "factor in [max(0, 1 - v), 1 + v], or in [min, max]; 0: none"),
    FACTOR_ROW(hue, -0.5, 0.5, "shift in [-v, v], or in [min, max], in turns of the colour circle"),
    MR_OPTS_END,
};

const struct mr_op mr_op_color_jitter = {
    .d = {.name = "color_jitter",
          .help = "changes brightness, contrast, saturation and hue, in random order",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_PIXEL,
    .draw_size = sizeof(struct drawn),
    .plan = plan,
    .draw = draw,
    .pixel = pixel,
    .print = print,
};
