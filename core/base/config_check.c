/* SPDX-License-Identifier: Apache-2.0
 *
 * config_check.c: what no single section can know: which sections go together.
 */
#include "config_tables.h"

static bool user_producer(const struct mr_config *c)
{
    return c->producer.plugin || c->producer.exec.n;
}

static bool commander_code(const struct mr_config *c)
{
    return c->commander.plugin || c->commander.script;
}

/* Where a value stands; where it is only a default, the beginning. */
static struct mr_mark mark_of(const struct mr_config_reader *r, const char *section,
                              const char *key)
{
    const struct mr_yaml *node = mr__yaml_get(r->root, section);
    const struct mr_yaml *inner = node && key ? mr__yaml_get(node, key) : NULL;
    return inner ? inner->mark : node ? node->mark : r->c->mark;
}

static int check_ranks(const struct mr_config_reader *r)
{
    const struct mr_config *c = r->c;
    struct mr_errbuf *e = r->opt.e;
    bool launched = c->ranks_from != NULL;
    const char *from = launched ? " (from " : "", *end = launched ? ")" : "";
    const char *who = launched ? c->ranks_from : "";
    if (c->rank >= c->world)
        return mr__config_error(c, mark_of(r, "rank", NULL), e,
                                "'rank' is %lld, but with 'world: %lld'%s%s%s ranks go from 0 to "
                                "%lld",
                                (long long)c->rank, (long long)c->world, from, who, end,
                                (long long)c->world - 1);
    if (c->world > 1 && c->batch.last == MR_LAST_SHORT)
        return mr__config_error(c, mark_of(r, "batch", "last"), e,
                                "'batch.last: short' cannot be used with 'world: %lld'%s%s%s: "
                                "ranks would get different numbers of rows; use drop, pad or wrap",
                                (long long)c->world, from, who, end);
    if (c->context == MR_CONTEXT_FORK && c->producers.threads > 1)
        return mr__config_error(c, mark_of(r, "producers", "threads"), e,
                                "'producers.threads: %lld' cannot be used with 'context: fork': a "
                                "forked process must not start a team of threads",
                                (long long)c->producers.threads);
    return MR_OK;
}

static int check_sampler(const struct mr_config *c, struct mr_errbuf *e)
{
    if (c->sampler.desc && c->commander.given)
        return mr__config_error(c, c->sampler.mark, e,
                                "'sampler' and 'commander' both decide which sample "
                                "comes next: give only one of them");
    if (c->sampler.desc && !c->source.desc)
        return mr__config_error(c, c->sampler.mark, e,
                                "'sampler' picks samples of a source: add "
                                "'source', or take it out");
    return MR_OK;
}

/* Rows come from source and ops, or from a user's producer; an exec'ed one may run the config's own
 * pipeline. */
static int check_rows(const struct mr_config *c, struct mr_errbuf *e)
{
    bool fork = c->context == MR_CONTEXT_FORK;
    if (c->source.desc && c->producer.plugin)
        return mr__config_error(c, c->source.mark, e,
                                "'source' and 'producer.plugin' both make the rows: "
                                "give only one of them");
    if (c->source.desc)
        return MR_OK;
    if (c->nops)
        return mr__config_error(c, c->ops[0].mark, e,
                                "'ops' work on images of a source: add 'source', or take them out");
    if (!user_producer(c) && !fork)
        return mr__config_error(c, c->mark, e,
                                "'source' is missing: say where samples come from "
                                "('source: {type: folder, path: ...}')");
    if (!c->nfields)
        return mr__config_error(
            c, c->producer.given ? c->producer.mark : c->mark, e, "%s%s",
            c->producer.given ? "'fields' is missing: say what your producer fills "
                              : "'source' is missing, or, for callbacks of your own, 'fields': "
                                "say what they fill ",
            "('fields: {image: {dtype: uint8, shape: [3, 224, 224]}}')");
    if (!c->commander.given && !fork)
        return mr__config_error(c, c->producer.mark, e,
                                "'commander' is missing: without a source, your "
                                "code has to say what each row is to hold");
    return MR_OK;
}

/* A user's code is trusted: it is not confined, and nobody is to believe that it is. */
static int check_sandbox(const struct mr_config *c, struct mr_mark mark, struct mr_errbuf *e)
{
    if (c->sandbox != MR_SANDBOX_REQUIRE)
        return MR_OK;
    return mr__config_error(c, mark, e,
                            "'sandbox: require' cannot be kept: a producer of your own is not "
                            "confined; use auto or off");
}

int mr__config_check(struct mr_config_reader *r)
{
    const struct mr_config *c = r->c;
    struct mr_errbuf *e = r->opt.e;
    bool fork = c->context == MR_CONTEXT_FORK;
    if (c->commander.given && !commander_code(c) && !fork)
        return mr__config_error(c, c->commander.mark, e,
                                "'commander' needs 'script' or 'plugin': name the Lua script or "
                                "the shared object with your commander");
    if (c->producer.given && !user_producer(c) && !fork)
        return mr__config_error(c, c->producer.mark, e, "'producer' needs 'plugin' or 'exec'");
    int rc = check_ranks(r);
    if (rc == MR_OK && c->producer.given)
        rc = check_sandbox(c, mark_of(r, "sandbox", NULL), e);
    if (rc == MR_OK)
        rc = check_sampler(c, e);
    return rc < 0 ? rc : check_rows(c, e);
}

int mr__config_callbacks(const struct mr_config *c, bool commander, bool producer,
                         struct mr_errbuf *e)
{
    bool fork = c->context == MR_CONTEXT_FORK;
    if ((commander || producer) && !fork)
        return mr__fail(e, MR_E_USAGE,
                        "callbacks of this program need 'context: fork' in the config; with "
                        "'context: spawn' name a plug-in there");
    if (commander && commander_code(c))
        return mr__config_error(c, c->commander.mark, e,
                                "a commander is given twice: as 'commander.%s' and as a callback",
                                c->commander.script ? "script" : "plugin");
    bool mixed = c->mixture.nparts && c->mixture.by != MR_MIX_ALL;
    bool given = c->sampler.mark.line || c->sampler.mark.col || mixed; /* no default */
    if (commander && c->sampler.desc && given)
        return mr__config_error(c, c->sampler.mark, e,
                                "a commander is given as a callback, and decides which sample "
                                "comes next: take '%s' out",
                                mixed ? "mixture" : "sampler");
    if (producer && (user_producer(c) || c->source.desc))
        return mr__config_error(c, user_producer(c) ? c->producer.mark : c->source.mark, e,
                                "a producer is given as a callback: take '%s' out",
                                user_producer(c) ? "producer" : "source");
    if (producer && check_sandbox(c, c->mark, e) < 0)
        return e->code;
    if (!c->source.desc && !user_producer(c) && !producer)
        return mr__config_error(c, c->mark, e, "'source' is missing, and no producer is given");
    if (!c->source.desc && !commander_code(c) && !commander)
        return mr__config_error(c, c->mark, e,
                                "a commander is missing: without a source, your code has to say "
                                "what each row is to hold");
    return MR_OK;
}
