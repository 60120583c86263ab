/* SPDX-License-Identifier: Apache-2.0
 *
 * config_params.c: the free mapping `params` of users' code as a message: numbers, texts, arrays of
 * numbers, and lists for everything nested.
 */
#include "config_tables.h"
#include "message.h"
#include "number.h"

#include <string.h>

#define MAX_PARAMS ((size_t)4 << 20) /* a config of 1 MiB never needs more */

struct writer {
    struct mr_config_reader *r;
    mr_message *m;
    const char *where;
};

static int refuse(const struct writer *w, const struct mr_yaml *node, const char *sentence)
{
    return mr__place_error(w->r->opt.place, node->mark, w->r->opt.e, "'%s'%s%s%s: %s", w->where,
                           node->key ? ", key '" : "",
                           node->key ? mr__shown(w->r->opt.pool, node->key) : "",
                           node->key ? "'" : "", sentence);
}

enum scalar { SCALAR_TEXT, SCALAR_INT, SCALAR_FLOAT };

static enum scalar classify(const struct mr_yaml *node, int64_t *i, double *d)
{
    if (node->kind != MR_YAML_SCALAR || node->quoted)
        return SCALAR_TEXT;
    if (!strcmp(node->text, "true") || !strcmp(node->text, "false")) {
        *i = *node->text == 't';
        return SCALAR_INT;
    }
    if (mr__number_int(node->text, i) == MR_NUMBER_OK)
        return SCALAR_INT;
    return mr__number_float(node->text, d) == MR_NUMBER_OK ? SCALAR_FLOAT : SCALAR_TEXT;
}

/* SCALAR_INT: all whole numbers; SCALAR_FLOAT: all numbers; SCALAR_TEXT: anything else, or nothing.
 */
static enum scalar classify_list(const struct mr_yaml *list)
{
    enum scalar all = list->count ? SCALAR_INT : SCALAR_TEXT;
    int64_t i;
    double d;
    for (const struct mr_yaml *n = list->first; n; n = n->next) {
        enum scalar one = classify(n, &i, &d);
        if (one == SCALAR_TEXT)
            return SCALAR_TEXT;
        if (one == SCALAR_FLOAT)
            all = SCALAR_FLOAT;
    }
    return all;
}

static int write_numbers(const struct writer *w, const struct mr_yaml *list, enum scalar kind)
{
    size_t n = 0;
    int64_t *ints = mr__pool_take(w->r->opt.pool, (size_t)list->count * sizeof *ints);
    double *floats = mr__pool_take(w->r->opt.pool, (size_t)list->count * sizeof *floats);
    if (!ints || !floats)
        return mr__fail(w->r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    for (const struct mr_yaml *one = list->first; one; one = one->next, n++)
        if (classify(one, &ints[n], &floats[n]) == SCALAR_INT)
            floats[n] = (double)ints[n];
    return kind == SCALAR_INT ? mr_message_set_i64s(w->m, list->key, ints, n)
                              : mr_message_set_f64s(w->m, list->key, floats, n);
}

static int write_scalar(const struct writer *w, const struct mr_yaml *node)
{
    int64_t i;
    double d;
    if (mr__yaml_is_empty(node))
        return refuse(w, node, "has no value");
    switch (classify(node, &i, &d)) {
    case SCALAR_INT:
        return mr_message_set_i64(w->m, node->key, i);
    case SCALAR_FLOAT:
        return mr_message_set_f64(w->m, node->key, d);
    default:
        return mr_message_set_str(w->m, node->key, node->text);
    }
}

static int write_entries(const struct writer *w, const struct mr_yaml *around, int depth);

static int write_node(const struct writer *w, const struct mr_yaml *node, int depth)
{
    if (node->key && (!*node->key || strlen(node->key) > 255))
        return refuse(w, node, "a key has 1 to 255 bytes");
    if (node->kind == MR_YAML_SCALAR)
        return write_scalar(w, node);
    enum scalar kind = node->kind == MR_YAML_LIST ? classify_list(node) : SCALAR_TEXT;
    if (kind != SCALAR_TEXT)
        return write_numbers(w, node, kind);
    if (depth == MR_MESSAGE_DEPTH)
        return refuse(w, node, "lists and mappings are nested more than 8 deep");
    int rc = mr_message_begin_list(w->m, node->key);
    if (rc == MR_OK)
        rc = write_entries(w, node, depth + 1);
    return rc == MR_OK ? mr_message_end_list(w->m) : rc;
}

static int write_entries(const struct writer *w, const struct mr_yaml *around, int depth)
{
    int rc = MR_OK;
    for (const struct mr_yaml *n = around->first; n && rc == MR_OK; n = n->next)
        rc = write_node(w, n, depth);
    return rc;
}

int mr__config_params(struct mr_config_reader *r, const struct mr_yaml *map, const char *where,
                      mr_message **params, uint64_t *bytes)
{
    struct writer w = {.r = r, .where = where};
    if (map->kind != MR_YAML_MAP && !mr__yaml_is_empty(map))
        return mr__place_error(r->opt.place, map->mark, r->opt.e,
                               "'%s' must be a mapping ('{key: value}'), not %s", where,
                               mr__yaml_shown(r->opt.pool, map));
    for (size_t cap = 1024; cap <= MAX_PARAMS; cap *= 4) {
        w.m = mr__message_init(mr__pool_take(r->opt.pool, cap), cap, 0, 0, 0);
        if (!w.m)
            return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
        int rc = write_entries(&w, map, 0);
        if (rc == MR_E_LIMIT)
            continue;
        *params = w.m;
        *bytes = mr__message_bytes(w.m);
        return rc;
    }
    return mr__place_error(r->opt.place, map->mark, r->opt.e, "'%s' takes more than 4 MiB", where);
}
