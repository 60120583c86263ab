/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

#include "cell_number.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct label {
    uint64_t hash;
    size_t at, n;  /* in `text`, NUL behind it */
    int64_t value; /* what it becomes */
};

struct mr_labels {
    struct mr_buf text, unique, sample; /* bytes, struct label, uint32_t (number in `unique`) */
    uint32_t *table;                    /* open addressing: number in `unique` + 1, 0 = free */
    size_t slots;                       /* a power of two, 0 before the first */
};

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the labels");
}

static struct label *unique_of(const struct mr_labels *l)
{
    return (struct label *)(void *)l->unique.data;
}

static size_t count_unique(const struct mr_labels *l)
{
    return l->unique.n / sizeof(struct label);
}

int mr__labels_new(struct mr_labels **l, struct mr_errbuf *e)
{
    *l = calloc(1, sizeof **l);
    return *l ? MR_OK : no_memory(e);
}

void mr__labels_free(struct mr_labels *l)
{
    if (!l)
        return;
    mr__buf_free(&l->text);
    mr__buf_free(&l->unique);
    mr__buf_free(&l->sample);
    free(l->table);
    free(l);
}

/* The slot of the text, or the free slot where it belongs. */
static uint32_t *slot_of(const struct mr_labels *l, uint64_t hash, const char *text, size_t n)
{
    for (size_t i = hash;; i++) {
        uint32_t *slot = &l->table[i & (l->slots - 1)];
        if (!*slot)
            return slot;
        const struct label *one = &unique_of(l)[*slot - 1];
        if (one->hash == hash && one->n == n && !memcmp(l->text.data + one->at, text, n))
            return slot;
    }
}

/* Twice as many slots when half of them are taken. */
static bool make_room(struct mr_labels *l)
{
    if (l->slots && count_unique(l) < l->slots / 2)
        return true;
    size_t slots = l->slots ? l->slots * 2 : 1024;
    uint32_t *table = calloc(slots, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < count_unique(l); i++) {
        size_t at = unique_of(l)[i].hash;
        while (table[at & (slots - 1)])
            at++;
        table[at & (slots - 1)] = (uint32_t)i + 1;
    }
    free(l->table);
    l->table = table;
    l->slots = slots;
    return true;
}

int mr__labels_add(struct mr_labels *l, const char *text, size_t n, struct mr_errbuf *e)
{
    if (!make_room(l))
        return no_memory(e);
    uint64_t hash = XXH3_64bits(text, n);
    uint32_t *slot = slot_of(l, hash, text, n);
    if (!*slot) {
        if (count_unique(l) >= INT32_MAX)
            return mr__fail(e, MR_E_LIMIT, "over 2^31 different labels");
        struct label one = {.hash = hash, .at = l->text.n, .n = n};
        if (!mr__buf_append(&l->text, text, n) || !mr__buf_append(&l->text, "", 1) ||
            !mr__buf_append(&l->unique, &one, sizeof one))
            return no_memory(e);
        *slot = (uint32_t)count_unique(l);
    }
    uint32_t number = *slot - 1;
    return mr__buf_append(&l->sample, &number, sizeof number) ? MR_OK : no_memory(e);
}

static bool read_numbers(struct mr_labels *l)
{
    for (size_t i = 0; i < count_unique(l); i++) {
        struct label *one = &unique_of(l)[i];
        const char *text = (const char *)l->text.data + one->at;
        if (mr__cell_number(&text, MR_I64, &one->value) || *text)
            return false;
    }
    return true;
}

static int by_text(const void *a, const void *b, void *labels)
{
    const struct mr_labels *l = labels;
    const uint32_t *na = a, *nb = b;
    return strcmp((const char *)l->text.data + unique_of(l)[*na].at,
                  (const char *)l->text.data + unique_of(l)[*nb].at);
}

static int number_names(struct mr_labels *l, struct mr_index_builder *b, struct mr_errbuf *e)
{
    size_t n = count_unique(l);
    uint32_t *order = malloc((n + 1) * sizeof *order);
    if (!order)
        return no_memory(e);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, n, sizeof *order, by_text, l);
    int rc = MR_OK;
    for (size_t i = 0; i < n && rc == MR_OK; i++) {
        struct label *one = &unique_of(l)[order[i]];
        one->value = (int64_t)i;
        rc = mr__index_add_class(b, (const char *)l->text.data + one->at, one->n, e);
    }
    free(order);
    return rc;
}

int mr__labels_finish(struct mr_labels *l, bool by_name, struct mr_index_builder *b, int column,
                      struct mr_errbuf *e)
{
    int rc = !by_name && read_numbers(l) ? MR_OK : number_names(l, b, e);
    const uint32_t *sample = (const uint32_t *)(void *)l->sample.data;
    for (size_t i = 0; rc == MR_OK && i < l->sample.n / sizeof *sample; i++)
        rc = mr__index_add_numbers(b, column, &unique_of(l)[sample[i]].value, 1, e);
    return rc;
}
