/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/badlist.h"

#include "base/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list ---- */

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_place(const struct mr_verdict *a, const struct mr_verdict *b)
{
    int by = order(a->epoch, b->epoch);
    by = by ? by : order(a->position, b->position);
    return by ? by : order(a->attempt, b->attempt);
}

/* Where it belongs, from the end: a run's entries come in order, or nearly so. */
static size_t place_for(const struct mr_badlist *list, const struct mr_bad *bad, bool *there)
{
    size_t at = list->n;
    int by = 1;
    while (at > 0 && (by = by_place(&list->v[at - 1].v, &bad->v)) > 0)
        at--;
    *there = at > 0 && by == 0;
    return at;
}

static bool make_room(struct mr_badlist *list)
{
    if (list->n < list->cap)
        return true;
    size_t cap = list->cap ? 2 * list->cap : 16;
    struct mr_bad *v = list->n < MR_BADLIST_MAX ? reallocarray(list->v, cap, sizeof *v) : NULL;
    if (!v)
        return false;
    list->v = v;
    list->cap = cap;
    return true;
}

bool mr__badlist_add(struct mr_badlist *list, const struct mr_bad *bad)
{
    bool there = false;
    size_t at = bad->line ? list->n : place_for(list, bad, &there);
    if (there || !make_room(list)) {
        free(bad->text);
        free(bad->path);
        return there;
    }
    memmove(&list->v[at + 1], &list->v[at], (list->n - at) * sizeof *bad);
    list->v[at] = *bad;
    list->n++;
    return true;
}

void mr__badlist_free(struct mr_badlist *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->v[i].text);
        free(list->v[i].path);
    }
    free(list->v);
    *list = (struct mr_badlist){0};
}

/* ---- as text ---- */

const char *mr__stage_name(uint32_t stage)
{
    static const char *const names[MR_ACTIVITIES] = {
        [MR_DOING_READ] = "read", [MR_DOING_DECODE] = "decode", [MR_DOING_USER] = "fill"};
    return stage < MR_ACTIVITIES && names[stage] ? names[stage] : "";
}

char *mr__bad_path(const struct mr_bad *bad, const struct mr_index *index, int column)
{
    if (bad->path)
        return strdup(bad->path);
    if (!index->head || column < 0 || bad->v.sample >= index->head->samples)
        return NULL;
    if (index->head->column[column].kind != MR_COL_PATH)
        return NULL;
    return mr__index_full_path(index, column, bad->v.sample);
}

/* In quotes, with quotes twice: any byte may stand between them. */
static void add_quoted(struct mr_text *t, const char *s)
{
    mr__text_add(t, "\"", 1);
    for (const char *quote; (quote = strchr(s, '"')); s = quote + 1) {
        mr__text_add(t, s, (size_t)(quote - s) + 1);
        mr__text_add(t, "\"", 1);
    }
    mr__text_add(t, s, strlen(s));
    mr__text_add(t, "\"", 1);
}

/* A reason is for people: one line, and nothing that a spreadsheet takes for a formula. (Paths
 * begin with '/'.) */
static void add_reason(struct mr_text *t, const struct mr_bad *bad)
{
    char words[MR_VERDICT_TEXT + 1];
    const char *s = bad->text ? bad->text : mr__verdict_describe(&bad->v, words, sizeof words);
    struct mr_printable p = mr__printable(s, strlen(s));
    char line[sizeof p.text + 1];
    snprintf(line, sizeof line, "%s%s", p.text[0] && strchr("=+-@", p.text[0]) ? " " : "", p.text);
    add_quoted(t, line);
}

static void add_entry(struct mr_text *t, const struct mr_bad *bad, const struct mr_index *index,
                      int column, bool anywhere)
{
    char *path = mr__bad_path(bad, index, column);
    if (bad->v.sample != UINT64_MAX)
        mr__text_addf(t, "%" PRIu64, bad->v.sample);
    mr__text_add(t, ",", 1);
    if (path)
        add_quoted(t, path);
    free(path);
    mr__text_addf(t, ",%s,", mr__stage_name(bad->v.stage));
    add_reason(t, bad);
    mr__text_addf(t, ",%s,", mr__cause_name(bad->v.cause));
    if (anywhere || bad->v.position == MR_ANYWHERE)
        mr__text_addf(t, ",,");
    else
        mr__text_addf(t, "%" PRIu64 ",%" PRIu64 ",%" PRIu32, bad->v.epoch, bad->v.position,
                      bad->v.attempt);
    mr__text_addf(t, ",%d\n", bad->v.forced != 0);
}

void mr__badlist_write(struct mr_text *t, const struct mr_badlist *list,
                       const struct mr_index *index, int column, bool anywhere)
{
    mr__text_addf(t, "sample,path,stage,reason,cause,epoch,position,attempt,forced\n");
    for (size_t i = 0; i < list->n; i++)
        add_entry(t, &list->v[i], index, column, anywhere);
}
