/* SPDX-License-Identifier: Apache-2.0
 *
 * opt_text.c: options as text: what a row accepts, and a value's one canonical spelling.
 */
#include "opt.h"
#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void bound_text(const struct mr_opt *o, double v, char text[MR_NUMBER_TEXT])
{
    bool whole = o->type == MR_OPT_INT || o->type == MR_OPT_SIZE || o->type == MR_OPT_SHARE ||
                 (o->flags & MR_OPT_WHOLE);
    if (whole && fabs(v) < 1e15)
        snprintf(text, MR_NUMBER_TEXT, "%.0f", v);
    else
        mr__number_text(v, text);
}

const char *mr__opt_bounds_text(const struct mr_opt *o, char text[80])
{
    char lo[MR_NUMBER_TEXT], hi[MR_NUMBER_TEXT];
    bound_text(o, o->min, lo);
    bound_text(o, o->max, hi);
    text[0] = 0;
    if (o->min == 0 && o->max == 0)
        return text;
    if (isinf(o->max) && isinf(o->min))
        return text;
    if (isinf(o->max))
        snprintf(text, 80, "at least %s", lo);
    else if (isinf(o->min))
        snprintf(text, 80, "at most %s", hi);
    else if (o->min == o->max)
        snprintf(text, 80, "%s", lo);
    else
        snprintf(text, 80, "%s to %s", lo, hi);
    return text;
}

static const char *const type_texts[MR_OPT_TYPE_COUNT] = {
    [MR_OPT_BOOL] = "true or false",
    [MR_OPT_INT] = "a whole number",
    [MR_OPT_FLOAT] = "a number",
    [MR_OPT_STR] = "a text",
    [MR_OPT_PATH] = "a path",
    [MR_OPT_FLOATS] = "a number or a list of numbers",
    [MR_OPT_RANGE] = "two numbers [low, high]",
    [MR_OPT_SPREAD] = "a number or two numbers [low, high]",
    [MR_OPT_SIZE] = "a whole number or two [height, width]",
    [MR_OPT_STRS] = "a text or a list of texts",
    [MR_OPT_SHARE] = "a whole number or a percentage (1%)",
};

const char *mr__opt_type_text(const struct mr_opt *o, struct mr_text *scratch)
{
    if (o->type == MR_OPT_ENUM) {
        for (int i = 0; o->names[i]; i++)
            mr__text_addf(scratch, "%s%s",
                          i == 0            ? ""
                          : o->names[i + 1] ? ", "
                                            : " or ",
                          o->names[i]);
        return scratch->data ? scratch->data : "";
    }
    if (o->type == MR_OPT_INT && (o->flags & MR_OPT_AUTO))
        return o->flags & MR_OPT_OFF ? "a whole number, auto or off" : "a whole number or auto";
    if (o->type == MR_OPT_SHARE && (o->flags & MR_OPT_AUTO))
        return "a whole number, a percentage (1%) or auto";
    if (o->type == MR_OPT_FLOATS && (o->flags & MR_OPT_WHOLE))
        return "a whole number or a list of them";
    return type_texts[o->type];
}

static void add_number(struct mr_text *t, double v)
{
    char text[MR_NUMBER_TEXT];
    mr__text_addf(t, "%s", mr__number_text(v + 0.0, text)); /* -0.0 is written 0 */
}

/* Texts carry their length, so that no value can pretend to be two. */
static void add_str(struct mr_text *t, const char *s)
{
    if (!s)
        s = "";
    size_t n = 0;
    while (s[n])
        n++;
    mr__text_addf(t, "%zu:%s", n, s);
}

static void add_floats(struct mr_text *t, const struct mr_floats *f)
{
    mr__text_addf(t, "%d:", f->n);
    for (int i = 0; i < f->n; i++) {
        add_number(t, f->v[i]);
        mr__text_addf(t, ",");
    }
}

static void add_range(struct mr_text *t, const struct mr_range *g)
{
    add_number(t, g->lo);
    mr__text_addf(t, ",");
    add_number(t, g->hi);
    mr__text_addf(t, ",%d,%d", g->set, g->single);
}

static void add_strs(struct mr_text *t, const struct mr_strs *s)
{
    mr__text_addf(t, "%d:", s->n);
    for (int i = 0; i < s->n; i++)
        add_str(t, s->v[i]);
}

static void add_value(struct mr_text *t, const struct mr_opt *o, const void *at)
{
    const struct mr_size *size = at;
    switch (o->type) {
    case MR_OPT_BOOL:
        mr__text_addf(t, "%d", *(const bool *)at);
        break;
    case MR_OPT_INT:
        mr__text_addf(t, "%" PRId64, *(const int64_t *)at);
        break;
    case MR_OPT_FLOAT:
        add_number(t, *(const double *)at);
        break;
    case MR_OPT_ENUM: /* by name: the order of the table may change */
        mr__text_addf(t, "%s", *(const int *)at < 0 ? "" : o->names[*(const int *)at]);
        break;
    case MR_OPT_STR:
    case MR_OPT_PATH:
        add_str(t, *(const char *const *)at);
        break;
    case MR_OPT_FLOATS:
        add_floats(t, at);
        break;
    case MR_OPT_RANGE:
    case MR_OPT_SPREAD:
        add_range(t, at);
        break;
    case MR_OPT_SIZE:
        mr__text_addf(t, "%" PRId64 ",%" PRId64 ",%d", size->h, size->w, size->single);
        break;
    case MR_OPT_STRS:
        add_strs(t, at);
        break;
    case MR_OPT_SHARE:
        mr__text_addf(t, "%" PRId64 ",", ((const struct mr_share *)at)->count);
        add_number(t, ((const struct mr_share *)at)->percent);
        break;
    case MR_OPT_TYPE_COUNT:
        break;
    }
}

static void add_option(struct mr_text *t, const struct mr_opt *o, const void *at)
{
    mr__text_addf(t, "%s=", o->name);
    add_value(t, o, at);
    mr__text_addf(t, ";");
}

void mr__opts_canonical(struct mr_text *t, const struct mr_opt *opts, const void *base)
{
    for (const struct mr_opt *o = opts; o && o->name; o++) {
        const void *at = (const char *)base + o->off;
        if ((o->flags & MR_OPT_STREAM) && !((o->flags & MR_OPT_LATER) && *(const int64_t *)at == 0))
            add_option(t, o, at);
    }
}

void mr__opts_all(struct mr_text *t, const struct mr_opt *opts, const void *base)
{
    for (const struct mr_opt *o = opts; o && o->name; o++)
        add_option(t, o, (const char *)base + o->off);
}
