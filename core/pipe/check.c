/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c: mr_check and mr_explain: the plan without a run.
 */
#include "base/text.h"
#include "millrace/millrace.h"
#include "pipe/commander_run.h"
#include "pipe/last_error.h"
#include "pipe/plan.h"
#include "pipe/read_ahead.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int compile(const char *path, const mr_options *o, struct mr_plan **plan,
                   struct mr_errbuf *e)
{
    static const mr_options defaults = {.size = sizeof defaults};
    struct mr_config *config;
    if (!o)
        o = &defaults;
    if (o->size != sizeof *o)
        return mr__fail(e, MR_E_USAGE, "mr_options.size is not sizeof(mr_options)");
    if (!path && !o->config_text)
        return mr__fail(e, MR_E_USAGE, "the path of a config or its text is needed");
    struct mr_user user = {o->commander, o->producer};
    int rc = mr__config_read(&config, path, o->config_text, o->set, e);
    if (rc < 0)
        return rc;
    rc = mr__plan_compile(plan, config, &user, e);
    if (rc < 0)
        mr__config_free(config);
    return rc;
}

int mr_check(const char *path, const mr_options *options)
{
    struct mr_errbuf e = {0};
    struct mr_plan *plan;
    int rc = compile(path, options, &plan, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    if (plan->config->commander.script && (rc = mr__script_try(plan->config, &e)) < 0) {
        struct mr_errbuf why = e;
        mr__config_error(plan->config, plan->config->commander.mark, &e, "%s", why.text);
    }
    mr__plan_free(plan);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}

static const char *kind_name(enum mr_field_kind kind)
{
    static const char *const names[] = {"image", "mask", "boxes", "column", "window", "user"};
    return names[kind];
}

static void explain_field(FILE *f, const struct mr_plan_field *pf, uint32_t rows)
{
    fprintf(f, "  %-12s %-8s %s [%u", pf->p.name, kind_name(pf->p.kind), mr_dtype_name(pf->p.dtype),
            rows);
    for (int d = 0; d < pf->p.ndim; d++)
        fprintf(f, ", %" PRId64, pf->p.shape[d]);
    fprintf(f, "]%s  %.3f MB\n", pf->p.max_entries ? " ragged" : "",
            (double)(pf->p.row_bytes * rows) / 1e6);
}

static void explain_part(FILE *f, const struct mr_mixture_config *m, int i)
{
    const struct mr_part_config *part = &m->parts[i];
    const struct mr_desc *source = part->source.desc, *sampler = part->sampler.desc;
    fprintf(f, "  %-12s %s", part->name, source->name);
    if (m->by != MR_MIX_ALL)
        fprintf(f, ", %s", sampler->name);
    if (m->by == MR_MIX_SHARE)
        fprintf(f, ", share %.10g", part->share);
    if (m->by == MR_MIX_REPEAT)
        fprintf(f, ", %.10g times per epoch", part->repeat);
    if (part->until_epoch)
        fprintf(f, ", epochs %" PRId64 " to %" PRId64, part->from_epoch, part->until_epoch - 1);
    else if (part->from_epoch)
        fprintf(f, ", from epoch %" PRId64, part->from_epoch);
    fprintf(f, "\n");
}

static void explain_mixture(FILE *f, const struct mr_config *c)
{
    static const char *const by[] = {"by share", "by repetition", "all parts as one data set"};
    static const char *const unit[] = {"row by row", "in whole batches"};
    const struct mr_mixture_config *m = &c->mixture;
    fprintf(f, "mixture:   %s", by[m->by]);
    if (m->by != MR_MIX_ALL)
        fprintf(f, ", %s, seed %" PRId64, unit[m->unit], c->seed);
    if (m->length)
        fprintf(f, ", %" PRId64 " rows per epoch", m->length);
    fprintf(f, "\n");
    for (int i = 0; i < m->nparts; i++)
        explain_part(f, m, i);
}

static void explain_source(FILE *f, const struct mr_config *c)
{
    static const char *const last[] = {"short", "drop", "pad", "wrap"};
    const struct mr_desc *source = c->source.desc, *sampler = c->sampler.desc;
    if (c->commander.given)
        fprintf(f, "commander: %s\n",
                c->commander.plugin   ? c->commander.plugin
                : c->commander.script ? c->commander.script
                                      : "callbacks");
    if (c->mixture.nparts)
        explain_mixture(f, c);
    else if (source)
        fprintf(f, "source:    %s\n", source->name);
    bool own = c->mixture.nparts && c->mixture.by != MR_MIX_ALL;
    if (!c->commander.given && !own && sampler)
        fprintf(f, "sampler:   %s, seed %" PRId64 "\n", sampler->name, c->seed);
    fprintf(f, "batches:   %" PRId64 " rows, last: %s\n", c->batch.size, last[c->batch.last]);
    fprintf(f, "rank:      %" PRId64 " of %" PRId64, c->rank, c->world);
    if (c->ranks_from)
        fprintf(f, " (%s)", c->ranks_from);
    fprintf(f, "\n");
    if (c->ranks_warning)
        fprintf(f, "           warning: %s\n", c->ranks_warning);
    if (c->epochs)
        fprintf(f, "epochs:    %" PRId64, c->epochs);
    else
        fprintf(f, "epochs:    endless");
    if (c->epoch_batches)
        fprintf(f, ", of %" PRId64 " batches", c->epoch_batches);
    fprintf(f, "\n");
}

static void explain_reading(FILE *f, const struct mr_config *c)
{
    uint32_t rows = mr__read_ahead_rows(c);
    fprintf(f, "reading:   ");
    if (rows)
        fprintf(f, "up to %u rows ahead%s\n", rows,
                c->read_ahead ? "" : ", while files are found not to be in memory");
    else
        fprintf(f, "nothing ahead\n");
}

/* False: memory was out. */
static bool explain(FILE *f, const struct mr_plan *plan)
{
    static const char *const contexts[] = {"spawn", "fork"};
    static const char *const on_error[] = {"fail", "replace", "skip"};
    const struct mr_config *c = plan->config;
    explain_source(f, c);
    if (plan->pipe) {
        char *stages = mr__rowpipe_explain(plan->pipe);
        if (!stages)
            return false;
        explain_reading(f, c);
        fprintf(f, "row:\n%s", stages);
        free(stages);
    } else {
        fprintf(f, "producer:  %s, unit: %s\n",
                c->producer.plugin   ? c->producer.plugin
                : c->producer.exec.n ? c->producer.exec.v[0]
                                     : "callbacks",
                plan->arena.tasks == 1 ? "batch" : "row");
    }
    fprintf(f, "fields:\n");
    for (int i = 0; i < plan->nfields; i++)
        explain_field(f, &plan->fields[i], plan->arena.rows);
    fprintf(f, "arena:     %u slots and %u spare, of %.3f MB = %.1f MB of shared memory\n",
            plan->arena.slots, plan->arena.spares, (double)plan->arena.slot_data_bytes / 1e6,
            (double)plan->arena.slot_data_bytes * (plan->arena.slots + plan->arena.spares) / 1e6);
    fprintf(f,
            "processes: 1 warden, 1 commander, %u producers of %" PRId64 " thread%s, context %s\n",
            plan->arena.producers, c->producers.threads, c->producers.threads == 1 ? "" : "s",
            contexts[c->context]);
    fprintf(f, "delivery:  %s, on_error: %s\n",
            c->deterministic ? "in order" : "as batches are finished", on_error[c->on_error]);
    fprintf(f, "stream:    config hash %016" PRIx64 "\n", c->stream_hash);
    return true;
}

int mr_explain(const char *path, const mr_options *options, char **text)
{
    struct mr_errbuf e = {0};
    struct mr_plan *plan;
    size_t bytes;
    if (!text) {
        mr__fail(&e, MR_E_USAGE, "mr_explain needs a place for the text");
        return mr__keep_error(&e);
    }
    *text = NULL;
    int rc = compile(path, options, &plan, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    FILE *f = open_memstream(text, &bytes);
    bool whole = f && explain(f, plan);
    mr__plan_free(plan);
    if (mr__stream_text(f, text) && whole)
        return MR_OK;
    free(*text);
    *text = NULL;
    mr__fail(&e, MR_E_MEMORY, "no memory for the plan's text");
    return mr__keep_error(&e);
}
