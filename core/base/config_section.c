/* SPDX-License-Identifier: Apache-2.0
 *
 * config_section.c: the sections that are mappings of options: batch, producers, limits, and users'
 * code.
 */
#include "config_tables.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int mr__section_map(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node,
                    struct mr_yaml **map)
{
    *map = node;
    if (!node || node->kind == MR_YAML_MAP)
        return MR_OK;
    bool empty = mr__yaml_is_empty(node);
    if (node->kind == MR_YAML_LIST || (!empty && !s->shorthand))
        return mr__place_error(r->opt.place, node->mark, r->opt.e,
                               "'%s' must be a mapping ('{key: value}'), not %s", s->name,
                               mr__yaml_shown(r->opt.pool, node));
    struct mr_yaml *made = mr__pool_take(r->opt.pool, 2 * sizeof *made);
    if (!made)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    made->kind = MR_YAML_MAP;
    made->mark = node->mark;
    if (!empty) {
        made[1] = *node;
        made[1].key = s->shorthand;
        mr__yaml_append(made, &made[1]);
    }
    *map = made;
    return MR_OK;
}

static const char *prefix(struct mr_config_reader *r, const struct mr_section *s)
{
    const char *where = mr__pool_format(r->opt.pool, "%s.", s->name);
    return where ? where : "";
}

static int read_map(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node,
                    const char *const *also, struct mr_yaml **map)
{
    int rc = mr__section_map(r, s, node, map);
    if (rc < 0)
        return rc;
    struct mr_mark mark = *map ? (*map)->mark : (struct mr_mark){0};
    return mr__opts_read(&r->opt, s->opts, *map, mark, prefix(r, s), also, r->c);
}

int mr__read_opts(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    struct mr_yaml *map;
    return read_map(r, s, node, NULL, &map);
}

int mr__read_decode(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    return mr__read_opts(r, s, node);
}

int mr__read_batch(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    struct mr_yaml *map;
    int rc = read_map(r, s, node, NULL, &map);
    if (rc < 0)
        return rc;
    const struct mr_yaml *drop = mr__yaml_get(map, "drop_last");
    int asked = r->c->batch.drop_last ? MR_LAST_DROP : MR_LAST_SHORT;
    if (drop && r->c->batch.last >= 0 && r->c->batch.last != asked)
        return mr__place_error(
            r->opt.place, drop->key_mark, r->opt.e,
            "'batch.drop_last: %s' contradicts 'batch.last': give only one of them", drop->text);
    if (r->c->batch.last < 0)
        r->c->batch.last = drop ? asked : MR_LAST_SHORT;
    return MR_OK;
}

static int read_user(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node,
                     struct mr_user_code *code, struct mr_yaml **map)
{
    static const char *const also[] = {"params", NULL};
    int rc = read_map(r, s, node, also, map);
    if (rc < 0 || !node)
        return rc;
    code->given = true;
    code->mark = node->key_mark;
    const struct mr_yaml *params = mr__yaml_get(*map, "params");
    if (!params)
        return MR_OK;
    const char *where = mr__pool_format(r->opt.pool, "%s.params", s->name);
    return mr__config_params(r, params, where ? where : "params", &code->params,
                             &code->params_bytes);
}

int mr__read_commander(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    struct mr_user_code *code = &r->c->commander;
    struct mr_yaml *map;
    int rc = read_user(r, s, node, code, &map);
    if (rc < 0 || !node)
        return rc;
    if (code->script && code->plugin)
        return mr__place_error(r->opt.place, mr__yaml_get(map, "script")->key_mark, r->opt.e,
                               "'commander' has both 'plugin' and 'script': give only one of them");
    return MR_OK;
}

/* The program must be there before anything is started. A bare name is left to $PATH. */
static int find_program(struct mr_config_reader *r, const struct mr_yaml *exec)
{
    struct mr_strs *args = &r->c->producer.exec;
    const struct mr_yaml *first = exec->kind == MR_YAML_LIST ? exec->first : exec;
    if (!args->n)
        return mr__place_error(r->opt.place, exec->mark, r->opt.e,
                               "'producer.exec' needs the name of a program");
    if (!strchr(args->v[0], '/'))
        return MR_OK;
    const char *program = args->v[0];
    while (!strncmp(program, "./", 2))
        program += 2;
    if (*program != '/')
        program = mr__pool_format(r->opt.pool, "%s/%s",
                                  first->mark.line ? r->opt.folder : r->opt.cwd, program);
    const char **v = mr__pool_take(r->opt.pool, ((size_t)args->n + 1) * sizeof *v);
    if (!program || !v)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    struct stat st;
    if (access(program, X_OK) < 0 || stat(program, &st) < 0 || !S_ISREG(st.st_mode))
        return mr__place_error(
            r->opt.place, first->mark, r->opt.e,
            "'producer.exec': cannot run '%s': no such program, or no right to run it", program);
    memcpy(v, args->v, (size_t)args->n * sizeof *v);
    v[0] = program;
    args->v = v;
    return MR_OK;
}

int mr__read_producer(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    struct mr_user_code *code = &r->c->producer;
    struct mr_yaml *map;
    int rc = read_user(r, s, node, code, &map);
    if (rc < 0)
        return rc;
    const struct mr_yaml *exec = mr__yaml_get(map, "exec");
    if (exec && code->plugin)
        return mr__place_error(r->opt.place, exec->key_mark, r->opt.e,
                               "'producer' has both 'plugin' and 'exec': give only one of them");
    return exec ? find_program(r, exec) : MR_OK;
}
