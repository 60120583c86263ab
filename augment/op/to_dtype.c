/* SPDX-License-Identifier: Apache-2.0
 *
 * to_dtype.c: the element type that is delivered, and whether pixels are brought to 0 .. 1, as
 * torchvision's v2.ToDtype. Without it (and without normalize) a float field holds 0 .. 255.
 */
#include "augment/op/op_common.h"

struct params {
    int dtype;
    bool scale;
};

#define DTYPE_TEXT(name, text, bytes) text,
static const char *const dtype_names[] = {MR_DTYPES(DTYPE_TEXT) NULL};

static bool is_float(int t)
{
    return t == MR_F16 || t == MR_BF16 || t == MR_F32 || t == MR_F64;
}

/* Integers of the pixel's own range are the one kind that 'scale' leaves as they are. */
static bool is_pixel_type(int t, int32_t bits)
{
    return t == (bits == 16 ? MR_U16 : MR_U8);
}

static int plan(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e)
{
    const struct params *p = params;
    const char *name = dtype_names[p->dtype];
    if ((in->normalized || in->unit) && !is_float(p->dtype))
        return mr__fail(e, MR_E_CONFIG,
                        "the values are fractions here, %s would cut them: take a float dtype",
                        name);
    if (p->scale && !is_float(p->dtype) && !is_pixel_type(p->dtype, in->bits))
        return mr__fail(e, MR_E_CONFIG,
                        "'scale: true' brings pixels to 0 .. 1, which %s cannot hold: take a float "
                        "dtype, or scale: false",
                        name);
    *out = *in;
    out->dtype = (enum mr_dtype)p->dtype;
    out->unit = in->unit || (p->scale && is_float(p->dtype) && !in->normalized);
    return MR_OK;
}

static void store(const void *params, const struct mr_spec *in, struct mr_store *s)
{
    const struct params *p = params;
    s->dtype = (enum mr_dtype)p->dtype;
    if (!p->scale || !is_float(p->dtype) || in->normalized || in->unit)
        return;
    for (int c = 0; c < 4; c++) {
        s->scale[c] = in->bits == 16 ? 1.0f / 65535 : 1.0f / 255;
        s->bias[c] = 0;
    }
    s->affine = true;
}

static const struct mr_opt opts[] = {
    {.name = "dtype",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, dtype),
     .def = NULL,
     .names = dtype_names,
     .help = "element type; the image field has to have the same"},
    {.name = "scale",
     .type = MR_OPT_BOOL,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct params, scale),
     .def = "false",
     .help = "divide by 255 (16-bit images by 65535) on the way to a float type"},
    MR_OPTS_END,
};

const struct mr_op mr_op_to_dtype = {
    .d = {.name = "to_dtype",
          .help = "sets the element type, and scales to 0 .. 1 if wanted",
          .params_size = sizeof(struct params),
          .opts = opts},
    .kind = MR_OP_STORE,
    .plan = plan,
    .store = store,
};
