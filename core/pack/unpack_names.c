/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack_names.c: a name of its own for every file. Samples may have files of one name: a manifest
 * may name a file twice, '../a' and '_/a' become the same, and shards are made by others, too.
 */
#include "loaders/shard/shards_index.h"
#include "pack/unpack_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char **name;
    uint64_t sample;
    int column;
    int64_t bytes, check; /* of its body; bytes 0: not known, equal to none */
    char *to;             /* another name; NULL: it keeps its own */
    bool again;           /* a lower sample has the same file */
};

struct entries {
    struct entry *of;
    size_t n;
};

/* By name; those of one name in the order of their samples. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int by_name = strcmp(*a->name, *b->name);
    if (by_name || a->sample == b->sample)
        return by_name ? by_name : a->column - b->column;
    return a->sample < b->sample ? -1 : 1;
}

static bool same_body(const struct entry *a, const struct entry *b)
{
    return a->bytes && a->bytes == b->bytes && a->check == b->check;
}

static void know_body(const struct mr_index *index, int place, struct entry *entry)
{
    uint64_t n;
    const int64_t *numbers = place < 0 ? NULL : mr__index_numbers(index, place, entry->sample, &n);
    if (!numbers)
        return;
    entry->bytes = numbers[MR_PLACE_BYTES];
    entry->check = numbers[MR_PLACE_CHECK];
}

static int place_of(const struct mr_index *index, int column)
{
    char name[MR_INDEX_NAME + sizeof MR_SHARDS_PLACE];
    snprintf(name, sizeof name, "%s" MR_SHARDS_PLACE, index->head->column[column].name);
    return mr__index_column(index, name);
}

/* Of all files the names that they had. */
static bool list(const struct mr_pack_data *d, char **names, struct entries *all)
{
    const struct mr_index_head *head = d->index.head;
    all->of = calloc(head->samples, (size_t)d->nfiles * sizeof *all->of);
    for (int i = 0; i < d->nfiles && all->of; i++) {
        int column = d->files[i], place = place_of(&d->index, column);
        if (mr__pack_data_is_tensor(d, column))
            continue;
        for (uint64_t sample = 0; sample < head->samples; sample++) {
            char **name = &names[sample * head->columns + (uint64_t)column];
            if (i && !mr__pack_data_has(d, i, sample))
                continue;
            *name = mr__unpack_name(&d->index, column, sample);
            if (!*name)
                return false;
            struct entry *entry = &all->of[all->n++];
            *entry = (struct entry){.name = name, .sample = sample, .column = column};
            know_body(&d->index, place, entry);
        }
    }
    return all->of != NULL;
}

static bool is_there(const struct entries *all, char *name)
{
    for (size_t low = 0, high = all->n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, *all->of[middle].name);
        if (!order)
            return true;
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return false;
}

/* 'a/b.jpg' of sample 7 to 'a/b-7.jpg', and so on until there is none of that name. */
static char *another(const struct entries *all, const struct entry *entry)
{
    const char *old = *entry->name, *slash = strrchr(old, '/');
    const char *dot = strrchr(slash ? slash : old, '.');
    size_t stem = dot && dot != (slash ? slash + 1 : old) ? (size_t)(dot - old) : strlen(old);
    char *name = NULL;
    for (unsigned more = 0;; more++) {
        char mark[48];
        snprintf(mark, sizeof mark, more ? "-%llu-%u" : "-%llu", (unsigned long long)entry->sample,
                 more);
        if (asprintf(&name, "%.*s%s%s", (int)stem, old, mark, old + stem) < 0)
            return NULL;
        if (!is_there(all, name))
            return name;
        free(name);
    }
}

/* The n entries of one name, that of the first. False: memory is out. */
static bool tell_apart(const struct entries *all, struct entry *of, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        size_t like = 0;
        while (like < i && !same_body(&of[like], &of[i]))
            like++;
        of[i].again = like < i;
        if (of[i].again && !of[like].to)
            continue; /* the first one's file */
        of[i].to = of[i].again ? strdup(of[like].to) : another(all, &of[i]);
        if (!of[i].to)
            return false;
    }
    return true;
}

static bool tell_all_apart(const struct entries *all)
{
    for (size_t first = 0, n; first < all->n; first += n) {
        struct entry *of = all->of + first;
        n = 1;
        while (first + n < all->n && !strcmp(*of[0].name, *of[n].name))
            n++;
        if (!tell_apart(all, of, n))
            return false;
    }
    return true;
}

int mr__unpack_names(const struct mr_pack_data *d, char **names, bool *again, struct mr_errbuf *e)
{
    struct entries all = {0};
    bool good = list(d, names, &all);
    if (good) {
        qsort(all.of, all.n, sizeof *all.of, compare);
        good = tell_all_apart(&all);
    }
    for (size_t i = 0; i < all.n; i++) {
        struct entry *entry = &all.of[i];
        again[entry->sample * d->index.head->columns + (uint64_t)entry->column] = entry->again;
        if (!entry->to)
            continue;
        free(*entry->name);
        *entry->name = entry->to;
    }
    free(all.of);
    return good ? MR_OK : mr__fail(e, MR_E_MEMORY, "not enough memory for the names of the files");
}
