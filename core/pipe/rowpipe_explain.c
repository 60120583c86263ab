/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_explain.c: the plan as text for people, and the draws of a row as JSON.
 */
#include "base/text.h"
#include "pipe/rowpipe_types.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- an option's value, as it would be written in the config ---- */

static void put_floats(FILE *f, const double *v, int n, bool list)
{
    fprintf(f, "%s", list ? "[" : "");
    for (int i = 0; i < n; i++)
        fprintf(f, "%s%g", i ? ", " : "", v[i]);
    fprintf(f, "%s", list ? "]" : "");
}

static void put_bool(FILE *f, const struct mr_opt *o, const void *v)
{
    (void)o;
    fputs(*(const bool *)v ? "true" : "false", f);
}

static void put_int(FILE *f, const struct mr_opt *o, const void *v)
{
    (void)o;
    fprintf(f, "%" PRId64, *(const int64_t *)v);
}

static void put_float(FILE *f, const struct mr_opt *o, const void *v)
{
    (void)o;
    fprintf(f, "%g", *(const double *)v);
}

static void put_enum(FILE *f, const struct mr_opt *o, const void *v)
{
    fputs(o->names[*(const int *)v], f);
}

static void put_str(FILE *f, const struct mr_opt *o, const void *v)
{
    const char *text = *(const char *const *)v;
    (void)o;
    fputs(text ? text : "\"\"", f);
}

static void put_list(FILE *f, const struct mr_opt *o, const void *v)
{
    const struct mr_floats *l = v;
    (void)o;
    put_floats(f, l->v, l->n, l->n != 1);
}

static void put_range(FILE *f, const struct mr_opt *o, const void *v)
{
    const struct mr_range *r = v;
    (void)o;
    if (r->single)
        fprintf(f, "%g", r->hi);
    else
        put_floats(f, (double[]){r->lo, r->hi}, 2, true);
}

static void put_size(FILE *f, const struct mr_opt *o, const void *v)
{
    const struct mr_size *s = v;
    (void)o;
    if (s->single)
        fprintf(f, "%" PRId64, s->h);
    else
        fprintf(f, "[%" PRId64 ", %" PRId64 "]", s->h, s->w);
}

static void put_strs(FILE *f, const struct mr_opt *o, const void *v)
{
    const struct mr_strs *s = v;
    (void)o;
    for (int i = 0; i < s->n; i++)
        fprintf(f, "%s%s", i ? " " : "", s->v[i]);
}

static void put_share(FILE *f, const struct mr_opt *o, const void *v)
{
    (void)o;
    fputs(((const struct mr_share *)v)->text, f);
}

static void (*const put_value[MR_OPT_TYPE_COUNT])(FILE *, const struct mr_opt *, const void *) = {
    [MR_OPT_BOOL] = put_bool,   [MR_OPT_INT] = put_int,     [MR_OPT_FLOAT] = put_float,
    [MR_OPT_ENUM] = put_enum,   [MR_OPT_STR] = put_str,     [MR_OPT_PATH] = put_str,
    [MR_OPT_FLOATS] = put_list, [MR_OPT_RANGE] = put_range, [MR_OPT_SPREAD] = put_range,
    [MR_OPT_SIZE] = put_size,   [MR_OPT_STRS] = put_strs,   [MR_OPT_SHARE] = put_share};

/* ---- the plan ---- */

static void put_op(FILE *f, const struct mr_rowop *o)
{
    const char *between = " {";
    fputs(o->op->d.name, f);
    for (const struct mr_opt *opt = o->op->d.opts; opt && opt->name; opt++) {
        fprintf(f, "%s%s: ", between, opt->name);
        put_value[opt->type](f, opt, (const uint8_t *)o->params + opt->off);
        between = ", ";
    }
    fputs(o->op->d.opts ? "}" : "", f);
}

static const char *place_of(const struct mr_rowop *o)
{
    static const char *const places[] = {[MR_OP_GEOMETRY] = "moves",
                                         [MR_OP_PIXEL] = "pixels",
                                         [MR_OP_STORE] = "store",
                                         [MR_OP_TENSOR] = "row"};
    return o->on_pixels ? "pixels" : places[o->op->kind];
}

static void put_ops(FILE *f, const struct mr_rowpipe *p)
{
    for (int i = 0; i < p->nops; i++) {
        const struct mr_rowop *o = &p->ops[i];
        const struct mr_spec *out = i + 1 < p->nops ? &p->ops[i + 1].in : &p->last;
        fprintf(f, "  %d. %-7s", i + 1, place_of(o));
        put_op(f, o);
        if (out->w > 0 && out->h > 0)
            fprintf(f, " -> %d x %d", out->w, out->h);
        fputc('\n', f);
    }
}

/* How many passes over pixels there are at least, and what each stands for. */
static void put_passes(FILE *f, const struct mr_rowpipe *p)
{
    int pixels = 0;
    bool moved = false;
    for (int i = 0; i < p->nops; i++) {
        moved = moved || p->ops[i].op->kind == MR_OP_GEOMETRY;
        pixels += p->ops[i].on_pixels;
    }
    bool fast = p->config->decode == MR_DECODE_FAST;
    fprintf(f, "  decode: %s, %d channel%s of %d bits, %s\n",
            moved && (pixels == 0 || !p->ops[0].on_pixels) ? "only what the first stage reads"
            : p->windows                                   ? "only the sampler's window"
                                                           : "the whole image",
            p->last.c, p->last.c == 1 ? "" : "s", p->last.bits,
            fast ? "fast (JPEGs 2, 4 or 8 times smaller where enough pixels are left)" : "exact");
    if (pixels == 0)
        fprintf(f, "  one pass: resample + flip + %scast to %s + %s, into the batch\n",
                p->store.affine ? "scale and bias + " : "", mr_dtype_name(p->store.dtype),
                p->store.chw ? "NCHW" : "NHWC");
    else
        fprintf(f,
                "  %d op%s on pixels in scratch memory; last pass: %s%scast to %s + %s, into the "
                "batch\n",
                pixels, pixels == 1 ? "" : "s", moved ? "resample + flip + " : "",
                p->store.affine ? "scale and bias + " : "", mr_dtype_name(p->store.dtype),
                p->store.chw ? "NCHW" : "NHWC");
}

static const char *kind_text(enum mr_field_kind kind)
{
    static const char *const texts[] = {[MR_FIELD_IMAGE] = "the image",
                                        [MR_FIELD_MASK] = "its mask, by nearest neighbour",
                                        [MR_FIELD_BOXES] =
                                            "its boxes (x0 y0 x1 y1), cut to the image",
                                        [MR_FIELD_COLUMN] = "a column of the source",
                                        [MR_FIELD_WINDOW] = "where it lies in its image (x y w h)",
                                        [MR_FIELD_USER] = "made by the user's producer"};
    return texts[kind];
}

static void put_fields(FILE *f, const struct mr_rowpipe *p)
{
    for (int i = 0; i < p->nplans; i++) {
        const struct mr_field_plan *plan = &p->plans[i];
        fprintf(f, "  %s: %s [batch", plan->name, mr_dtype_name(plan->dtype));
        for (int d = 0; d < plan->ndim; d++)
            fprintf(f, ", %" PRId64, plan->shape[d]);
        fprintf(f, "], %" PRIu64 " bytes a row: %s\n", plan->row_bytes, kind_text(plan->kind));
    }
}

char *mr__rowpipe_explain(const struct mr_rowpipe *p)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return NULL;
    fprintf(f, "fields\n");
    put_fields(f, p);
    if (p->image >= 0 || p->mask >= 0) {
        if (p->windows)
            fprintf(f, "window: %d x %d, the sampler's\n", p->first.w, p->first.h);
        fprintf(f, "ops\n");
        put_ops(f, p);
    }
    if (p->image >= 0) {
        fprintf(f, "image\n");
        put_passes(f, p);
    }
    return mr__stream_text(f, &text);
}

/* ---- draws ---- */

int mr__rowwork_print(const struct mr_rowwork *work, char *text, size_t cap)
{
    const struct mr_rowpipe *p = work->pipe;
    size_t n = 0;
    int count = 0;
#define PUT(...) \
    n += (size_t)snprintf(n < cap ? text + n : NULL, n < cap ? cap - n : 0, __VA_ARGS__)
    PUT("[");
    for (int i = 0; i < p->nops; i++) {
        const struct mr_rowop *o = &p->ops[i];
        if (!o->op->print)
            continue;
        PUT("%s{\"op\": \"%s\", \"draw\": ", count++ ? ", " : "", o->op->d.name);
        n += (size_t)o->op->print(o->params, work->draws + o->draw_at, n < cap ? text + n : NULL,
                                  n < cap ? cap - n : 0);
        PUT("}");
    }
    PUT("]");
#undef PUT
    return (int)n;
}
