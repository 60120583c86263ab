/* SPDX-License-Identifier: Apache-2.0
 *
 * config_read.c: a file (or a text) and overrides become a struct mr_config: parse, overrides,
 * tables, checks.
 */
#include "config_tables.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int mr__config_error(const struct mr_config *config, struct mr_mark mark, struct mr_errbuf *e,
                     const char *fmt, ...)
{
    char sentence[MR_ERR_TEXT];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    const struct mr_place place = {config->path, config->set_keys};
    return mr__place_error(&place, mark, e, "%s", sentence);
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory to read the config");
}

/* Reads at most one byte more than a config may have; the parser refuses it then. */
static int load(struct mr_pool *pool, const char *path, const char **text, size_t *n,
                struct mr_errbuf *e)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return mr__fail_errno(e, MR_E_IO, "cannot open config '%s'", path);
    char *bytes = mr__pool_take(pool, MR_YAML_MAX_BYTES + 2);
    *n = bytes ? fread(bytes, 1, MR_YAML_MAX_BYTES + 1, f) : 0;
    bool bad = ferror(f);
    int rc = bad ? mr__fail_errno(e, MR_E_IO, "cannot read config '%s'", path) : MR_OK;
    fclose(f);
    *text = bytes;
    return bytes ? rc : no_memory(e);
}

static int set_folders(struct mr_config_reader *r, const char *path, bool from_file)
{
    char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return mr__fail_errno(r->opt.e, MR_E_IO, "cannot tell the working directory");
    r->opt.cwd = mr__pool_text(r->c->pool, cwd, strlen(cwd));
    const char *slash = from_file ? strrchr(path, '/') : NULL;
    r->opt.folder = !slash ? r->opt.cwd
                           : mr__pool_format(r->c->pool, "%s%s%.*s", *path == '/' ? "" : cwd,
                                             *path == '/' ? "" : "/", (int)(slash - path), path);
    free(cwd);
    r->c->folder = r->opt.folder;
    return r->opt.cwd && r->opt.folder ? MR_OK : no_memory(r->opt.e);
}

static int apply_sets(struct mr_config_reader *r, struct mr_place *place, struct mr_yaml *root,
                      const char *const *set)
{
    size_t n = 0;
    while (set && set[n])
        n++;
    const char **keys = mr__pool_take(r->c->pool, (n + 1) * sizeof *keys);
    if (!keys)
        return no_memory(r->opt.e);
    place->set_keys = r->c->set_keys = keys;
    int rc = MR_OK;
    for (size_t i = 0; i < n && rc == MR_OK; i++) {
        keys[i] = mr__yaml_set_key(r->c->pool, set[i]);
        if (!keys[i])
            keys[i] = mr__shown(r->c->pool, set[i]);
        rc = mr__yaml_set(root, r->c->pool, set[i], (int)i + 1, place, r->opt.e);
    }
    return rc;
}

static const struct mr_section *section_of(const char *name)
{
    for (const struct mr_section *s = mr__config_sections; s->name; s++)
        if (!strcmp(s->name, name))
            return s;
    return NULL;
}

/* Every key in the order of the file, so that the first mistake is the one reported; then what is
 * absent. */
static int read_root(struct mr_config_reader *r, struct mr_yaml *root)
{
    const char *sections[32];
    size_t n = 0;
    for (const struct mr_section *s = mr__config_sections; s->name; s++)
        sections[n++] = s->name;
    sections[n] = NULL;
    int rc = MR_OK;
    for (struct mr_yaml *node = root->first; node && rc == MR_OK; node = node->next) {
        const struct mr_section *s = section_of(node->key);
        if (s)
            rc = s->read(r, s, node);
        else {
            const struct mr_opt *o = mr__config_opts;
            while (o->name && strcmp(o->name, node->key))
                o++;
            rc = o->name ? mr__opt_read(&r->opt, o, node, "", r->c)
                         : mr__opts_unknown(&r->opt, mr__config_opts, sections, node, "");
        }
    }
    for (const struct mr_opt *o = mr__config_opts; o->name && rc == MR_OK; o++)
        if (!mr__yaml_get(root, o->name))
            rc = mr__opt_default(&r->opt, o, root->mark, "", r->c);
    for (const struct mr_section *s = mr__config_sections; s->name && rc == MR_OK; s++)
        if (!mr__yaml_get(root, s->name))
            rc = s->read(r, s, NULL);
    return rc;
}

static int parse(struct mr_config_reader *r, struct mr_place *place, const char *text, size_t n,
                 struct mr_yaml **root)
{
    int rc = mr__yaml_parse(root, r->c->pool, text, n, place, 0, r->opt.e);
    if (rc < 0)
        return rc;
    const struct mr_mark start = {1, 1};
    if (!*root || mr__yaml_is_empty(*root))
        return mr__place_error(place, start, r->opt.e, "the config is empty");
    if ((*root)->kind != MR_YAML_MAP)
        return mr__place_error(place, (*root)->mark, r->opt.e,
                               "a config is a mapping of keys ('batch: ...'), not %s",
                               mr__yaml_shown(r->c->pool, *root));
    return MR_OK;
}

static int read_all(struct mr_config_reader *r, struct mr_place *place, const char *text,
                    bool from_file, const char *const *set)
{
    struct mr_errbuf *e = r->opt.e;
    struct mr_yaml *root;
    size_t n = text ? strlen(text) : 0;
    int rc = text ? MR_OK : load(r->c->pool, place->path, &text, &n, e);
    r->c->text = text;
    r->c->from_file = from_file;
    if (rc == MR_OK)
        rc = set_folders(r, place->path, from_file);
    if (rc == MR_OK)
        rc = parse(r, place, text, n, &root);
    if (rc == MR_OK)
        rc = apply_sets(r, place, root, set);
    if (rc == MR_OK) {
        r->root = root;
        r->c->mark = root->mark;
        rc = read_root(r, root);
    }
    if (rc == MR_OK)
        rc = mr__config_mixture(r);
    if (rc == MR_OK)
        rc = mr__config_default_sampler(r);
    if (rc == MR_OK)
        rc = mr__config_fields(r);
    if (rc == MR_OK)
        rc = mr__config_ranks(r);
    if (rc == MR_OK)
        rc = mr__config_check(r);
    return rc < 0 ? rc : mr__config_hash(r->c, e);
}

static int read_config(const struct mr_tables *tables, struct mr_config **config, const char *path,
                       const char *text, bool from_file, const char *const *set,
                       struct mr_errbuf *e)
{
    *config = NULL;
    if (!path && !text)
        return mr__fail(e, MR_E_USAGE, "a config needs a path or a text");
    if (!path)
        path = "config";
    struct mr_pool *pool = mr__pool_new();
    struct mr_config *c = pool ? mr__pool_take(pool, sizeof *c) : NULL;
    char *name = c ? mr__pool_text(pool, path, strlen(path)) : NULL;
    if (!name) {
        mr__pool_free(pool);
        return no_memory(e);
    }
    c->pool = pool;
    c->path = name;
    struct mr_place place = {.path = name};
    struct mr_config_reader r = {
        .opt = {.pool = pool, .place = &place, .e = e}, .c = c, .tables = tables};
    if (text) { /* kept: a spawned warden is told the same words */
        text = mr__pool_text(pool, text, strlen(text));
        if (!text) {
            mr__pool_free(pool);
            return no_memory(e);
        }
    }
    int rc = read_all(&r, &place, text, from_file, set);
    if (rc < 0)
        mr__pool_free(pool);
    else
        *config = c;
    return rc < 0 ? rc : MR_OK;
}

int mr__config_read_with(const struct mr_tables *tables, struct mr_config **config,
                         const char *path, const char *text, const char *const *set,
                         struct mr_errbuf *e)
{
    return read_config(tables, config, path, text, !text, set, e);
}

int mr__config_read_again(struct mr_config **config, const char *path, const char *text,
                          bool from_file, const char *const *set, struct mr_errbuf *e)
{
    return read_config(&mr__tables, config, path, text, from_file, set, e);
}

int mr__config_read(struct mr_config **config, const char *path, const char *text,
                    const char *const *set, struct mr_errbuf *e)
{
    return mr__config_read_with(&mr__tables, config, path, text, set, e);
}

void mr__config_free(struct mr_config *config)
{
    if (config)
        mr__pool_free(config->pool);
}
