/* SPDX-License-Identifier: Apache-2.0
 *
 * opt_map.c: a mapping against a table of options: unknown keys, values, defaults.
 */
#include "opt.h"

#include <string.h>

static const struct mr_opt *row_of(const struct mr_opt *opts, const char *name)
{
    for (const struct mr_opt *o = opts; o && o->name; o++)
        if (!strcmp(o->name, name))
            return o;
    return NULL;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (!strcmp(*names, name))
            return true;
    return false;
}

#define MAX_NAMES 128

static size_t collect(const struct mr_opt *opts, const char *const *also, const char **names)
{
    size_t n = 0;
    for (; also && *also && n < MAX_NAMES; also++)
        names[n++] = *also;
    for (const struct mr_opt *o = opts; o && o->name && n < MAX_NAMES; o++)
        names[n++] = o->name;
    return n;
}

int mr__opts_unknown(const struct mr_opt_reader *r, const struct mr_opt *opts,
                     const char *const *also, const struct mr_yaml *node, const char *where)
{
    const char *names[MAX_NAMES], *key = mr__shown(r->pool, node->key);
    size_t n = collect(opts, also, names);
    const char *near = mr__nearest(node->key, names, n);
    int dot = *where ? (int)strlen(where) - 1 : 0;
    const char *in = dot ? mr__pool_format(r->pool, " in '%.*s'", dot, where) : "";
    if (near)
        return mr__place_error(r->place, node->key_mark, r->e,
                               "unknown key '%s'%s; did you mean '%s'?", key, in, near);
    struct mr_text known = {0};
    for (size_t i = 0; i < n; i++)
        mr__text_addf(&known, "%s%s", i ? ", " : "", names[i]);
    int rc = mr__place_error(r->place, node->key_mark, r->e, "unknown key '%s'%s; %s%s", key, in,
                             n ? "known: " : "there are no options", known.data ? known.data : "");
    mr__text_free(&known);
    return rc;
}

/* A default needs the whole YAML reader only when it is a list. */
static int default_node(const struct mr_opt_reader *r, const struct mr_opt *o,
                        struct mr_yaml *scalar, struct mr_yaml **node)
{
    *node = scalar;
    *scalar = (struct mr_yaml){.kind = MR_YAML_SCALAR, .text = o->def};
    if (!strpbrk(o->def, "[{\"'#"))
        return MR_OK;
    return mr__yaml_parse(node, r->pool, o->def, strlen(o->def), r->place, 0, r->e);
}

int mr__opt_default(const struct mr_opt_reader *r, const struct mr_opt *o, struct mr_mark mark,
                    const char *where, void *base)
{
    if (!o->def)
        return mr__place_error(r->place, mark, r->e, "'%s%s' is missing: %s", where, o->name,
                               o->help);
    if (!*o->def) {
        if (o->type == MR_OPT_ENUM)
            *(int *)((char *)base + o->off) = -1;
        return MR_OK;
    }
    struct mr_yaml scalar, *node;
    int rc = default_node(r, o, &scalar, &node);
    return rc < 0 ? rc : mr__opt_read(r, o, node, where, base);
}

int mr__opts_read(const struct mr_opt_reader *r, const struct mr_opt *opts,
                  const struct mr_yaml *map, struct mr_mark mark, const char *where,
                  const char *const *also, void *base)
{
    int rc = MR_OK;
    for (const struct mr_yaml *n = map ? map->first : NULL; n && rc == MR_OK; n = n->next) {
        const struct mr_opt *o = row_of(opts, n->key);
        if (o)
            rc = mr__opt_read(r, o, n, where, base);
        else if (!is_among(also, n->key))
            rc = mr__opts_unknown(r, opts, also, n, where);
    }
    for (const struct mr_opt *o = opts; o && o->name && rc == MR_OK; o++)
        if (!mr__yaml_get(map, o->name))
            rc = mr__opt_default(r, o, mark, where, base);
    return rc;
}
