/* SPDX-License-Identifier: Apache-2.0
 *
 * describe.c: which pages are asked for, and in which format.
 */
#include "describe.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"config", "source", "sampler", "op", "codec"};
static const enum mr_kind kinds[] = {MR_KIND_COUNT, MR_KIND_SOURCE, MR_KIND_SAMPLER, MR_KIND_OP,
                                     MR_KIND_CODEC};
#define KINDS (sizeof kinds / sizeof *kinds)

static const struct {
    const char *name;
    char *(*write)(const struct mr_pages *pages);
} formats[] = {
    {"text", mr__describe_text},
    {"json", mr__describe_json},
    {"schema", mr__describe_schema},
    {"markdown", mr__describe_markdown},
};
#define FORMATS (sizeof formats / sizeof *formats)

static void add_page(struct mr_pages *pages, struct mr_page page)
{
    if (pages->n < MR_MAX_PAGES)
        pages->page[pages->n++] = page;
}

static void add_config(struct mr_pages *pages)
{
    add_page(pages, (struct mr_page){.kind = "config",
                                     .name = "config",
                                     .help = "the keys of the top level",
                                     .opts = mr__config_opts});
    for (const struct mr_section *s = mr__config_sections; s->name; s++) {
        add_page(
            pages,
            (struct mr_page){
                .kind = "config", .name = s->name, .help = s->help, .opts = s->opts, .section = s});
        if (s->kind == MR_SECTION_MIXTURE)
            add_page(pages, (struct mr_page){.kind = "config",
                                             .name = "mixture.of",
                                             .help = "one data set of a mixture",
                                             .opts = mr__part_opts});
    }
}

static void add_kind(struct mr_pages *pages, size_t k)
{
    const struct mr_desc *d;
    if (kinds[k] == MR_KIND_COUNT) {
        add_config(pages);
        return;
    }
    for (size_t i = 0; (d = mr__kind_at(pages->tables, kinds[k], i)); i++)
        add_page(pages, (struct mr_page){.kind = kind_names[k],
                                         .name = d->name,
                                         .help = d->help,
                                         .opts = d->opts,
                                         .desc = d});
}

/* Keeps the pages of that name; MR_E_USAGE with the nearest when there is none. */
static int keep_named(struct mr_pages *pages, const char *kind, const char *name,
                      struct mr_errbuf *e)
{
    const char *names[MR_MAX_PAGES];
    int kept = 0;
    for (int i = 0; i < pages->n; i++)
        names[i] = pages->page[i].name;
    const char *near = mr__nearest(name, names, (size_t)pages->n);
    for (int i = 0; i < pages->n; i++)
        if (!strcmp(pages->page[i].name, name))
            pages->page[kept++] = pages->page[i];
    pages->n = kept;
    if (kept)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE, "there is no %s '%.60s'%s%s%s",
                    kind ? kind : "op, source, sampler, codec or config section", name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int collect(struct mr_pages *pages, const char *kind, const char *name, struct mr_errbuf *e)
{
    bool known = false;
    for (size_t k = 0; k < KINDS; k++)
        if (!kind || !strcmp(kind, kind_names[k])) {
            known = true;
            add_kind(pages, k);
        }
    if (!known) {
        const char *near = mr__nearest(kind, kind_names, KINDS);
        return mr__fail(
            e, MR_E_USAGE,
            "there is no kind '%.60s'%s%s%s; kinds are config, source, sampler, op, codec", kind,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    pages->detailed = name || (kind && !strcmp(kind, "config"));
    return name ? keep_named(pages, kind, name, e) : MR_OK;
}

int mr__describe_with(const struct mr_tables *tables, const char *kind, const char *name,
                      const char *format, char **text, struct mr_errbuf *e)
{
    *text = NULL;
    size_t f = 0;
    while (f < FORMATS && strcmp(formats[f].name, format ? format : "text"))
        f++;
    if (f == FORMATS)
        return mr__fail(e, MR_E_USAGE,
                        "there is no format '%.60s'; formats are text, json, schema, markdown",
                        format);
    struct mr_pages *pages = calloc(1, sizeof *pages);
    if (!pages)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the description");
    pages->tables = tables;
    int rc = collect(pages, kind, name, e);
    if (rc == MR_OK && formats[f].write == mr__describe_schema && kind && strcmp(kind, "config") &&
        pages->n != 1)
        rc = mr__fail(e, MR_E_USAGE,
                      "a schema is made of the whole config or of one %s: give its name", kind);
    if (rc == MR_OK && !(*text = formats[f].write(pages)))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for the description");
    free(pages);
    return rc;
}

int mr__describe(const char *kind, const char *name, const char *format, char **text,
                 struct mr_errbuf *e)
{
    return mr__describe_with(&mr__tables, kind, name, format, text, e);
}

const char *mr__describe_default(const struct mr_opt *o)
{
    return !o->def ? "required" : *o->def ? o->def : "-";
}
