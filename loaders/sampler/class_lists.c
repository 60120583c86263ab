/* SPDX-License-Identifier: Apache-2.0 */
#include "class_lists.h"

#include "base/printable.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting: how often each value comes, in a table with open addressing ---- */

struct tally_cell {
    int64_t label;
    uint64_t count; /* 0: the cell is free */
};

struct tally {
    struct tally_cell *cell;
    uint64_t slots, used; /* slots: a power of two, at least twice `used` */
};

static struct tally_cell *cell_of(const struct tally *t, int64_t label)
{
    uint64_t z = (uint64_t)label; /* the finaliser of MurmurHash3, for labels of any pattern */
    z = (z ^ z >> 33) * 0xff51afd7ed558ccdu;
    z = (z ^ z >> 33) * 0xc4ceb9fe1a85ec53u;
    for (uint64_t i = z ^ z >> 33;; i++) {
        struct tally_cell *cell = &t->cell[i & (t->slots - 1)];
        if (!cell->count || cell->label == label)
            return cell;
    }
}

static bool make_room(struct tally *t)
{
    if (t->slots && t->used < t->slots / 2)
        return true;
    struct tally larger = {.slots = t->slots ? t->slots * 2 : 256, .used = t->used};
    larger.cell = calloc(larger.slots, sizeof *larger.cell);
    if (!larger.cell)
        return false;
    for (uint64_t i = 0; i < t->slots; i++)
        if (t->cell[i].count)
            *cell_of(&larger, t->cell[i].label) = t->cell[i];
    free(t->cell);
    *t = larger;
    return true;
}

/* *sorted: the values come in ascending order, equal ones together. */
static bool count_labels(struct tally *t, const struct mr_part_column *by, bool *sorted)
{
    struct tally_cell *cell = NULL;
    *sorted = true;
    for (uint64_t i = 0; i < by->n; i++) {
        int64_t label = mr__part_column_whole(by, i);
        if (!cell || cell->label != label) {
            *sorted = *sorted && (!cell || cell->label < label);
            if (!make_room(t))
                return false;
            cell = cell_of(t, label);
            t->used += !cell->count;
            cell->label = label;
        }
        cell->count++;
    }
    return true;
}

/* ---- lists out of counts ---- */

static int by_label(const void *a, const void *b)
{
    const struct tally_cell *x = a, *y = b;
    return x->label < y->label ? -1 : x->label > y->label;
}

/* The classes in order, with where their members start. Leaves the table sorted, no longer hashed.
 */
static bool name_classes(struct mr_class_lists *l, struct tally *t)
{
    l->classes = t->used;
    l->label = malloc(l->classes * sizeof *l->label);
    l->size = calloc(l->classes, sizeof *l->size);
    l->start = malloc((l->classes + 1) * sizeof *l->start);
    if (!l->label || !l->size || !l->start)
        return false;
    uint64_t n = 0;
    for (uint64_t i = 0; i < t->slots; i++)
        if (t->cell[i].count)
            t->cell[n++] = t->cell[i];
    qsort(t->cell, n, sizeof *t->cell, by_label);
    l->start[0] = 0;
    for (uint64_t c = 0; c < n; c++) {
        l->label[c] = t->cell[c].label;
        l->start[c + 1] = l->start[c] + t->cell[c].count;
    }
    return true;
}

/* A table again, of which place each class's next member gets, plus 1. */
static void tally_places(struct tally *t, const struct mr_class_lists *l)
{
    memset(t->cell, 0, t->slots * sizeof *t->cell);
    for (uint64_t c = 0; c < l->classes; c++)
        *cell_of(t, l->label[c]) = (struct tally_cell){l->label[c], l->start[c] + 1};
}

static bool list_members(struct mr_class_lists *l, struct tally *t)
{
    l->member = malloc(l->by.n * sizeof *l->member);
    if (!l->member)
        return false;
    tally_places(t, l);
    for (uint64_t i = 0; i < l->by.n; i++)
        l->member[cell_of(t, mr__part_column_whole(&l->by, i))->count++ - 1] = (uint32_t)i;
    return true;
}

static uint64_t member_of(const struct mr_class_lists *l, uint64_t place)
{
    return l->member ? l->member[place] : place;
}

/* A column that repeats itself after n samples has part of a repetition at its end: the members
 * below `rest` are there once more. */
static void count_samples(struct mr_class_lists *l)
{
    uint64_t whole = l->by.samples / l->by.n, rest = l->by.samples % l->by.n;
    for (uint64_t c = 0; c < l->classes; c++) {
        l->size[c] = whole * (l->start[c + 1] - l->start[c]);
        for (uint64_t k = l->start[c]; k < l->start[c + 1] && member_of(l, k) < rest; k++)
            l->size[c]++;
    }
}

int mr__class_lists_open(struct mr_class_lists *l, const struct mr_sampler_env *env,
                         const char *key, const char *name, struct mr_errbuf *e)
{
    struct tally t = {0};
    bool sorted;
    *l = (struct mr_class_lists){.seed = env->seed};
    int rc = mr__part_column_find(&l->by, env, key, name, true, e);
    if (rc < 0)
        return rc;
    if (l->by.n > UINT32_MAX)
        return mr__fail(e, MR_E_LIMIT,
                        "'%s': %llu samples are more than can be sorted into "
                        "classes (4294967295)",
                        key, (unsigned long long)l->by.n);
    if (count_labels(&t, &l->by, &sorted) && name_classes(l, &t) && (sorted || list_members(l, &t)))
        count_samples(l);
    else
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory to sort %llu samples into classes",
                      (unsigned long long)l->by.n);
    free(t.cell);
    if (rc < 0)
        mr__class_lists_close(l);
    return rc;
}

void mr__class_lists_close(struct mr_class_lists *l)
{
    free(l->label);
    free(l->size);
    free(l->start);
    free(l->member);
    *l = (struct mr_class_lists){0};
}

/* ---- asking ---- */

uint64_t mr__class_sample(const struct mr_class_lists *l, uint64_t c, uint64_t i)
{
    uint64_t members = l->start[c + 1] - l->start[c], repetition = 0;
    if (i >= members) {
        repetition = i / members;
        i %= members;
    }
    return l->by.first + repetition * l->by.n + member_of(l, l->start[c] + i);
}

uint64_t mr__class_of(const struct mr_class_lists *l, uint64_t sample)
{
    int64_t label = mr__part_column_whole(&l->by, sample - l->by.first);
    uint64_t lo = 0, hi = l->classes - 1;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (l->label[mid] < label)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct mr_class_name mr__class_name(const struct mr_class_lists *l, uint64_t c)
{
    struct mr_class_name name;
    const struct mr_index *index = l->by.index;
    const char *column = index->head->column[l->by.column].name, *text = NULL;
    long long label = (long long)l->label[c];
    size_t n = 0;
    if (!strcmp(column, "label") && label >= 0) /* the names are that column's */
        text = mr__index_class(index, (uint64_t)label, &n);
    if (text)
        snprintf(name.text, sizeof name.text, "'%.180s' (label %lld)", mr__printable(text, n).text,
                 label);
    else
        snprintf(name.text, sizeof name.text, "%lld of the column '%s'", label, column);
    return name;
}

void mr__class_substitute(const struct mr_class_lists *l, uint64_t epoch, uint64_t position,
                          uint32_t attempt, struct mr_pick *pick)
{
    uint64_t c = mr__class_of(l, pick->sample);
    struct mr_row_key key = {l->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    *pick = (struct mr_pick){.sample = mr__class_sample(l, c, mr_rng_below(&rng, l->size[c]))};
}
