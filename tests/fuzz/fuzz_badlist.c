/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_badlist.c: any bytes as a list of bad samples. Every error tells its place; what is read and
 * written again is read as the same; the table of verdicts finds each entry that it is given.
 */
#include "pipe/badlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void write_list(struct mr_text *t, const struct mr_badlist *list)
{
    const struct mr_index none = {0};
    mr__badlist_write(t, list, &none, -1, false);
    require(!t->failed, "memory");
}

static bool same_path(const char *a, const char *b)
{
    return !a || !b ? a == b : !strcmp(a, b);
}

static void check_entry(const struct mr_bad *a, const struct mr_bad *b)
{
    bool anywhere = a->v.position == MR_ANYWHERE;
    require(a->v.sample == b->v.sample && a->v.position == b->v.position, "another sample");
    require(anywhere || (a->v.epoch == b->v.epoch && a->v.attempt == b->v.attempt),
            "another place");
    require(a->v.cause == b->v.cause && a->v.reason == b->v.reason, "another cause");
    require(a->v.stage == b->v.stage && a->v.forced == b->v.forced, "another kind");
    require(same_path(a->path, b->path), "another path");
}

static void check_again(const struct mr_badlist *list)
{
    struct mr_badlist again;
    struct mr_text first = {0}, second = {0};
    struct mr_errbuf e;
    write_list(&first, list);
    require(mr__badlist_parse(&again, "f", (const uint8_t *)first.data, first.n, &e) == MR_OK,
            "what is written is not read");
    require(again.n == list->n, "another number of entries");
    for (size_t i = 0; i < list->n; i++)
        check_entry(&list->v[i], &again.v[i]);
    write_list(&second, &again);
    require(first.n == second.n && !memcmp(first.data, second.data, first.n), "another text");
    mr__text_free(&first);
    mr__text_free(&second);
    mr__badlist_free(&again);
}

static const struct mr_arena *table(void)
{
    static struct mr_arena a;
    const struct mr_arena_spec spec = {.slots = 1,
                                       .rows = 1,
                                       .tasks = 1,
                                       .producers = 1,
                                       .slot_data_bytes = 4096,
                                       .message_bytes = 64,
                                       .listed_max = TABLE};
    struct mr_errbuf e;
    if (!a.control)
        require(mr__arena_create(&a, &spec, &e) == MR_OK, "an arena");
    return &a;
}

static void check_table(const struct mr_badlist *list)
{
    struct mr_verdict v[TABLE], found;
    const struct mr_arena *a = table();
    uint32_t n = 0;
    for (; n < list->n && n < TABLE; n++) {
        v[n] = list->v[n].v;
        v[n].listed = n + 1;
    }
    mr__verdict_list(a, v, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct mr_verdict *w = &list->v[i].v;
        uint64_t position = w->position == MR_ANYWHERE ? i : w->position;
        require(mr__verdict_find(a, w->epoch, position, w->attempt, w->sample, &found),
                "an entry is not in the table");
        require(found.sample == w->sample && found.listed > 0, "another entry is found");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mr_badlist list;
    struct mr_errbuf e = {0};
    int rc = mr__badlist_parse(&list, "f", data, n, &e);
    require(rc == MR_OK || e.text[0], "an error without a sentence");
    require(rc != MR_E_CONFIG || !strncmp(e.text, "f:", 2), "an error without its place");
    require(rc == MR_OK || !list.n, "a list beside an error");
    if (rc == MR_OK) {
        if (list.n <= 24) /* more of the same costs time, and shows nothing */
            check_again(&list);
        check_table(&list);
    }
    mr__badlist_free(&list);
    return 0;
}
