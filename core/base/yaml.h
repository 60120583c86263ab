/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml.h: a config's text as a small tree with places. A strict part of YAML: no anchors, aliases,
 * tags, merge keys, directives, duplicate keys or second documents; UTF-8; sizes capped. Scalars
 * stay text: the option they are for says what they mean, so `no` is never a Boolean and 1e3 never
 * a string.
 */
#ifndef MR_BASE_YAML_H
#define MR_BASE_YAML_H

#include "base/error.h"
#include "base/pool.h"

#include <stdbool.h>

#define MR_YAML_MAX_BYTES (1 << 20)
#define MR_YAML_MAX_DEPTH 32
#define MR_YAML_MAX_NODES 100000
#define MR_YAML_MAX_KEYS 1000 /* of one mapping; keeps the search for duplicates cheap */

/* Where marks point to: the file's name, and the keys of the --set texts. */
struct mr_place {
    const char *path;
    const char *const *set_keys; /* set_keys[col - 1] for a mark with line 0; may be NULL */
};

enum mr_yaml_kind { MR_YAML_SCALAR, MR_YAML_LIST, MR_YAML_MAP };

struct mr_yaml {
    enum mr_yaml_kind kind;
    bool quoted;      /* scalar: written in quotes, or as a block */
    const char *text; /* scalar: its text, without NUL inside */
    const char *key;  /* entry of a mapping: its key, else NULL */
    struct mr_mark mark, key_mark;
    struct mr_yaml *first, *last; /* entries of a list or mapping, in order */
    struct mr_yaml *next;         /* the next entry of the list or mapping around it */
    int count;                    /* entries */
};

/* Parses n bytes. set_number 0: it is the file; k > 0: it is the value of the k-th --set, whose
 * nodes get the mark {0, k}. *root lies in the pool; NULL when the text holds no value. MR_E_CONFIG
 * with the place, MR_E_MEMORY. */
int mr__yaml_parse(struct mr_yaml **root, struct mr_pool *pool, const char *text, size_t n,
                   const struct mr_place *place, int set_number, struct mr_errbuf *e);

/* Puts the value of "key.path=value" into the tree, the k-th --set from 1: replaces what is there
 * or adds a key. Numbers in the path are list entries, from 0; the number one past the end appends.
 */
int mr__yaml_set(struct mr_yaml *root, struct mr_pool *pool, const char *assignment, int k,
                 const struct mr_place *place, struct mr_errbuf *e);
/* The key of a "key.path=value" text in the pool; NULL without '=' or without a key. */
const char *mr__yaml_set_key(struct mr_pool *pool, const char *assignment);

/* The entry of a mapping, NULL when it has none of that name (or the node is no mapping). */
struct mr_yaml *mr__yaml_get(const struct mr_yaml *map, const char *key);
void mr__yaml_append(struct mr_yaml *parent, struct mr_yaml *child);
/* YAML's null: a plain scalar with nothing in it, as in `params:`, or `null`, or `~`. */
bool mr__yaml_is_empty(const struct mr_yaml *node);
/* The node for a message: 'text' (cut when long, controls as '?'), "a list", "a mapping" or
 * "an empty value". In the pool. */
const char *mr__yaml_shown(struct mr_pool *pool, const struct mr_yaml *node);
/* Text for a message, without quotes: cut when long, controls as '?'. In the pool. */
const char *mr__shown(struct mr_pool *pool, const char *text);

/* "path:line:col: error: sentence" or "--set key: error: sentence". Returns MR_E_CONFIG. */
int mr__place_error(const struct mr_place *place, struct mr_mark mark, struct mr_errbuf *e,
                    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
