/* SPDX-License-Identifier: Apache-2.0
 *
 * describe_json.c: the tables as JSON, for bindings, completion and editors' tools.
 */
#include "describe.h"
#include "number.h"

#include <math.h>
#include <string.h>

static const char *const type_names[MR_OPT_TYPE_COUNT] = {
    [MR_OPT_BOOL] = "bool",     [MR_OPT_INT] = "int",     [MR_OPT_FLOAT] = "float",
    [MR_OPT_ENUM] = "enum",     [MR_OPT_STR] = "str",     [MR_OPT_PATH] = "path",
    [MR_OPT_FLOATS] = "floats", [MR_OPT_RANGE] = "range", [MR_OPT_SPREAD] = "spread",
    [MR_OPT_SIZE] = "size",     [MR_OPT_STRS] = "strs",   [MR_OPT_SHARE] = "share",
};

static void scalar_json(struct mr_json *j, const struct mr_opt *o, const struct mr_yaml *node)
{
    int64_t i;
    double d;
    bool text = o->type == MR_OPT_STR || o->type == MR_OPT_PATH || o->type == MR_OPT_STRS ||
                o->type == MR_OPT_ENUM;
    if (o->type == MR_OPT_BOOL)
        mr__json_bool(j, !strcmp(node->text, "true"));
    else if (!text && mr__number_int(node->text, &i) == MR_NUMBER_OK)
        mr__json_i64(j, i);
    else if (!text && mr__number_float(node->text, &d) == MR_NUMBER_OK)
        mr__json_f64(j, d);
    else
        mr__json_str(j, node->text);
}

bool mr__describe_default_json(struct mr_json *j, const struct mr_opt *o, const char *key)
{
    if (!o->def || !*o->def)
        return false;
    struct mr_pool *pool = mr__pool_new();
    const struct mr_place place = {.path = o->name};
    struct mr_yaml *node;
    int rc =
        pool ? mr__yaml_parse(&node, pool, o->def, strlen(o->def), &place, 0, NULL) : MR_E_MEMORY;
    bool good = rc == MR_OK && node && node->kind != MR_YAML_MAP;
    if (rc == MR_E_MEMORY) /* or the default would just be missing */
        j->text.failed = true;
    if (good)
        mr__json_key(j, key);
    if (good && node->kind == MR_YAML_SCALAR)
        scalar_json(j, o, node);
    else if (good) {
        mr__json_begin_array(j);
        for (const struct mr_yaml *n = node->first; n; n = n->next)
            scalar_json(j, o, n);
        mr__json_end_array(j);
    }
    mr__pool_free(pool);
    return good;
}

static void option_json(struct mr_json *j, const struct mr_opt *o)
{
    mr__json_begin_object(j);
    mr__json_key(j, "name");
    mr__json_str(j, o->name);
    mr__json_key(j, "type");
    mr__json_str(j, type_names[o->type]);
    mr__json_key(j, "required");
    mr__json_bool(j, !o->def);
    mr__describe_default_json(j, o, "default");
    if (o->min != 0 || o->max != 0) {
        mr__json_key(j, "min");
        mr__json_f64(j, o->min);
        mr__json_key(j, "max");
        mr__json_f64(j, o->max);
    }
    if (o->type == MR_OPT_ENUM) {
        mr__json_key(j, "choices");
        mr__json_begin_array(j);
        for (const char *const *name = o->names; *name; name++)
            mr__json_str(j, *name);
        mr__json_end_array(j);
    }
    if (o->flags & MR_OPT_AUTO) {
        mr__json_key(j, "auto");
        mr__json_bool(j, true);
    }
    if (o->flags & MR_OPT_OFF) {
        mr__json_key(j, "off");
        mr__json_bool(j, true);
    }
    mr__json_key(j, "unit");
    mr__json_str(j, o->unit);
    mr__json_key(j, "stream");
    mr__json_bool(j, o->flags & MR_OPT_STREAM);
    mr__json_key(j, "help");
    mr__json_str(j, o->help);
    mr__json_end_object(j);
}

static void page_json(struct mr_json *j, const struct mr_page *p)
{
    mr__json_begin_object(j);
    mr__json_key(j, "name");
    mr__json_str(j, p->name);
    mr__json_key(j, "help");
    mr__json_str(j, p->help);
    mr__json_key(j, "options");
    mr__json_begin_array(j);
    for (const struct mr_opt *o = p->opts; o && o->name; o++)
        option_json(j, o);
    mr__json_end_array(j);
    mr__json_end_object(j);
}

char *mr__describe_json(const struct mr_pages *pages)
{
    struct mr_json j = {.indent = 2};
    mr__json_begin_object(&j);
    for (int i = 0; i < pages->n; i++) {
        const struct mr_page *p = &pages->page[i];
        if (i == 0 || strcmp(p->kind, p[-1].kind)) {
            mr__json_key(&j, p->kind);
            mr__json_begin_array(&j);
        }
        page_json(&j, p);
        if (i + 1 == pages->n || strcmp(p->kind, p[1].kind))
            mr__json_end_array(&j);
    }
    mr__json_end_object(&j);
    return mr__json_take(&j);
}
