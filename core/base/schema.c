/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.c: options as JSON Schema.
 */
#include "schema.h"

#include <math.h>
#include <string.h>

void mr__schema_keyword(struct mr_json *j, const char *key, const char *value)
{
    mr__json_key(j, key);
    mr__json_str(j, value);
}

static void number(struct mr_json *j, const char *type, const struct mr_opt *o)
{
    bool bounds = o->min != 0 || o->max != 0;
    mr__schema_keyword(j, "type", type);
    if (bounds && isfinite(o->min)) {
        mr__json_key(j, "minimum");
        mr__json_f64(j, o->min);
    }
    if (bounds && isfinite(o->max)) {
        mr__json_key(j, "maximum");
        mr__json_f64(j, o->max);
    }
}

static void one_number(struct mr_json *j, const char *type, const struct mr_opt *o)
{
    mr__json_begin_object(j);
    number(j, type, o);
    mr__json_end_object(j);
}

void mr__schema_count(struct mr_json *j, const char *key, uint64_t n)
{
    mr__json_key(j, key);
    mr__json_u64(j, n);
}

static void numbers(struct mr_json *j, const char *type, const struct mr_opt *o, uint64_t least,
                    uint64_t most)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "array");
    mr__json_key(j, "items");
    one_number(j, type, o);
    mr__schema_count(j, "minItems", least);
    mr__schema_count(j, "maxItems", most);
    mr__json_end_object(j);
}

/* Any scalar is a text: `note: 5` gives "5". */
static void text_type(struct mr_json *j, bool path)
{
    static const char *const types[] = {"string", "number", "boolean"};
    mr__json_key(j, "type");
    mr__json_begin_array(j);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        mr__json_str(j, types[i]);
    mr__json_end_array(j);
    if (path)
        mr__schema_count(j, "minLength", 1);
}

static void schema_bool(struct mr_json *j, const struct mr_opt *o)
{
    (void)o;
    mr__schema_keyword(j, "type", "boolean");
}

static void one_word(struct mr_json *j, const char *word)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "const", word);
    mr__json_end_object(j);
}

static void schema_int(struct mr_json *j, const struct mr_opt *o)
{
    if (!(o->flags & MR_OPT_AUTO)) {
        number(j, "integer", o);
        return;
    }
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    one_number(j, "integer", o);
    one_word(j, "auto");
    if (o->flags & MR_OPT_OFF)
        one_word(j, "off");
    mr__json_end_array(j);
}

static void schema_share(struct mr_json *j, const struct mr_opt *o)
{
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    one_number(j, "integer", o);
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "string");
    mr__schema_keyword(j, "pattern", "^((0|[1-9][0-9]?)(\\.[0-9]+)?|100(\\.0+)?)%$");
    mr__json_end_object(j);
    if (o->flags & MR_OPT_AUTO)
        one_word(j, "auto");
    mr__json_end_array(j);
}

static void schema_float(struct mr_json *j, const struct mr_opt *o)
{
    number(j, "number", o);
}

static void schema_enum(struct mr_json *j, const struct mr_opt *o)
{
    mr__json_key(j, "enum");
    mr__json_begin_array(j);
    for (const char *const *name = o->names; *name; name++)
        mr__json_str(j, *name);
    mr__json_end_array(j);
}

static void schema_text(struct mr_json *j, const struct mr_opt *o)
{
    text_type(j, o->type == MR_OPT_PATH && !(o->def && !*o->def));
}

static void schema_range(struct mr_json *j, const struct mr_opt *o)
{
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    if (o->type == MR_OPT_SPREAD)
        one_number(j, "number", o);
    numbers(j, "number", o, 2, 2);
    mr__json_end_array(j);
}

static void schema_list(struct mr_json *j, const struct mr_opt *o)
{
    bool size = o->type == MR_OPT_SIZE;
    const char *type = size || (o->flags & MR_OPT_WHOLE) ? "integer" : "number";
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    one_number(j, type, o);
    numbers(j, type, o, size ? 2 : 0, size ? 2 : MR_MAX_FLOATS);
    mr__json_end_array(j);
}

static void schema_texts(struct mr_json *j, const struct mr_opt *o)
{
    (void)o;
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    mr__json_begin_object(j);
    text_type(j, false);
    mr__json_end_object(j);
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "array");
    mr__json_key(j, "items");
    mr__json_begin_object(j);
    text_type(j, false);
    mr__json_end_object(j);
    mr__json_end_object(j);
    mr__json_end_array(j);
}

static void (*const writers[MR_OPT_TYPE_COUNT])(struct mr_json *, const struct mr_opt *) = {
    [MR_OPT_BOOL] = schema_bool,   [MR_OPT_INT] = schema_int,     [MR_OPT_FLOAT] = schema_float,
    [MR_OPT_ENUM] = schema_enum,   [MR_OPT_STR] = schema_text,    [MR_OPT_PATH] = schema_text,
    [MR_OPT_FLOATS] = schema_list, [MR_OPT_RANGE] = schema_range, [MR_OPT_SPREAD] = schema_range,
    [MR_OPT_SIZE] = schema_list,   [MR_OPT_STRS] = schema_texts,  [MR_OPT_SHARE] = schema_share,
};

void mr__schema_option(struct mr_json *j, const struct mr_opt *o)
{
    mr__json_begin_object(j);
    writers[o->type](j, o);
    mr__describe_default_json(j, o, "default");
    mr__schema_keyword(j, "description", o->help);
    mr__json_end_object(j);
}

bool mr__schema_needs_nothing(const struct mr_opt *opts)
{
    for (; opts && opts->name; opts++)
        if (!opts->def)
            return false;
    return true;
}

void mr__schema_object(struct mr_json *j, const struct mr_opt *opts, const char *type, bool params)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "object");
    mr__json_key(j, "properties");
    mr__json_begin_object(j);
    if (type) {
        mr__json_key(j, "type");
        mr__json_begin_object(j);
        mr__schema_keyword(j, "const", type);
        mr__json_end_object(j);
    }
    for (const struct mr_opt *o = opts; o && o->name; o++) {
        mr__json_key(j, o->name);
        mr__schema_option(j, o);
    }
    if (params) {
        mr__json_key(j, "params");
        mr__json_begin_object(j);
        mr__json_key(j, "type");
        mr__json_begin_array(j);
        mr__json_str(j, "object");
        mr__json_str(j, "null");
        mr__json_end_array(j);
        mr__json_end_object(j);
    }
    mr__json_end_object(j);
    mr__json_key(j, "required");
    mr__json_begin_array(j);
    if (type)
        mr__json_str(j, "type");
    for (const struct mr_opt *o = opts; o && o->name; o++)
        if (!o->def)
            mr__json_str(j, o->name);
    mr__json_end_array(j);
    mr__json_key(j, "additionalProperties");
    mr__json_bool(j, false);
    mr__json_end_object(j);
}
