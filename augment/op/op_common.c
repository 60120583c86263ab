/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/op/op_common.h"

#include <math.h>
#include <stdio.h>

const char *const mr__interpolation_names[] = {"nearest", "box",     "bilinear", "hamming",
                                               "bicubic", "lanczos", NULL};

bool mr__draw_coin(mr_rng *rng, double p)
{
    return mr_rng_uniform(rng, 0, 1) < p;
}

double mr__draw_ratio(mr_rng *rng, const struct mr_range *ratio)
{
    return exp(mr_rng_uniform(rng, log(ratio->lo), log(ratio->hi)));
}

int32_t mr__draw_offset(mr_rng *rng, int32_t last)
{
    return (int32_t)mr_rng_below(rng, (uint64_t)last + 1);
}

int32_t mr__round(double v)
{
    return (int32_t)rint(fmin(fmax(v, INT32_MIN), INT32_MAX));
}

void mr__fill_expand(const struct mr_floats *fill, double out[4])
{
    for (int c = 0; c < 4; c++)
        out[c] = fill->n == 0 ? 0 : fill->v[c < fill->n ? c : fill->n - 1];
}

int mr__channels_check(const struct mr_floats *list, const char *key, int32_t c,
                       struct mr_errbuf *e)
{
    if (list->n == 1 || list->n == c)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "'%s' has %d numbers, the image %d channel%s: give one number, or one per "
                    "channel",
                    key, list->n, c, c == 1 ? "" : "s");
}

int mr__ratio_check(const struct mr_range *ratio, struct mr_errbuf *e)
{
    if (ratio->lo > 0)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG, "'ratio' must be above 0, not %g", ratio->lo);
}

void mr__spec_size(struct mr_spec *out, const struct mr_spec *in, int64_t h, int64_t w)
{
    *out = *in;
    out->h = (int32_t)h;
    out->w = (int32_t)w;
}

void mr__padding_expand(const struct mr_floats *padding, struct mr_border *b)
{
    const double *v = padding->v;
    int second = padding->n >= 2 ? 1 : 0;
    b->left = (int32_t)v[0];
    b->top = (int32_t)v[second];
    b->right = (int32_t)v[padding->n == 4 ? 2 : 0];
    b->bottom = (int32_t)v[padding->n == 4 ? 3 : second];
}

int mr__padding_check(const struct mr_floats *padding, struct mr_errbuf *e)
{
    if (padding->n != 1 && padding->n != 2 && padding->n != 4)
        return mr__fail(e, MR_E_CONFIG,
                        "'padding' takes 1, 2 or 4 numbers (all sides; left and right, top and "
                        "bottom; left, top, right, bottom), not %d",
                        padding->n);
    for (int i = 0; i < padding->n; i++) {
        if (padding->v[i] != floor(padding->v[i]))
            return mr__fail(e, MR_E_CONFIG, "'padding' counts whole pixels, not %g", padding->v[i]);
    }
    return MR_OK;
}

int mr__print_coin(const void *params, const void *draw, char *text, size_t cap)
{
    (void)params;
    const struct mr_coin_draw *d = draw;
    return snprintf(text, cap, "{\"on\": %s}", d->on ? "true" : "false");
}

int mr__print_rect(const void *params, const void *draw, char *text, size_t cap)
{
    (void)params;
    const struct mr_rect *r = draw;
    return snprintf(text, cap, "{\"x\": %d, \"y\": %d, \"w\": %d, \"h\": %d}", r->x, r->y, r->w,
                    r->h);
}
