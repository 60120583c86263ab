/* SPDX-License-Identifier: Apache-2.0
 *
 * config_fields.c: what a batch holds. Of the pipeline's fields `image`, `mask` and `boxes`, and
 * `window` with a sampler of windows, have meanings of their own; every other name is a column of
 * the source: numbers, or a tensor. A user's producer fills fields of any name and shape.
 */
#include "config_tables.h"

#include <string.h>

#define MAX_NAME 63 /* as in the index */
#define MAX_ROW_BYTES ((double)(1ull << 40))

static const struct mr_opt *field_opts(void)
{
    for (const struct mr_section *s = mr__config_sections; s->name; s++)
        if (s->kind == MR_SECTION_FIELDS)
            return s->opts;
    return NULL;
}

static bool good_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t n = strlen(name);
    return n >= 1 && n <= MAX_NAME && strchr(letters, *name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == n;
}

static int read_field(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    struct mr_config *c = r->c;
    struct mr_yaml *map;
    if (!good_name(node->key))
        return mr__place_error(
            r->opt.place, node->key_mark, r->opt.e,
            "'%s' is no name for a field: use letters, digits and '_', at most %d",
            mr__shown(r->opt.pool, node->key), MAX_NAME);
    if (c->nfields == MR_MAX_FIELDS)
        return mr__place_error(r->opt.place, node->key_mark, r->opt.e, "more than %d fields",
                               MR_MAX_FIELDS);
    const char *where = mr__pool_format(r->opt.pool, "fields.%s", node->key);
    const char *dotted = mr__pool_format(r->opt.pool, "fields.%s.", node->key);
    if (!where || !dotted)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    const struct mr_section as = {.name = where, .shorthand = s->shorthand};
    struct mr_field_config *f = &c->fields[c->nfields++];
    *f = (struct mr_field_config){
        .name = node->key, .mark = node->key_mark, .given = MR_GIVEN_FIELD};
    int rc = mr__section_map(r, &as, node, &map);
    if (rc == MR_OK)
        rc = mr__opts_read(&r->opt, s->opts, map, node->key_mark, dotted, NULL, f);
    if (mr__yaml_get(map, "layout"))
        f->given |= MR_GIVEN_LAYOUT;
    if (mr__yaml_get(map, "shape"))
        f->given |= MR_GIVEN_SHAPE;
    return rc;
}

int mr__read_fields(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    if (!node || mr__yaml_is_empty(node))
        return MR_OK;
    if (node->kind != MR_YAML_MAP)
        return mr__place_error(r->opt.place, node->mark, r->opt.e,
                               "'fields' must be a mapping ('image: {dtype: float32}'), not %s",
                               mr__yaml_shown(r->opt.pool, node));
    int rc = MR_OK;
    for (struct mr_yaml *field = node->first; field && rc == MR_OK; field = field->next)
        rc = read_field(r, s, field);
    return rc;
}

bool mr__config_user_rows(const struct mr_config *c)
{
    return !c->source.desc;
}

bool mr__config_windows(const struct mr_config *c)
{
    const struct mr_sampler *sampler = c->sampler.desc;
    return sampler && sampler->window;
}

static int field_error(struct mr_config_reader *r, const struct mr_field_config *f,
                       const char *sentence)
{
    return mr__config_error(r->c, f->mark, r->opt.e, "the field '%s' %s", f->name, sentence);
}

static int add_default(struct mr_config_reader *r, const char *name)
{
    struct mr_field_config *f = &r->c->fields[r->c->nfields++];
    *f = (struct mr_field_config){.name = name};
    return mr__opts_read(&r->opt, field_opts(), NULL, f->mark, "fields.", NULL, f);
}

static bool has_op(const struct mr_config *c, const char *name)
{
    for (int i = 0; i < c->nops; i++)
        if (!strcmp(((const struct mr_desc *)c->ops[i].desc)->name, name))
            return true;
    return false;
}

static int check_image(struct mr_config_reader *r, struct mr_field_config *f)
{
    bool mask = !strcmp(f->name, "mask");
    if ((f->given & MR_GIVEN_SHAPE) || f->max)
        return field_error(r, f, "takes its shape from the ops: take 'shape' and 'max' out");
    if (mask && (f->channels > 1 || f->bits > 8))
        return field_error(r, f, "is a mask: it has 1 channel of 8 bits");
    if (f->channels == 2)
        return field_error(r, f,
                           "cannot have 2 channels: 1 (gray), 3 (RGB) and 4 (RGBA) are possible");
    if (f->bits && f->bits != 8 && f->bits != 16)
        return field_error(r, f, "cannot have that many bits: 8 and 16 are possible");
    bool floats = !mask && (has_op(r->c, "normalize") || has_op(r->c, "to_dtype"));
    if (f->dtype < 0)
        f->dtype = floats ? MR_F32 : !mask && f->bits == 16 ? MR_U16 : MR_U8;
    if (!f->channels)
        f->channels = mask ? 1 : 3;
    if (!f->bits)
        f->bits = 8;
    return MR_OK;
}

static int check_boxes(struct mr_config_reader *r, struct mr_field_config *f)
{
    if (f->dtype < 0)
        f->dtype = MR_F32;
    if (f->dtype != MR_F32)
        return field_error(r, f, "holds x0, y0, x1, y1 in pixels: its dtype is float32");
    if (f->given & MR_GIVEN_SHAPE)
        return field_error(r, f, "has 4 numbers per box: take 'shape' out");
    if (!f->max)
        return field_error(r, f,
                           "needs 'max', the boxes of an image that have a place in the batch");
    return MR_OK;
}

static int check_window(struct mr_config_reader *r, struct mr_field_config *f)
{
    if ((f->given & (MR_GIVEN_SHAPE | MR_GIVEN_LAYOUT)) || f->channels || f->bits || f->max)
        return field_error(r, f,
                           "holds x, y, width and height of the row's window: all that it "
                           "takes is a dtype");
    if (f->dtype < 0)
        f->dtype = MR_I32;
    return MR_OK;
}

static int check_column(struct mr_config_reader *r, struct mr_field_config *f)
{
    if ((f->given & MR_GIVEN_LAYOUT) || f->channels || f->bits)
        return field_error(r, f, "is no image: it has no layout, channels or bits");
    if (f->dtype < 0 && !strcmp(f->name, "label") && !mr__config_user_rows(r->c))
        f->dtype = MR_I64;
    if (f->dtype < 0)
        return field_error(r, f, "needs a dtype, for example {dtype: float32}");
    if (mr__config_user_rows(r->c) && !(f->given & MR_GIVEN_SHAPE))
        return field_error(r, f,
                           "is filled by your producer: it needs the shape of one row, for "
                           "example {shape: [3, 224, 224]}, or [] for one number");
    if (f->shape.n > MR_MAX_DIMS - 1 - (f->max > 0))
        return field_error(r, f,
                           "has too many dimensions: a tensor has at most 8, the batch included");
    double bytes = (double)mr_dtype_size((mr_dtype)f->dtype) * (f->max ? (double)f->max : 1);
    for (int i = 0; i < f->shape.n; i++)
        bytes *= f->shape.v[i];
    return bytes > MAX_ROW_BYTES ? field_error(r, f, "takes more than 1 TiB per row") : MR_OK;
}

static int check_field(struct mr_config_reader *r, struct mr_field_config *f)
{
    if (mr__config_user_rows(r->c))
        return check_column(r, f);
    if (!strcmp(f->name, "image") || !strcmp(f->name, "mask"))
        return check_image(r, f);
    if (!strcmp(f->name, "window") && mr__config_windows(r->c))
        return check_window(r, f);
    return strcmp(f->name, "boxes") ? check_column(r, f) : check_boxes(r, f);
}

static const struct mr_field_config *find_field(const struct mr_config *c, const char *name)
{
    for (int i = 0; i < c->nfields; i++)
        if (!strcmp(c->fields[i].name, name))
            return &c->fields[i];
    return NULL;
}

/* A batch may do without images, but not what works on them or follows them. */
static int check_needs_image(struct mr_config_reader *r)
{
    static const char *const followers[] = {"mask", "boxes"};
    const struct mr_config *c = r->c;
    const char *needs = c->nops ? "ops" : NULL;
    if (find_field(c, "image") || mr__config_user_rows(c))
        return MR_OK;
    for (size_t i = 0; i < sizeof followers / sizeof *followers && !needs; i++)
        needs = find_field(c, followers[i]) ? followers[i] : NULL;
    if (!needs)
        return MR_OK;
    return mr__config_error(c, c->fields[0].mark, r->opt.e,
                            "'fields' has no 'image', which '%s' needs: add it ('image: {}')",
                            needs);
}

int mr__config_fields(struct mr_config_reader *r)
{
    struct mr_config *c = r->c;
    int rc = MR_OK;
    if (!c->nfields && mr__config_user_rows(c))
        return MR_OK; /* mr__config_check says what is missing */
    if (!c->nfields) {
        rc = add_default(r, "image");
        if (rc == MR_OK)
            rc = add_default(r, "label");
    }
    for (int i = 0; i < c->nfields && rc == MR_OK; i++)
        rc = check_field(r, &c->fields[i]);
    return rc == MR_OK ? check_needs_image(r) : rc;
}
