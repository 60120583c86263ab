/* SPDX-License-Identifier: Apache-2.0
 *
 * describe_schema.c: a JSON Schema (draft-07) of configs, so that editors complete and check them
 * while they are written. It says all that the rows say; what the reader checks beyond (that a path
 * exists, low <= high, which sections go together) no schema can.
 */
#include "schema.h"

#include <string.h>

static void null_type(struct mr_json *j)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "null");
    mr__json_end_object(j);
}

/* The names of a kind that can stand alone, without options. */
static void bare_names(struct mr_json *j, const struct mr_tables *t, enum mr_kind kind)
{
    const struct mr_desc *d;
    mr__json_begin_object(j);
    mr__json_key(j, "enum");
    mr__json_begin_array(j);
    for (size_t i = 0; (d = mr__kind_at(t, kind, i)); i++)
        if (mr__schema_needs_nothing(d->opts))
            mr__json_str(j, d->name);
    mr__json_end_array(j);
    mr__json_end_object(j);
}

static bool any_bare(const struct mr_tables *t, enum mr_kind kind)
{
    const struct mr_desc *d;
    for (size_t i = 0; (d = mr__kind_at(t, kind, i)); i++)
        if (mr__schema_needs_nothing(d->opts))
            return true;
    return false;
}

/* source and sampler: the name alone, or an object whose `type` is the name. */
static void typed(struct mr_json *j, const struct mr_tables *t, enum mr_kind kind)
{
    const struct mr_desc *d;
    mr__json_key(j, "oneOf");
    mr__json_begin_array(j);
    if (any_bare(t, kind))
        bare_names(j, t, kind);
    for (size_t i = 0; (d = mr__kind_at(t, kind, i)); i++)
        mr__schema_object(j, d->opts, d->name, false);
    mr__json_end_array(j);
}

/* `name: {options}` */
static void op_entry(struct mr_json *j, const struct mr_desc *d)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "object");
    mr__schema_keyword(j, "description", d->help);
    mr__json_key(j, "properties");
    mr__json_begin_object(j);
    mr__json_key(j, d->name);
    mr__json_begin_object(j);
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    if (mr__schema_needs_nothing(d->opts))
        null_type(j);
    mr__schema_object(j, d->opts, NULL, false);
    mr__json_end_array(j);
    mr__json_end_object(j);
    mr__json_end_object(j);
    mr__json_key(j, "required");
    mr__json_begin_array(j);
    mr__json_str(j, d->name);
    mr__json_end_array(j);
    mr__json_key(j, "additionalProperties");
    mr__json_bool(j, false);
    mr__json_end_object(j);
}

static void ops(struct mr_json *j, const struct mr_tables *t)
{
    const struct mr_desc *d;
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    null_type(j);
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "array");
    mr__schema_count(j, "maxItems", MR_MAX_OPS);
    mr__json_key(j, "items");
    mr__json_begin_object(j);
    mr__json_key(j, "oneOf");
    mr__json_begin_array(j);
    if (any_bare(t, MR_KIND_OP))
        bare_names(j, t, MR_KIND_OP);
    for (size_t i = 0; (d = mr__kind_at(t, MR_KIND_OP, i)); i++)
        op_entry(j, d);
    mr__json_end_array(j);
    mr__json_end_object(j);
    mr__json_end_object(j);
    mr__json_end_array(j);
}

/* A mapping of options, its shorthand, or nothing. */
static void mapping(struct mr_json *j, const struct mr_section *s)
{
    mr__json_key(j, "anyOf");
    mr__json_begin_array(j);
    null_type(j);
    mr__schema_object(j, s->opts, NULL, s->kind == MR_SECTION_USER);
    for (const struct mr_opt *o = s->opts; s->shorthand && o->name; o++)
        if (!strcmp(o->name, s->shorthand))
            mr__schema_option(j, o);
    mr__json_end_array(j);
}

static void fields(struct mr_json *j, const struct mr_section *s)
{
    mr__json_key(j, "type");
    mr__json_begin_array(j);
    mr__json_str(j, "object");
    mr__json_str(j, "null");
    mr__json_end_array(j);
    mr__schema_count(j, "maxProperties", MR_MAX_FIELDS);
    mr__json_key(j, "propertyNames");
    mr__json_begin_object(j);
    mr__schema_keyword(j, "pattern", "^[A-Za-z_][A-Za-z0-9_]{0,62}$");
    mr__json_end_object(j);
    mr__json_key(j, "additionalProperties");
    mr__json_begin_object(j);
    mapping(j, s);
    mr__json_end_object(j);
}

static void properties(struct mr_json *j, const struct mr_opt *opts)
{
    mr__schema_keyword(j, "type", "object");
    mr__json_key(j, "properties");
    mr__json_begin_object(j);
    for (const struct mr_opt *o = opts; o->name; o++) {
        mr__json_key(j, o->name);
        mr__schema_option(j, o);
    }
}

static void end_properties(struct mr_json *j, const char *required)
{
    mr__json_end_object(j);
    mr__json_key(j, "required");
    mr__json_begin_array(j);
    mr__json_str(j, required);
    mr__json_end_array(j);
    mr__json_key(j, "additionalProperties");
    mr__json_bool(j, false);
}

/* The section's options, and `of`: a list of parts with their own. */
static void mixture(struct mr_json *j, const struct mr_tables *t, const struct mr_section *s)
{
    static const enum mr_kind kinds[] = {MR_KIND_SOURCE, MR_KIND_SAMPLER};
    properties(j, s->opts);
    mr__json_key(j, "of");
    mr__json_begin_object(j);
    mr__schema_keyword(j, "type", "array");
    mr__schema_count(j, "minItems", 1);
    mr__schema_count(j, "maxItems", MR_INDEX_MAX_PARTS);
    mr__json_key(j, "items");
    mr__json_begin_object(j);
    properties(j, mr__part_opts);
    for (int i = 0; i < 2; i++) {
        mr__json_key(j, mr__kind_name(kinds[i]));
        mr__json_begin_object(j);
        typed(j, t, kinds[i]);
        mr__json_end_object(j);
    }
    end_properties(j, "source");
    mr__json_end_object(j);
    mr__json_end_object(j);
    end_properties(j, "of");
}

static void section(struct mr_json *j, const struct mr_tables *t, const struct mr_section *s)
{
    mr__json_key(j, s->name);
    mr__json_begin_object(j);
    mr__schema_keyword(j, "description", s->help);
    switch (s->kind) {
    case MR_SECTION_OPTS:
    case MR_SECTION_USER:
        mapping(j, s);
        break;
    case MR_SECTION_SOURCE:
        typed(j, t, MR_KIND_SOURCE);
        break;
    case MR_SECTION_SAMPLER:
        typed(j, t, MR_KIND_SAMPLER);
        break;
    case MR_SECTION_MIXTURE:
        mixture(j, t, s);
        break;
    case MR_SECTION_OPS:
        ops(j, t);
        break;
    case MR_SECTION_FIELDS:
        fields(j, s);
        break;
    }
    mr__json_end_object(j);
}

static void config(struct mr_json *j, const struct mr_tables *t)
{
    mr__json_begin_object(j);
    mr__schema_keyword(j, "$schema", "http://json-schema.org/draft-07/schema#");
    mr__schema_keyword(j, "title", "Millrace config");
    mr__schema_keyword(j, "type", "object");
    mr__json_key(j, "properties");
    mr__json_begin_object(j);
    for (const struct mr_opt *o = mr__config_opts; o->name; o++) {
        mr__json_key(j, o->name);
        mr__schema_option(j, o);
    }
    for (const struct mr_section *s = mr__config_sections; s->name; s++)
        section(j, t, s);
    mr__json_end_object(j);
    mr__json_key(j, "additionalProperties");
    mr__json_bool(j, false);
    mr__json_end_object(j);
}

char *mr__describe_schema(const struct mr_pages *pages)
{
    struct mr_json j = {.indent = 1};
    if (pages->n == 1 && pages->page[0].desc)
        mr__schema_object(&j, pages->page[0].opts, NULL, false);
    else
        config(&j, pages->tables);
    return mr__json_take(&j);
}
