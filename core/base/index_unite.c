/* SPDX-License-Identifier: Apache-2.0
 *
 * index_unite.c: several data sets become one: a column is there once for all parts that have one
 * of its name, and a class once for all parts that know its name, whatever numbers it had in each.
 */
#include "index_format.h"
#include "shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "label" /* the column whose numbers are those of classes, if there are any */

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the index of the data sets");
}

int mr__index_add_part(struct mr_index_builder *b, const char *name, struct mr_index_builder **part,
                       struct mr_errbuf *e)
{
    uint64_t n = b->head.parts;
    if (n == MR_INDEX_MAX_PARTS)
        return mr__fail(e, MR_E_LIMIT, "more than %d data sets in one", MR_INDEX_MAX_PARTS);
    if (!b->table)
        b->table = calloc(MR_INDEX_MAX_PARTS, sizeof *b->table);
    if (!b->table)
        return no_memory(e);
    if (strlen(name) >= MR_INDEX_NAME || b->head.columns)
        return mr__fail(e, MR_E_USAGE, "the part '%.80s' has too long a name, or comes too late",
                        name);
    int rc = mr__index_builder_new(&b->part[n], e);
    if (rc < 0)
        return rc;
    memcpy(b->table[n].name, name, strlen(name) + 1);
    b->head.parts++;
    *part = b->part[n];
    return MR_OK;
}

struct mr_index_builder *mr__index_built_part(const struct mr_index_builder *b, uint64_t i)
{
    return i < b->head.parts ? b->part[i] : NULL;
}

/* ---- columns ---- */

static int find_column(const struct mr_index_head *head, const char *name)
{
    for (int i = 0; i < (int)head->columns; i++)
        if (!strcmp(head->column[i].name, name))
            return i;
    return -1;
}

/* The first part that has the column. */
static const char *owner_of(const struct mr_index_builder *b, int column)
{
    uint64_t i = 0;
    while (b->table[i].column[column] == MR_INDEX_NO_COLUMN)
        i++;
    return b->table[i].name;
}

static const void *shape_of(const struct mr_index_builder *b, int column)
{
    return b->column[column].data.data;
}

#define TEXT 160
static void describe_column(const struct mr_index_builder *b, int column, char text[TEXT])
{
    const struct mr_column *c = &b->head.column[column];
    const char *many = c->kind == MR_COL_RAGGED ? "any number of entries of " : "";
    if (c->kind == MR_COL_PATH || c->kind == MR_COL_MADE)
        snprintf(text, TEXT, "files");
    else if (c->kind != MR_COL_TENSOR)
        snprintf(text, TEXT, "%s%u x %s", many, c->width, mr_dtype_name(c->dtype));
    else
        mr__shape_text(mr_dtype_name(c->dtype), shape_of(b, column), (int)c->max_entries, text,
                       TEXT);
}

/* `own` of part `p` is what column `i` of the whole is. */
static bool same_column(const struct mr_index_builder *b, int i, uint64_t p, int own)
{
    const struct mr_column *whole = &b->head.column[i], *c = &b->part[p]->head.column[own];
    if (!mr__index_same_kind(whole->kind, c->kind) || whole->dtype != c->dtype ||
        whole->width != c->width)
        return false;
    return c->kind != MR_COL_TENSOR ||
           (whole->max_entries == c->max_entries &&
            !memcmp(shape_of(b, i), shape_of(b->part[p], own), c->max_entries * sizeof(int64_t)));
}

/* The column as the first part to have it has it. */
static int add_column(struct mr_index_builder *b, const struct mr_index_builder *part, int own,
                      struct mr_errbuf *e)
{
    const struct mr_column *c = &part->head.column[own];
    if (c->kind == MR_COL_TENSOR)
        return mr__index_add_tensor(b, c->name, c->dtype, shape_of(part, own), (int)c->max_entries,
                                    e);
    return mr__index_add_column(b, c->name, c->kind, c->dtype, c->width, e);
}

static int unite_column(struct mr_index_builder *b, uint64_t p, int own, struct mr_errbuf *e)
{
    const struct mr_column *c = &b->part[p]->head.column[own];
    int i = find_column(&b->head, c->name);
    if (i < 0)
        i = add_column(b, b->part[p], own, e);
    if (i < 0)
        return i;
    struct mr_column *whole = &b->head.column[i];
    if (!same_column(b, i, p, own)) {
        char one[TEXT], other[TEXT];
        describe_column(b, i, one);
        describe_column(b->part[p], own, other);
        return mr__fail(e, MR_E_CONFIG,
                        "the column '%s' is %s in part '%s' and %s in part '%s': give them one "
                        "type, or the columns two names",
                        c->name, one, owner_of(b, i), other, b->table[p].name);
    }
    if (c->kind == MR_COL_PATH) /* beside columns that are made: some samples have one */
        whole->kind = MR_COL_PATH;
    if (c->max_entries > whole->max_entries)
        whole->max_entries = c->max_entries;
    b->table[p].column[i] = (uint8_t)own;
    return MR_OK;
}

/* ---- classes ---- */

struct class
{ /* of a part */
    const char *name;
    size_t n;
    uint32_t part;
    uint64_t number, whole; /* in the part, in the whole */
};

static int by_name(const void *a, const void *b)
{
    const struct class *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = n ? memcmp(x->name, y->name, n) : 0;
    if (!order && x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return order ? order : x->part < y->part ? -1 : x->part > y->part;
}

static int by_number(const void *a, const void *b)
{
    const struct class *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void list_classes(const struct mr_index_builder *b, struct class *classes)
{
    size_t n = 0;
    for (uint32_t p = 0; p < b->head.parts; p++) {
        const struct mr_ragged *names = &b->part[p]->classes;
        const uint64_t *at = (const uint64_t *)(const void *)names->offsets.data;
        for (uint64_t i = 0; i < b->part[p]->head.classes; i++)
            classes[n++] = (struct class){.name = (const char *)names->data.data + at[i],
                                          .n = at[i + 1] - at[i],
                                          .part = p,
                                          .number = i};
    }
}

/* The labels' values are numbers of the part's classes: they become those of the whole. */
static void renumber(struct mr_index_builder *part, const struct class *classes)
{
    int column = find_column(&part->head, LABEL);
    if (column < 0 || part->head.column[column].dtype != MR_I64)
        return;
    int64_t *label = (int64_t *)(void *)part->column[column].data.data;
    for (size_t i = 0; i < part->column[column].data.n / sizeof *label; i++)
        if (label[i] >= 0 && (uint64_t)label[i] < part->head.classes)
            label[i] = (int64_t)classes[label[i]].whole;
}

/* Labels that are plain numbers can stand beside names as long as these keep their numbers; else
 * nobody could know what they mean. */
static int check_numbers(const struct mr_index_builder *b, const struct class *classes, size_t n,
                         struct mr_errbuf *e)
{
    for (uint64_t p = 0; p < b->head.parts; p++) {
        if (find_column(&b->part[p]->head, LABEL) < 0 || b->part[p]->head.classes)
            continue;
        for (size_t i = 0; i < n; i++)
            if (classes[i].whole != classes[i].number)
                return mr__fail(e, MR_E_CONFIG,
                                "class '%.*s' of part '%s' is number %llu there and %llu in the "
                                "mixture, and the labels of part '%s' are plain numbers: make them "
                                "names ('label:class' in the manifest)",
                                (int)(classes[i].n < 100 ? classes[i].n : 100), classes[i].name,
                                b->table[classes[i].part].name,
                                (unsigned long long)classes[i].number,
                                (unsigned long long)classes[i].whole, b->table[p].name);
    }
    return MR_OK;
}

/* Every part knows the classes of the whole: its labels are their numbers now. */
static int hand_down(struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct mr_ragged *from = &b->classes;
    for (uint64_t p = 0; p < b->head.parts; p++) {
        struct mr_ragged *to = &b->part[p]->classes;
        to->offsets.n = to->data.n = 0;
        if (!mr__buf_append(&to->offsets, from->offsets.data, from->offsets.n) ||
            !mr__buf_append(&to->data, from->data.data, from->data.n))
            return no_memory(e);
        b->part[p]->head.classes = b->head.classes;
    }
    return MR_OK;
}

static int unite_classes(struct mr_index_builder *b, struct mr_errbuf *e)
{
    size_t n = 0;
    int rc = MR_OK;
    for (uint64_t p = 0; p < b->head.parts; p++)
        n += b->part[p]->head.classes;
    if (!n)
        return MR_OK;
    struct class *classes = calloc(n, sizeof *classes);
    if (!classes)
        return no_memory(e);
    list_classes(b, classes);
    qsort(classes, n, sizeof *classes, by_name);
    for (size_t i = 0; i < n && rc >= 0; i++) {
        bool again = i && classes[i].n == classes[i - 1].n &&
                     !memcmp(classes[i].name, classes[i - 1].name, classes[i].n);
        if (!again)
            rc = mr__index_add_class(b, classes[i].name, classes[i].n, e);
        classes[i].whole = b->head.classes - 1;
    }
    qsort(classes, n, sizeof *classes, by_number);
    if (rc >= 0)
        rc = check_numbers(b, classes, n, e);
    for (uint64_t p = 0, first = 0; p < b->head.parts && rc >= 0; p++) {
        renumber(b->part[p], classes + first);
        first += b->part[p]->head.classes;
    }
    free(classes);
    return rc < 0 ? rc : hand_down(b, e);
}

/* ---- the whole ---- */

int mr__index_unite(struct mr_index_builder *b, struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (uint64_t p = 0; p < b->head.parts && rc >= 0; p++) {
        const struct mr_index_builder *part = b->part[p];
        struct mr_index_part *at = &b->table[p];
        memset(at->column, MR_INDEX_NO_COLUMN, sizeof at->column);
        for (int c = 0; c < (int)part->head.columns && rc >= 0; c++)
            rc = unite_column(b, p, c, e);
        at->first = b->head.samples;
        at->samples = mr__index_samples(part);
        b->head.samples += at->samples;
        b->head.skipped += part->head.skipped;
    }
    return rc < 0 ? rc : unite_classes(b, e);
}
