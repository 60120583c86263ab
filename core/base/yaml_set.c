/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_set.c: "key.path=value" put into the tree, as if it had been written there.
 */
#include "yaml.h"

#include <string.h>

struct setter {
    struct mr_pool *pool;
    const struct mr_place *place;
    struct mr_errbuf *e;
    struct mr_mark mark;
    const char *so_far; /* the path up to the node, for messages */
};

const char *mr__yaml_set_key(struct mr_pool *pool, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return NULL;
    const char *key = mr__pool_text(pool, assignment, (size_t)(equals - assignment));
    return key ? mr__shown(pool, key) : NULL;
}

static int no_memory(struct setter *s)
{
    return mr__fail(s->e, MR_E_MEMORY, "not enough memory to read the config");
}

static struct mr_yaml *new_node(struct setter *s, enum mr_yaml_kind kind, const char *text)
{
    struct mr_yaml *node = mr__pool_take(s->pool, sizeof *node);
    if (node)
        *node = (struct mr_yaml){.kind = kind, .text = text, .mark = s->mark, .key_mark = s->mark};
    return node;
}

/* `- flip` may be meant as `- flip: {}`, and `params:` as `params: {}`. */
static int open_scalar(struct setter *s, struct mr_yaml *node, const char *key)
{
    bool name = !node->quoted && !strcmp(node->text, key);
    if (!name && !mr__yaml_is_empty(node))
        return mr__place_error(
            s->place, s->mark, s->e,
            "'%s' is %s, so it has no '%s': set the whole of it with --set '%s={...}'", s->so_far,
            mr__yaml_shown(s->pool, node), mr__shown(s->pool, key), s->so_far);
    node->kind = MR_YAML_MAP;
    node->text = NULL;
    return MR_OK;
}

static int map_entry(struct setter *s, struct mr_yaml *map, const char *key, struct mr_yaml **out)
{
    *out = mr__yaml_get(map, key);
    if (*out)
        return MR_OK;
    if (map->count == MR_YAML_MAX_KEYS)
        return mr__place_error(s->place, s->mark, s->e, "a mapping has at most 1000 keys");
    *out = new_node(s, MR_YAML_SCALAR, "");
    if (!*out)
        return no_memory(s);
    (*out)->key = key;
    mr__yaml_append(map, *out);
    return MR_OK;
}

/* -1 when the text is no number of an entry. */
static int entry_number(const char *text)
{
    int number = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || number > MR_YAML_MAX_NODES)
            return -1;
        number = number * 10 + (*c - '0');
    }
    return number;
}

static int list_entry(struct setter *s, struct mr_yaml *list, const char *key, struct mr_yaml **out)
{
    int number = entry_number(key);
    if (number < 0)
        return mr__place_error(s->place, s->mark, s->e,
                               "'%s' is a list: '%s' is no number of an entry", s->so_far,
                               mr__shown(s->pool, key));
    if (number > list->count)
        return mr__place_error(s->place, s->mark, s->e,
                               "'%s' has %d entries: there is no entry %d (the first is 0)",
                               s->so_far, list->count, number);
    if (number == list->count) {
        struct mr_yaml *node = new_node(s, MR_YAML_SCALAR, "");
        if (!node)
            return no_memory(s);
        mr__yaml_append(list, node);
    }
    *out = list->first;
    while (number--)
        *out = (*out)->next;
    return MR_OK;
}

/* Goes one step down from `node`, making what is not there. */
static int descend(struct setter *s, struct mr_yaml *node, const char *key, struct mr_yaml **out)
{
    if (!*key)
        return mr__place_error(s->place, s->mark, s->e, "an empty name stands in the key");
    if (node->kind == MR_YAML_LIST)
        return list_entry(s, node, key, out);
    int rc = node->kind == MR_YAML_SCALAR ? open_scalar(s, node, key) : MR_OK;
    return rc < 0 ? rc : map_entry(s, node, key, out);
}

/* The new value stands where the old one stood. */
static void replace(struct mr_yaml *old, const struct mr_yaml *value)
{
    struct mr_yaml kept = *old;
    *old = *value;
    old->key = kept.key;
    old->key_mark = value->mark;
    old->next = kept.next;
}

int mr__yaml_set(struct mr_yaml *root, struct mr_pool *pool, const char *assignment, int k,
                 const struct mr_place *place, struct mr_errbuf *e)
{
    struct setter s = {.pool = pool, .place = place, .e = e, .mark = {.col = k}};
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return mr__place_error(place, s.mark, e, "write it as key=value");
    char *path = mr__pool_text(pool, assignment, (size_t)(equals - assignment));
    struct mr_yaml *value, *node = root;
    if (!path)
        return no_memory(&s);
    int rc = mr__yaml_parse(&value, pool, equals + 1, strlen(equals + 1), place, k, e);
    int depth = 0;
    for (char *name = path; rc == MR_OK && name; depth++) {
        char *dot = strchr(name, '.');
        if (dot)
            *dot = 0;
        if (depth == MR_YAML_MAX_DEPTH)
            return mr__place_error(place, s.mark, e, "the key goes more than 32 deep");
        s.so_far = name == path ? "the config" : s.so_far;
        rc = descend(&s, node, name, &node);
        s.so_far = mr__pool_text(pool, assignment, (size_t)(name - path) + strlen(name));
        name = dot ? dot + 1 : NULL;
    }
    if (rc < 0)
        return rc;
    if (!value)
        value = new_node(&s, MR_YAML_SCALAR, "");
    if (!value || !s.so_far)
        return no_memory(&s);
    replace(node, value);
    return MR_OK;
}
