/* SPDX-License-Identifier: Apache-2.0
 *
 * config_choice.c: where a config names a plug-in: source, sampler and every op.
 */
#include "config_tables.h"

#include <string.h>

static const char *list_names(struct mr_config_reader *r, enum mr_kind kind, struct mr_text *t)
{
    const struct mr_desc *d;
    for (size_t i = 0; (d = mr__kind_at(r->tables, kind, i)); i++)
        mr__text_addf(t, "%s%s", i ? ", " : "", d->name);
    return t->data ? t->data : "none";
}

static int unknown_name(struct mr_config_reader *r, enum mr_kind kind, struct mr_mark mark,
                        const char *name)
{
    const char *near = mr__kind_nearest(r->tables, kind, name), *what = mr__kind_name(kind);
    const char *shown = mr__shown(r->opt.pool, name);
    if (near)
        return mr__place_error(r->opt.place, mark, r->opt.e, "unknown %s '%s'; did you mean '%s'?",
                               what, shown, near);
    struct mr_text t = {0};
    int rc = mr__place_error(r->opt.place, mark, r->opt.e, "unknown %s '%s'; known: %s", what,
                             shown, list_names(r, kind, &t));
    mr__text_free(&t);
    return rc;
}

/* Finds the plug-in and reads its options out of `map` (NULL: none are given). */
static int choose(struct mr_config_reader *r, enum mr_kind kind, const char *name,
                  struct mr_mark mark, const struct mr_yaml *map, const char *where,
                  const char *const *also, struct mr_choice *choice)
{
    const struct mr_desc *d = mr__kind_find(r->tables, kind, name);
    if (!d)
        return unknown_name(r, kind, mark, name);
    *choice = (struct mr_choice){.desc = d, .mark = mark};
    if (d->params_size) {
        choice->params = mr__pool_take(r->opt.pool, d->params_size);
        if (!choice->params)
            return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    }
    int rc = mr__opts_read(&r->opt, d->opts, map, mark, where, also, choice->params);
    if (rc < 0 || !d->check)
        return rc;
    struct mr_errbuf why = {0};
    if (d->check(choice->params, &why) < 0)
        return mr__place_error(r->opt.place, mark, r->opt.e, "'%s': %s", d->name, why.text);
    return MR_OK;
}

/* `source: {type: folder, path: x}`; the options stand beside `type`. */
int mr__read_typed(struct mr_config_reader *r, const char *name, struct mr_yaml *node,
                   enum mr_kind kind, struct mr_choice *choice)
{
    static const char *const also[] = {"type", NULL};
    const struct mr_section as = {.name = name, .shorthand = "type"};
    struct mr_yaml *map;
    int rc = mr__section_map(r, &as, node, &map);
    if (rc < 0)
        return rc;
    const struct mr_yaml *type = mr__yaml_get(map, "type");
    if (!type || type->kind != MR_YAML_SCALAR || mr__yaml_is_empty(type)) {
        struct mr_text t = {0};
        rc = mr__place_error(r->opt.place, type ? type->mark : map->mark, r->opt.e,
                             "'%s.type' %s; known: %s", name,
                             type ? "must be a name" : "is missing", list_names(r, kind, &t));
        mr__text_free(&t);
        return rc;
    }
    const char *where = mr__pool_format(r->opt.pool, "%s.", name);
    return choose(r, kind, type->text, type->mark, map, where ? where : "", also, choice);
}

int mr__read_source(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    return node ? mr__read_typed(r, s->name, node, MR_KIND_SOURCE, &r->c->source) : MR_OK;
}

int mr__read_sampler(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    return node ? mr__read_typed(r, s->name, node, MR_KIND_SAMPLER, &r->c->sampler) : MR_OK;
}

int mr__choose_shuffle(struct mr_config_reader *r, struct mr_choice *choice)
{
    return choose(r, MR_KIND_SAMPLER, "shuffle", (struct mr_mark){0}, NULL, "sampler.", NULL,
                  choice);
}

int mr__config_default_sampler(struct mr_config_reader *r)
{
    struct mr_config *c = r->c;
    if (c->sampler.desc || c->commander.given || !c->source.desc)
        return MR_OK;
    return mr__choose_shuffle(r, &c->sampler);
}

static int bad_op(struct mr_config_reader *r, const struct mr_yaml *entry)
{
    return mr__place_error(
        r->opt.place, entry->mark, r->opt.e,
        "an entry of 'ops' is a name or one 'name: {options}', not %s%s",
        mr__yaml_shown(r->opt.pool, entry),
        entry->kind == MR_YAML_MAP ? entry->count ? " of several names" : " without a name" : "");
}

static int read_op(struct mr_config_reader *r, const struct mr_yaml *entry)
{
    const char *name = entry->text;
    struct mr_mark mark = entry->mark;
    struct mr_yaml *options = NULL;
    if (entry->kind == MR_YAML_LIST || (entry->kind == MR_YAML_MAP && entry->count != 1) ||
        (entry->kind == MR_YAML_SCALAR && mr__yaml_is_empty(entry)))
        return bad_op(r, entry);
    if (entry->kind == MR_YAML_MAP) {
        options = entry->first;
        name = options->key;
        mark = options->key_mark;
        if (mr__yaml_is_empty(options))
            options = NULL;
    }
    if (r->c->nops == MR_MAX_OPS)
        return mr__place_error(r->opt.place, mark, r->opt.e, "more than %d ops", MR_MAX_OPS);
    if (options && options->kind != MR_YAML_MAP && mr__kind_find(r->tables, MR_KIND_OP, name))
        return mr__place_error(r->opt.place, options->mark, r->opt.e,
                               "the options of '%s' must be a mapping ('{key: value}'), not %s",
                               name, mr__yaml_shown(r->opt.pool, options));
    const char *where = mr__pool_format(r->opt.pool, "%s.", name);
    int rc = choose(r, MR_KIND_OP, name, mark, options, where ? where : "", NULL,
                    &r->c->ops[r->c->nops]);
    r->c->nops++;
    return rc;
}

int mr__read_ops(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    (void)s;
    if (!node || mr__yaml_is_empty(node))
        return MR_OK;
    if (node->kind != MR_YAML_LIST)
        return mr__place_error(r->opt.place, node->mark, r->opt.e,
                               "'ops' must be a list ('- name: {options}'), not %s",
                               mr__yaml_shown(r->opt.pool, node));
    int rc = MR_OK;
    for (const struct mr_yaml *entry = node->first; entry && rc == MR_OK; entry = entry->next)
        rc = read_op(r, entry);
    return rc;
}
