/* SPDX-License-Identifier: Apache-2.0
 *
 * normalize.c: (v / 255 - mean) / std, folded into the last pass. As torchvision's ToTensor and
 * Normalize together: pixel values are brought to 0 .. 1 first (a 16-bit image by 65535), so that
 * the usual means and deviations fit.
 */
#include "augment/op/op_common.h"

struct params {
    struct mr_floats mean, std;
};

static int check(const void *params, struct mr_errbuf *e)
{
    const struct params *p = params;
    for (int i = 0; i < p->std.n; i++) {
        if (!(p->std.v[i] > 0))
            return mr__fail(e, MR_E_CONFIG, "'std' divides, so it must be above 0, not %g",
                            p->std.v[i]);
    }
    return MR_OK;
}

static bool is_float(enum mr_dtype t)
{
    return t == MR_F16 || t == MR_BF16 || t == MR_F32 || t == MR_F64;
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    int rc = mr__channels_check(&p->mean, "mean", in->c, e);
    if (rc == MR_OK)
        rc = mr__channels_check(&p->std, "std", in->c, e);
    if (rc != MR_OK)
        return rc;
    if (in->normalized)
        return mr__fail(e, MR_E_CONFIG, "there is a 'normalize' before this one: leave one out");
    if (!is_float(in->dtype))
        return mr__fail(e, MR_E_CONFIG,
                        "'normalize' makes fractions, which %s cannot hold: give the field dtype "
                        "float32, float16 or bfloat16",
                        mr_dtype_name(in->dtype));
    *out = *in;
    out->normalized = true;
    return MR_OK;
}

static void store(const void *params, const struct mr_spec *in, struct mr_store *s)
{
    const struct params *p = params;
    double mean[4], std[4], top = in->bits == 16 ? 65535 : 255;
    mr__fill_expand(&p->mean, mean);
    mr__fill_expand(&p->std, std);
    for (int c = 0; c < 4; c++) {
        s->scale[c] = (float)(1 / (top * std[c]));
        s->bias[c] = (float)(-mean[c] / std[c]);
    }
    s->affine = true;
}

static const struct mr_opt opts[] = {
    {.name = "mean",
     .type = MR_OPT_FLOATS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, mean),
     .def = NULL,
     .min = -1e6,
     .max = 1e6,
     .help = "what is subtracted, for pixels in 0 .. 1: one number, or one per channel"},
    {.name = "std",
     .type = MR_OPT_FLOATS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, std),
     .def = NULL,
     .min = 0,
     .max = 1e6,
     .help = "what the difference is divided by: one number, or one per channel"},
    MR_OPTS_END,
};

const struct mr_op mr_op_normalize = {
    .d = {.name = "normalize",
          .help = "brings pixels to 0 .. 1, subtracts mean, divides by std",
          .params_size = sizeof(struct params),
          .opts = opts,
          .check = check},
    .kind = MR_OP_STORE,
    .plan = plan,
    .store = store,
};
