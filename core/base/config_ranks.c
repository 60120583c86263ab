/* SPDX-License-Identifier: Apache-2.0
 *
 * config_ranks.c: `rank` and `world`: as the config says, and where it does not, as the launcher.
 */
#include "config_tables.h"
#include "rank_env.h"

#include <string.h>

struct ranks {
    struct mr_config_reader *r;
    bool rank_given, world_given;
    struct mr_rank_env env;
};

static bool given(const struct mr_config_reader *r, const char *key)
{
    const struct mr_yaml *node = mr__yaml_get(r->root, key);
    return node && (node->kind != MR_YAML_SCALAR || strcmp(node->text, "auto") != 0);
}

static int no_memory(const struct ranks *s)
{
    return mr__fail(s->r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
}

static int take_env(struct ranks *s)
{
    struct mr_config *c = s->r->c;
    const struct mr_rank_env *env = &s->env;
    struct mr_pool *pool = c->pool;
    const char *warning = *env->warning ? env->warning : NULL;
    if (env->found && s->world_given && env->world != c->world)
        warning = mr__pool_format(pool,
                                  "'world' is %lld, though %s is %lld in the environment (%s), "
                                  "where the rank is from: set 'rank', too",
                                  (long long)c->world, env->world_key, (long long)env->world,
                                  env->launcher);
    if (warning && !(c->ranks_warning = mr__pool_format(pool, "%s", warning)))
        return no_memory(s);
    if (!env->found)
        return MR_OK;
    c->ranks_from =
        s->rank_given ? mr__pool_format(pool, "'rank', and %s of %s", env->world_key, env->launcher)
        : s->world_given
            ? mr__pool_format(pool, "'world', and %s of %s", env->rank_key, env->launcher)
            : mr__pool_format(pool, "%s and %s of %s", env->rank_key, env->world_key,
                              env->launcher);
    if (!s->rank_given)
        c->rank = env->rank;
    if (!s->world_given)
        c->world = env->world;
    return c->ranks_from ? MR_OK : no_memory(s);
}

int mr__config_ranks(struct mr_config_reader *r)
{
    struct mr_config *c = r->c;
    struct ranks s = {.r = r, .rank_given = given(r, "rank"), .world_given = given(r, "world")};
    /* A plug-in or a callback decides itself what each rank gets. */
    bool user = !c->commander.script && (c->commander.given || !c->source.desc);
    bool alone = s.world_given && c->world == 1;
    if (!s.world_given)
        c->world = 1;
    if ((s.rank_given && s.world_given) || alone || user)
        return MR_OK;
    int rc = mr__rank_env(&s.env, r->opt.e);
    return rc < 0 ? rc : take_env(&s);
}
