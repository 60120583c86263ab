/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml.c: libyaml's events become a tree. Its loader is not used: it would follow aliases.
 */
#include "yaml.h"

#include <string.h>
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    struct mr_pool *pool;
    const struct mr_place *place;
    struct mr_errbuf *e;
    const char *text;
    size_t n;
    int set_number, nodes, depth;
    struct mr_yaml *root;
    struct mr_yaml *around[MR_YAML_MAX_DEPTH]; /* the open lists and mappings */
    const char *key[MR_YAML_MAX_DEPTH];        /* of a mapping: the key whose value comes next */
    struct mr_mark key_mark[MR_YAML_MAX_DEPTH];
    bool done;
};

static struct mr_mark mark_of(const struct builder *b, const yaml_mark_t *m)
{
    if (b->set_number)
        return (struct mr_mark){.col = b->set_number};
    return (struct mr_mark){.line = (int)m->line + 1, .col = (int)m->column + 1};
}

/* Bytes that are no UTF-8 are known by their offset alone. */
static struct mr_mark mark_at(const struct builder *b, size_t offset)
{
    struct mr_mark mark = {.line = 1, .col = 1};
    if (b->set_number)
        return (struct mr_mark){.col = b->set_number};
    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)b->text[i];
        if (c == '\n')
            mark = (struct mr_mark){.line = mark.line + 1, .col = 1};
        else if ((c & 0xC0) != 0x80)
            mark.col++;
    }
    return mark;
}

/* True when the character with this number is a tab; libyaml counts characters, not bytes. */
static bool is_tab(const struct builder *b, size_t character)
{
    size_t i = 0;
    for (; i < b->n; i++)
        if (((unsigned char)b->text[i] & 0xC0) != 0x80 && !character--)
            break;
    return i < b->n && b->text[i] == '\t';
}

static int syntax_error(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return mr__fail(b->e, MR_E_MEMORY, "not enough memory to read the config");
    if (p->error == YAML_READER_ERROR)
        return mr__place_error(b->place, mark_at(b, p->problem_offset), b->e,
                               "not valid UTF-8 text: %s", p->problem);
    return mr__place_error(b->place, mark_of(b, &p->problem_mark), b->e, "not valid YAML: %s%s%s%s",
                           p->problem ? p->problem : "cannot be parsed", p->context ? " " : "",
                           p->context ? p->context : "",
                           is_tab(b, p->problem_mark.index) ? " (a tab cannot indent)" : "");
}

static int refuse(struct builder *b, const yaml_event_t *event, const char *sentence)
{
    return mr__place_error(b->place, mark_of(b, &event->start_mark), b->e, "%s", sentence);
}

static int refuse_extras(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                         const yaml_char_t *tag)
{
    if (anchor)
        return refuse(b, event, "anchors ('&name') are not supported: write the value out");
    if (tag)
        return refuse(b, event, "tags ('!name') are not supported: take it out");
    return MR_OK;
}

/* Hangs a node into the list or mapping around it, or makes it the root. */
static int place_node(struct builder *b, struct mr_yaml *node)
{
    if (!b->depth) {
        b->root = node;
        return MR_OK;
    }
    struct mr_yaml *around = b->around[b->depth - 1];
    if (around->kind == MR_YAML_MAP) {
        node->key = b->key[b->depth - 1];
        node->key_mark = b->key_mark[b->depth - 1];
        b->key[b->depth - 1] = NULL;
    }
    mr__yaml_append(around, node);
    return MR_OK;
}

static int new_node(struct builder *b, const yaml_event_t *event, enum mr_yaml_kind kind,
                    struct mr_yaml **node)
{
    if (++b->nodes > MR_YAML_MAX_NODES)
        return refuse(b, event, "the config has more than 100000 values");
    *node = mr__pool_take(b->pool, sizeof **node);
    if (!*node)
        return mr__fail(b->e, MR_E_MEMORY, "not enough memory to read the config");
    (*node)->kind = kind;
    (*node)->mark = mark_of(b, &event->start_mark);
    return MR_OK;
}

static bool expects_key(const struct builder *b)
{
    return b->depth && b->around[b->depth - 1]->kind == MR_YAML_MAP && !b->key[b->depth - 1];
}

static int open_node(struct builder *b, const yaml_event_t *event, enum mr_yaml_kind kind)
{
    if (expects_key(b))
        return refuse(b, event, "a key must be a name, not a list or a mapping");
    if (b->depth == MR_YAML_MAX_DEPTH)
        return refuse(b, event, "lists and mappings are nested more than 32 deep");
    struct mr_yaml *node;
    int rc = new_node(b, event, kind, &node);
    if (rc < 0)
        return rc;
    rc = place_node(b, node);
    b->around[b->depth] = node;
    b->key[b->depth++] = NULL;
    return rc;
}

static int take_key(struct builder *b, const yaml_event_t *event, const char *text)
{
    struct mr_yaml *map = b->around[b->depth - 1], *twin = mr__yaml_get(map, text);
    struct mr_mark mark = mark_of(b, &event->start_mark);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(text, "<<"))
        return refuse(b, event, "merge keys ('<<') are not supported: write the keys out");
    if (twin && b->set_number)
        return mr__place_error(b->place, mark, b->e, "the key '%s' is there twice",
                               mr__shown(b->pool, text));
    if (twin)
        return mr__place_error(b->place, mark, b->e,
                               "the key '%s' is there twice (first in line %d)",
                               mr__shown(b->pool, text), twin->key_mark.line);
    if (map->count == MR_YAML_MAX_KEYS)
        return refuse(b, event, "a mapping has at most 1000 keys");
    b->key[b->depth - 1] = text;
    b->key_mark[b->depth - 1] = mark;
    return MR_OK;
}

static int take_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *bytes = (const char *)event->data.scalar.value;
    size_t n = event->data.scalar.length;
    int rc = refuse_extras(b, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (rc < 0)
        return rc;
    if (memchr(bytes, 0, n))
        return refuse(b, event, "a text cannot hold the character \\0");
    char *text = mr__pool_text(b->pool, bytes, n);
    if (!text)
        return mr__fail(b->e, MR_E_MEMORY, "not enough memory to read the config");
    if (expects_key(b))
        return take_key(b, event, text);
    struct mr_yaml *node;
    rc = new_node(b, event, MR_YAML_SCALAR, &node);
    if (rc < 0)
        return rc;
    node->text = text;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return place_node(b, node);
}

static int begin_document(struct builder *b, const yaml_event_t *event)
{
    if (b->root)
        return refuse(b, event, "a config is one document: '---' can stand only at the beginning");
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        return refuse(b, event, "directives ('%') are not supported: take them out");
    return MR_OK;
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
    int rc;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return begin_document(b, event);
    case YAML_SCALAR_EVENT:
        return take_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        rc = refuse_extras(b, event, event->data.sequence_start.anchor,
                           event->data.sequence_start.tag);
        return rc < 0 ? rc : open_node(b, event, MR_YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        rc = refuse_extras(b, event, event->data.mapping_start.anchor,
                           event->data.mapping_start.tag);
        return rc < 0 ? rc : open_node(b, event, MR_YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return MR_OK;
    case YAML_ALIAS_EVENT:
        return refuse(b, event, "aliases ('*name') are not supported: write the value out");
    case YAML_STREAM_END_EVENT:
        b->done = true;
        return MR_OK;
    default:
        return MR_OK;
    }
}

int mr__yaml_parse(struct mr_yaml **root, struct mr_pool *pool, const char *text, size_t n,
                   const struct mr_place *place, int set_number, struct mr_errbuf *e)
{
    struct builder b = {
        .pool = pool, .place = place, .e = e, .text = text, .n = n, .set_number = set_number};
    *root = NULL;
    if (n > MR_YAML_MAX_BYTES)
        return mr__place_error(place, mark_at(&b, 0), e, "the config is larger than 1 MiB");
    if (!yaml_parser_initialize(&b.parser))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read the config");
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, n);
    int rc = MR_OK;
    while (rc == MR_OK && !b.done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b.parser, &event)) {
            rc = syntax_error(&b);
            break;
        }
        rc = take_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&b.parser);
    if (rc == MR_OK)
        *root = b.root;
    return rc;
}
