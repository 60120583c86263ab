/* SPDX-License-Identifier: Apache-2.0
 *
 * config_mixture.c: the section `mixture`. Once read, the config has one source and one sampler
 * like any other, which are those of loaders/mixture over the parts.
 */
#include "config_tables.h"

#include <math.h>
#include <string.h>

#define SUM_TOLERANCE 1e-9
#define MAX_NAME 63 /* as in the index */

/* ---- reading -------------------------------------------------------------------------------- */

/* `mixture.of.2`, as a --set would name it. */
static const char *place_of(struct mr_config_reader *r, int i, const char *key)
{
    const char *where = mr__pool_format(r->opt.pool, "mixture.of.%d%s", i, key);
    return where ? where : "";
}

static int read_choices(struct mr_config_reader *r, const struct mr_yaml *node, int i,
                        struct mr_part_config *part)
{
    struct mr_yaml *source = mr__yaml_get(node, "source");
    struct mr_yaml *sampler = mr__yaml_get(node, "sampler");
    if (!source)
        return mr__place_error(r->opt.place, node->mark, r->opt.e,
                               "'%s' is missing: say where its samples come from "
                               "('source: {type: folder, path: ...}')",
                               place_of(r, i, ".source"));
    int rc = mr__read_typed(r, place_of(r, i, ".source"), source, MR_KIND_SOURCE, &part->source);
    if (rc < 0)
        return rc;
    return sampler ? mr__read_typed(r, place_of(r, i, ".sampler"), sampler, MR_KIND_SAMPLER,
                                    &part->sampler)
                   : mr__choose_shuffle(r, &part->sampler);
}

static int check_name(struct mr_config_reader *r, const struct mr_yaml *node, int i)
{
    struct mr_part_config *parts = r->c->mixture.parts;
    const struct mr_yaml *given = mr__yaml_get(node, "name");
    if (!given)
        parts[i].name = mr__pool_format(r->opt.pool, "%d", i);
    if (!parts[i].name)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    if (strlen(parts[i].name) > MAX_NAME)
        return mr__place_error(r->opt.place, given->mark, r->opt.e, "'%s' has more than %d bytes",
                               place_of(r, i, ".name"), MAX_NAME);
    for (int k = 0; k < i; k++)
        if (!strcmp(parts[k].name, parts[i].name))
            return mr__place_error(r->opt.place, given ? given->mark : node->mark, r->opt.e,
                                   "two parts of the mixture have the name '%s'",
                                   mr__shown(r->opt.pool, parts[i].name));
    return MR_OK;
}

static int read_part(struct mr_config_reader *r, const struct mr_yaml *node, int i)
{
    static const char *const also[] = {"source", "sampler", NULL};
    struct mr_part_config *part = &r->c->mixture.parts[i];
    part->mark = node->mark;
    if (node->kind != MR_YAML_MAP)
        return mr__place_error(r->opt.place, node->mark, r->opt.e,
                               "'%s' must be a mapping ('{share: 0.5, source: {...}}'), not %s",
                               place_of(r, i, ""), mr__yaml_shown(r->opt.pool, node));
    int rc =
        mr__opts_read(&r->opt, mr__part_opts, node, node->mark, place_of(r, i, "."), also, part);
    if (rc >= 0)
        rc = check_name(r, node, i);
    return rc < 0 ? rc : read_choices(r, node, i, part);
}

int mr__read_mixture(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node)
{
    static const char *const also[] = {"of", NULL};
    struct mr_mixture_config *m = &r->c->mixture;
    struct mr_yaml *map;
    if (!node)
        return MR_OK;
    int rc = mr__section_map(r, s, node, &map);
    if (rc >= 0)
        rc = mr__opts_read(&r->opt, s->opts, map, node->mark, "mixture.", also, r->c);
    if (rc < 0)
        return rc;
    m->mark = node->key_mark;
    const struct mr_yaml *of = mr__yaml_get(map, "of");
    if (!of || of->kind != MR_YAML_LIST || !of->count)
        return mr__place_error(r->opt.place, of ? of->mark : node->key_mark, r->opt.e,
                               "'mixture.of' must be a list with an entry per data set "
                               "('- {share: 0.5, source: {...}}')");
    if (of->count > MR_INDEX_MAX_PARTS)
        return mr__place_error(r->opt.place, of->mark, r->opt.e,
                               "'mixture.of' has %d entries; at most %d are allowed", of->count,
                               MR_INDEX_MAX_PARTS);
    m->parts = mr__pool_take(r->opt.pool, (size_t)of->count * sizeof *m->parts);
    if (!m->parts)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    for (const struct mr_yaml *one = of->first; one && rc >= 0; one = one->next)
        rc = read_part(r, one, m->nparts++);
    return rc;
}

/* ---- what goes together --------------------------------------------------------------------- */

static const struct mr_yaml *part_node(const struct mr_config_reader *r, int i)
{
    const struct mr_yaml *one = mr__yaml_get(mr__yaml_get(r->root, "mixture"), "of")->first;
    while (i--)
        one = one->next;
    return one;
}

/* Which keys mean something by what; an override of `by` leaves them there. */
static int check_keys(struct mr_config_reader *r)
{
    static const struct {
        const char *key;
        unsigned by; /* bits of enum mr_mix_by */
        const char *instead;
    } keys[] = {{"share", 1 << MR_MIX_SHARE, "'mixture.by: share'"},
                {"repeat", 1 << MR_MIX_REPEAT, "'mixture.by: repeat'"},
                {"from_epoch", 1 << MR_MIX_SHARE, "'mixture.by: share'"},
                {"until_epoch", 1 << MR_MIX_SHARE, "'mixture.by: share'"},
                {"sampler", 1 << MR_MIX_SHARE | 1 << MR_MIX_REPEAT,
                 "'mixture.by: share' or 'repeat'; with 'all' there is one 'sampler' for all "
                 "parts, beside 'mixture'"}};
    const struct mr_mixture_config *m = &r->c->mixture;
    const struct mr_yaml *map = mr__yaml_get(r->root, "mixture"), *by = mr__yaml_get(map, "by");
    const struct mr_yaml *length = mr__yaml_get(map, "length");
    if (by && !by->mark.line)
        return MR_OK;
    if (length && m->by != MR_MIX_SHARE)
        return mr__place_error(r->opt.place, length->key_mark, r->opt.e,
                               "'mixture.length' goes with 'mixture.by: share': the parts say how "
                               "long an epoch is");
    for (int i = 0; i < m->nparts; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            const struct mr_yaml *node = mr__yaml_get(part_node(r, i), keys[k].key);
            if (node && !(keys[k].by >> m->by & 1))
                return mr__place_error(r->opt.place, node->key_mark, r->opt.e,
                                       "'%s%s' goes with %s", place_of(r, i, "."), keys[k].key,
                                       keys[k].instead);
        }
    return MR_OK;
}

static int check_zero(struct mr_config_reader *r, int i, const char *key, double value)
{
    const struct mr_yaml *node = mr__yaml_get(part_node(r, i), key);
    if (value > 0)
        return MR_OK;
    return mr__place_error(r->opt.place, node ? node->mark : part_node(r, i)->mark, r->opt.e,
                           node ? "'%s.%s' is 0: take the part out, or give it some"
                                : "'%s.%s' is missing: the part's share of all rows, 0 to 1",
                           place_of(r, i, ""), key);
}

static int check_shares(struct mr_config_reader *r)
{
    struct mr_mixture_config *m = &r->c->mixture;
    struct mr_text t = {0};
    double sum = 0;
    int rc = MR_OK;
    for (int i = 0; i < m->nparts && rc >= 0; i++) {
        rc = check_zero(r, i, "share", m->parts[i].share);
        sum += m->parts[i].share;
        mr__text_addf(&t, "%s%s %.10g", i ? ", " : "", mr__shown(r->opt.pool, m->parts[i].name),
                      m->parts[i].share);
    }
    if (rc >= 0 && fabs(sum - 1) > SUM_TOLERANCE)
        rc = mr__place_error(r->opt.place, mr__yaml_get(part_node(r, 0), "share")->mark, r->opt.e,
                             "the shares of 'mixture.of' add up to %.10g, not to 1: %.600s", sum,
                             t.data ? t.data : "");
    mr__text_free(&t);
    return rc;
}

static int check_repeats(struct mr_config_reader *r)
{
    struct mr_mixture_config *m = &r->c->mixture;
    int rc = MR_OK;
    for (int i = 0; i < m->nparts && rc >= 0; i++) {
        if (!mr__yaml_get(part_node(r, i), "repeat"))
            m->parts[i].repeat = 1;
        rc = check_zero(r, i, "repeat", m->parts[i].repeat);
    }
    return rc;
}

/* The epochs that 'from_epoch' and 'until_epoch' count: passes over the mixture, which with
 * 'epoch_batches' go on for as long as the trainer asks. 0: without end. */
static int64_t passes(const struct mr_config *c)
{
    return c->epoch_batches ? 0 : c->epochs;
}

/* No epoch may be without any part. That can begin with epoch 0, or where a part ends. */
static int check_covered(struct mr_config_reader *r, int64_t epoch)
{
    const struct mr_config *c = r->c;
    const struct mr_mixture_config *m = &c->mixture;
    if (passes(c) && epoch >= passes(c))
        return MR_OK;
    for (int i = 0; i < m->nparts; i++)
        if (m->parts[i].from_epoch <= epoch &&
            (!m->parts[i].until_epoch || epoch < m->parts[i].until_epoch))
            return MR_OK;
    return mr__place_error(r->opt.place, m->mark, r->opt.e,
                           "epoch %lld has no part of the mixture: look at 'from_epoch' and "
                           "'until_epoch'",
                           (long long)epoch);
}

static int check_stages(struct mr_config_reader *r)
{
    const struct mr_config *c = r->c;
    for (int i = 0; i < c->mixture.nparts; i++) {
        const struct mr_part_config *part = &c->mixture.parts[i];
        const struct mr_yaml *from = mr__yaml_get(part_node(r, i), "from_epoch");
        const struct mr_yaml *until = mr__yaml_get(part_node(r, i), "until_epoch");
        if (from && passes(c) && part->from_epoch >= passes(c))
            return mr__place_error(r->opt.place, from->mark, r->opt.e,
                                   "'%s' is %lld, but with 'epochs: %lld' the last epoch is %lld",
                                   place_of(r, i, ".from_epoch"), (long long)part->from_epoch,
                                   (long long)c->epochs, (long long)c->epochs - 1);
        if (until && part->until_epoch <= part->from_epoch)
            return mr__place_error(r->opt.place, until->mark, r->opt.e,
                                   "'%s' is %lld, not after 'from_epoch', which is %lld: no epoch "
                                   "would have the part",
                                   place_of(r, i, ".until_epoch"), (long long)part->until_epoch,
                                   (long long)part->from_epoch);
    }
    int rc = check_covered(r, 0);
    for (int i = 0; i < c->mixture.nparts && rc >= 0; i++)
        if (c->mixture.parts[i].until_epoch)
            rc = check_covered(r, c->mixture.parts[i].until_epoch);
    return rc;
}

static int check_samplers(struct mr_config_reader *r)
{
    const struct mr_mixture_config *m = &r->c->mixture;
    for (int i = 0; i < m->nparts; i++) {
        const struct mr_sampler *sampler = m->parts[i].sampler.desc;
        struct mr_mark mark = m->parts[i].sampler.mark;
        if (sampler->batchwise && m->unit == MR_MIX_ROW)
            return mr__place_error(r->opt.place, mark, r->opt.e,
                                   "'%s' makes whole batches, and a part has only some rows of "
                                   "each: set 'mixture.unit: batch', or take another sampler",
                                   sampler->d.name);
        if (sampler->learner)
            return mr__place_error(r->opt.place, mark, r->opt.e,
                                   "'%s' follows the trainer's feedback, which a mixture cannot "
                                   "pass on to its parts: take another sampler, or 'mixture.by: "
                                   "all' with this one as 'sampler'",
                                   sampler->d.name);
    }
    return MR_OK;
}

static int check_sections(const struct mr_config_reader *r)
{
    const struct mr_config *c = r->c;
    bool all = c->mixture.by == MR_MIX_ALL;
    const char *other = c->source.desc            ? "source"
                        : c->producer.plugin      ? "producer.plugin"
                        : c->commander.given      ? "commander"
                        : c->sampler.desc && !all ? "sampler"
                                                  : NULL;
    if (!other)
        return MR_OK;
    return mr__place_error(r->opt.place, c->mixture.mark, r->opt.e,
                           "'mixture' and '%s' both say which samples come: give only one of "
                           "them%s",
                           other,
                           strcmp(other, "sampler") ? ""
                                                    : ", or set 'mixture.by: all' for one sampler "
                                                      "over all parts");
}

/* Windows make all images one size, so that either all parts cut them, alike, or none does. */
static int check_windows(struct mr_config_reader *r)
{
    const struct mr_mixture_config *m = &r->c->mixture;
    int32_t w = 0, h = 0;
    for (int i = 0; i < m->nparts; i++) {
        const struct mr_choice *one = &m->parts[i].sampler;
        const struct mr_sampler *sampler = one->desc;
        int32_t own_w = 0, own_h = 0;
        if (sampler->window)
            sampler->window(one->params, &own_w, &own_h);
        if (i && (own_w != w || own_h != h))
            return mr__place_error(r->opt.place,
                                   one->mark.line || one->mark.col ? one->mark : m->mark, r->opt.e,
                                   "part '%s' of the mixture cuts windows of %d x %d pixels (width "
                                   "x height) and part '%s' of %d x %d (0: none): make them alike",
                                   mr__shown(r->opt.pool, m->parts[i].name), own_w, own_h,
                                   mr__shown(r->opt.pool, m->parts[0].name), w, h);
        w = own_w;
        h = own_h;
    }
    return MR_OK;
}

/* ---- the source and the sampler ------------------------------------------------------------- */

/* As the parts are: a copy of the descriptor that says so. */
static int choose_source(struct mr_config_reader *r)
{
    struct mr_mixture_config *m = &r->c->mixture;
    struct mr_source *source = mr__pool_take(r->opt.pool, sizeof *source);
    if (!source)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    *source = mr__source_mixture;
    source->resolved = true;
    for (int i = 0; i < m->nparts; i++) {
        const struct mr_source *part = m->parts[i].source.desc;
        source->network = source->network || part->network;
        source->resolved = source->resolved && part->resolved;
    }
    r->c->source = (struct mr_choice){.desc = source, .params = m, .mark = m->mark};
    return MR_OK;
}

static int choose_sampler(struct mr_config_reader *r)
{
    struct mr_mixture_config *m = &r->c->mixture;
    struct mr_sampler *sampler = mr__pool_take(r->opt.pool, sizeof *sampler);
    if (!sampler)
        return mr__fail(r->opt.e, MR_E_MEMORY, "not enough memory to read the config");
    *sampler = mr__sampler_mixture;
    if (!((const struct mr_sampler *)m->parts[0].sampler.desc)->window)
        sampler->window = NULL;
    r->c->sampler = (struct mr_choice){.desc = sampler, .params = m, .mark = m->mark};
    return MR_OK;
}

int mr__config_mixture(struct mr_config_reader *r)
{
    struct mr_mixture_config *m = &r->c->mixture;
    if (!m->nparts)
        return MR_OK;
    int rc = check_sections(r);
    if (rc >= 0)
        rc = check_keys(r);
    if (rc >= 0 && m->by == MR_MIX_SHARE)
        rc = check_shares(r);
    if (rc >= 0 && m->by == MR_MIX_SHARE)
        rc = check_stages(r);
    if (rc >= 0 && m->by == MR_MIX_REPEAT)
        rc = check_repeats(r);
    if (rc >= 0 && m->by != MR_MIX_ALL)
        rc = check_samplers(r);
    if (rc >= 0 && m->by != MR_MIX_ALL)
        rc = check_windows(r);
    if (rc >= 0)
        rc = choose_source(r);
    return rc >= 0 && m->by != MR_MIX_ALL ? choose_sampler(r) : rc;
}
