/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack_later.c: which samples have files of a name that another one has, too: a manifest may name
 * a file twice, '../a' and '_/a' become the same name, and shards are made by others. They are
 * unpacked one after the other, so that who gets which name does not depend on the threads.
 */
#include "pack/unpack_files.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char *name;
    uint64_t sample;
};

struct entries {
    struct entry *of;
    size_t n;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int by_name = strcmp(a->name, b->name);
    if (by_name || a->sample == b->sample)
        return by_name;
    return a->sample < b->sample ? -1 : 1;
}

/* The files' names, as far as they are known without looking at the files. False: memory is out. */
static bool list(const struct mr_pack_data *d, struct entries *all)
{
    all->of = malloc(d->index.head->samples * (size_t)d->nfiles * sizeof *all->of + 1);
    for (int i = 0; i < d->nfiles && all->of; i++) {
        if (mr__pack_data_is_tensor(d, d->files[i]))
            continue;
        for (uint64_t sample = 0; sample < d->index.head->samples; sample++) {
            if (i && !mr__pack_data_has(d, i, sample))
                continue;
            char *name = mr__unpack_name(&d->index, d->files[i], sample, NULL);
            if (!name)
                return false;
            all->of[all->n++] = (struct entry){name, sample};
        }
    }
    return all->of != NULL;
}

int mr__unpack_later(const struct mr_pack_data *d, bool *later, struct mr_errbuf *e)
{
    struct entries all = {0};
    bool good = list(d, &all);
    if (good && all.n)
        qsort(all.of, all.n, sizeof *all.of, compare);
    for (size_t i = 1; i < all.n && good; i++)
        later[all.of[i].sample] |= !strcmp(all.of[i - 1].name, all.of[i].name);
    for (size_t i = 0; i < all.n; i++)
        free(all.of[i].name);
    free(all.of);
    return good ? MR_OK : mr__fail(e, MR_E_MEMORY, "not enough memory for the names of the files");
}
