/* SPDX-License-Identifier: Apache-2.0
 *
 * describe_text.c: the tables for a terminal, in columns, and as Markdown.
 */
#include "describe.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 5 };
static const char *const titles[COLUMNS] = {"option", "default", "type", "allowed", "meaning"};

/* One row of the table as texts. `scratch` holds what is made for it. */
static void cells(const struct mr_opt *o, const char *cell[COLUMNS], struct mr_text *scratch,
                  char allowed[120])
{
    char bounds[80];
    cell[0] = o->name;
    cell[1] = mr__describe_default(o);
    cell[2] = mr__opt_type_text(o, scratch);
    mr__opt_bounds_text(o, bounds);
    snprintf(allowed, 120, "%s%s%s", bounds, *bounds && o->unit ? " " : "", o->unit ? o->unit : "");
    cell[3] = *allowed ? allowed : "-";
    cell[4] = o->help;
}

/* Calls `row` for the title and every option. A cell that memory was out for fails the text. */
static void each_row(struct mr_text *text, const struct mr_opt *opts, void *to,
                     void (*row)(void *to, const char *const cell[COLUMNS]))
{
    row(to, titles);
    for (const struct mr_opt *o = opts; o && o->name; o++) {
        const char *cell[COLUMNS];
        char allowed[120];
        struct mr_text scratch = {0};
        cells(o, cell, &scratch, allowed);
        row(to, cell);
        text->failed |= scratch.failed;
        mr__text_free(&scratch);
    }
}

struct table {
    struct mr_text *text;
    int width[COLUMNS];
};

static void measure(void *to, const char *const cell[COLUMNS])
{
    struct table *t = to;
    for (int i = 0; i < COLUMNS; i++)
        if ((int)strlen(cell[i]) > t->width[i])
            t->width[i] = (int)strlen(cell[i]);
}

static void print_row(void *to, const char *const cell[COLUMNS])
{
    struct table *t = to;
    for (int i = 0; i < COLUMNS - 1; i++)
        mr__text_addf(t->text, "  %-*s", t->width[i], cell[i]);
    mr__text_addf(t->text, "  %s\n", cell[COLUMNS - 1]);
}

/* What the rows do not say of a section. */
static const char *section_note(const struct mr_page *p)
{
    static const char *const notes[] = {
        [MR_SECTION_OPTS] = NULL,
        [MR_SECTION_USER] = "`params`: a mapping of your own, handed to build() as a message",
        [MR_SECTION_SOURCE] = "`type` names the source; its options stand beside it",
        [MR_SECTION_SAMPLER] = "`type` names the sampler; its options stand beside it",
        [MR_SECTION_MIXTURE] = "`of`: a list of parts, each with the options of mixture.of, a "
                               "`source` and a `sampler`",
        [MR_SECTION_OPS] = "a list; an entry is `name` or `name: {options}`",
        [MR_SECTION_FIELDS] = "a mapping `name: {options}`; image, mask and boxes come from the "
                              "pipeline, other names are columns of the source",
    };
    return p->section ? notes[p->section->kind] : NULL;
}

static void page_text(struct mr_text *text, const struct mr_page *p)
{
    const char *note = section_note(p);
    mr__text_addf(text, "%s %s: %s\n", p->kind, p->name, p->help);
    if (note)
        mr__text_addf(text, "  %s\n", note);
    if (!p->opts || !p->opts->name) {
        if (!note)
            mr__text_addf(text, "  no options\n");
        return;
    }
    struct table t = {.text = text};
    each_row(text, p->opts, &t, measure);
    each_row(text, p->opts, &t, print_row);
}

static void list_text(struct mr_text *text, const struct mr_pages *pages)
{
    int width = 0;
    for (int i = 0; i < pages->n; i++)
        if ((int)strlen(pages->page[i].name) > width)
            width = (int)strlen(pages->page[i].name);
    for (int i = 0; i < pages->n; i++) {
        const struct mr_page *p = &pages->page[i];
        if (i == 0 || strcmp(p->kind, p[-1].kind))
            mr__text_addf(text, "%s%s\n", i ? "\n" : "", p->kind);
        mr__text_addf(text, "  %-*s  %s\n", width, p->name, p->help);
    }
}

char *mr__describe_text(const struct mr_pages *pages)
{
    struct mr_text text = {0};
    if (!pages->detailed)
        list_text(&text, pages);
    for (int i = 0; pages->detailed && i < pages->n; i++) {
        mr__text_addf(&text, "%s", i ? "\n" : "");
        page_text(&text, &pages->page[i]);
    }
    return mr__text_take(&text);
}

static void markdown_row(void *to, const char *const cell[COLUMNS])
{
    struct mr_text *text = to;
    for (int i = 0; i < COLUMNS; i++) {
        const char *mark = cell == titles || i > 1 || !strcmp(cell[i], "-") ||
                                   (i == 1 && !strcmp(cell[i], "required"))
                               ? ""
                               : "`";
        mr__text_addf(text, "| %s", mark);
        for (const char *c = cell[i]; *c; c++)
            mr__text_addf(text, *c == '|' ? "\\%c" : "%c", *c);
        mr__text_addf(text, "%s ", mark);
    }
    mr__text_addf(text, "|\n%s", cell == titles ? "|---|---|---|---|---|\n" : "");
}

static void page_markdown(struct mr_text *text, const struct mr_page *p)
{
    const char *note = section_note(p);
    mr__text_addf(text, "### %s\n\n%c%s.\n\n", p->name,
                  *p->help >= 'a' && *p->help <= 'z' ? *p->help - 'a' + 'A' : *p->help,
                  p->help + 1);
    if (note)
        mr__text_addf(text, "%c%s.\n\n", *note >= 'a' && *note <= 'z' ? *note - 'a' + 'A' : *note,
                      note + 1);
    if (p->opts && p->opts->name)
        each_row(text, p->opts, text, markdown_row);
    else if (!note)
        mr__text_addf(text, "It has no options.\n");
}

char *mr__describe_markdown(const struct mr_pages *pages)
{
    static const struct {
        const char *kind, *title;
    } titles_of[] = {{"config", "Config"},
                     {"source", "Sources"},
                     {"sampler", "Samplers"},
                     {"op", "Ops"},
                     {"codec", "Codecs"}};
    struct mr_text text = {0};
    for (int i = 0; i < pages->n; i++) {
        const struct mr_page *p = &pages->page[i];
        mr__text_addf(&text, "%s", i ? "\n" : "");
        for (size_t k = 0; k < sizeof titles_of / sizeof *titles_of; k++)
            if (!strcmp(p->kind, titles_of[k].kind) && (i == 0 || strcmp(p->kind, p[-1].kind)))
                mr__text_addf(&text, "## %s\n\n", titles_of[k].title);
        page_markdown(&text, p);
    }
    return mr__text_take(&text);
}
