/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml_tree.c: walking and changing the tree, and how places and values look in messages.
 */
#include "yaml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 60 /* bytes of a user's text that a message repeats */

struct mr_yaml *mr__yaml_get(const struct mr_yaml *map, const char *key)
{
    if (!map || map->kind != MR_YAML_MAP)
        return NULL;
    for (struct mr_yaml *n = map->first; n; n = n->next)
        if (!strcmp(n->key, key))
            return n;
    return NULL;
}

void mr__yaml_append(struct mr_yaml *parent, struct mr_yaml *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

bool mr__yaml_is_empty(const struct mr_yaml *node)
{
    return node->kind == MR_YAML_SCALAR && !node->quoted &&
           (!*node->text || !strcmp(node->text, "null") || !strcmp(node->text, "~"));
}

const char *mr__shown(struct mr_pool *pool, const char *text)
{
    size_t n = strlen(text);
    bool cut = n > SHOWN;
    if (cut)
        for (n = SHOWN; n && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
            ; /* what follows --set need not be UTF-8 */
    char *shown = mr__pool_format(pool, "%.*s%s", (int)n, text, cut ? "..." : "");
    for (char *s = shown; s && *s; s++)
        if (iscntrl((unsigned char)*s))
            *s = '?';
    return shown ? shown : "?";
}

const char *mr__yaml_shown(struct mr_pool *pool, const struct mr_yaml *node)
{
    if (node->kind == MR_YAML_LIST)
        return "a list";
    if (node->kind == MR_YAML_MAP)
        return "a mapping";
    if (mr__yaml_is_empty(node))
        return "an empty value";
    const char *shown =
        mr__pool_format(pool, node->quoted ? "the text '%s'" : "'%s'", mr__shown(pool, node->text));
    return shown ? shown : "?";
}

int mr__place_error(const struct mr_place *place, struct mr_mark mark, struct mr_errbuf *e,
                    const char *fmt, ...)
{
    char sentence[MR_ERR_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (mark.line)
        return mr__fail_at(e, MR_E_CONFIG, place->path, (uint64_t)mark.line, (uint64_t)mark.col,
                           "%s", sentence);
    if (mark.col && place->set_keys)
        mr__fail(e, MR_E_CONFIG, "--set %s: error: %s", place->set_keys[mark.col - 1], sentence);
    else
        mr__fail(e, MR_E_CONFIG, "%s: error: %s", place->path, sentence);
    if (e)
        e->placed = true;
    return MR_E_CONFIG;
}
