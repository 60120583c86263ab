/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts ---- */

static struct mr_verdict *part_at(const struct mr_arena *a, enum mr_verdict_part part)
{
    struct mr_verdict *all = (struct mr_verdict *)((uint8_t *)a->control + a->shape.off_verdicts);
    const uint32_t before[] = {0, a->shape.listed_max, a->shape.listed_max + MR_VERDICTS_MAX};
    return all + before[part];
}

static uint32_t *count_of(const struct mr_arena *a, enum mr_verdict_part part)
{
    return &a->control->verdicts[part];
}

/* At most what there is room for: the count may have been scribbled on. */
static uint32_t count(const struct mr_arena *a, enum mr_verdict_part part)
{
    uint32_t n = __atomic_load_n(count_of(a, part), __ATOMIC_ACQUIRE);
    uint32_t max = part == MR_VERDICTS_LISTED ? a->shape.listed_max : MR_VERDICTS_MAX;
    return n < max ? n : max;
}

const struct mr_verdict *mr__verdicts(const struct mr_arena *a, enum mr_verdict_part part,
                                      uint32_t *n)
{
    *n = count(a, part);
    return part_at(a, part);
}

/* ---- writing ---- */

static bool same_place(const struct mr_verdict *v, uint64_t epoch, uint64_t position,
                       uint32_t attempt)
{
    return v->epoch == epoch && v->position == position && v->attempt == attempt;
}

static int append(const struct mr_arena *a, enum mr_verdict_part part, const struct mr_verdict *v)
{
    struct mr_verdict *all = part_at(a, part);
    uint32_t n = count(a, part);
    for (uint32_t i = 0; i < n; i++)
        if (same_place(&all[i], v->epoch, v->position, v->attempt))
            return 0;
    if (n == MR_VERDICTS_MAX)
        return MR_E_LIMIT;
    all[n] = *v;
    __atomic_store_n(count_of(a, part), n + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&a->control->any_verdict, 1, __ATOMIC_RELEASE);
    return 1;
}

int mr__verdict_add(const struct mr_arena *a, const struct mr_verdict *v)
{
    return append(a, MR_VERDICTS_MET, v);
}

int mr__verdict_give(const struct mr_arena *a, const struct mr_verdict *v)
{
    return append(a, MR_VERDICTS_GIVEN, v);
}

static int order(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By place; those that are valid anywhere are behind all places, by sample. */
static int compare(const void *left, const void *right)
{
    const struct mr_verdict *a = left, *b = right;
    int by = order(a->position == MR_ANYWHERE, b->position == MR_ANYWHERE);
    if (by || a->position == MR_ANYWHERE)
        return by ? by : order(a->sample, b->sample);
    by = order(a->epoch, b->epoch);
    by = by ? by : order(a->position, b->position);
    by = by ? by : order(a->attempt, b->attempt);
    return by ? by : order(a->sample, b->sample);
}

void mr__verdict_list(const struct mr_arena *a, struct mr_verdict *v, uint32_t n)
{
    n = n < a->shape.listed_max ? n : a->shape.listed_max;
    if (!n)
        return;
    qsort(v, n, sizeof *v, compare);
    memcpy(part_at(a, MR_VERDICTS_LISTED), v, n * sizeof *v);
    __atomic_store_n(count_of(a, MR_VERDICTS_LISTED), n, __ATOMIC_RELEASE);
    __atomic_store_n(&a->control->any_verdict, 1, __ATOMIC_RELEASE);
}

/* ---- asking ---- */

static const struct mr_verdict *search(const struct mr_arena *a, enum mr_verdict_part part,
                                       const struct mr_verdict *key)
{
    const struct mr_verdict *all = part_at(a, part);
    uint32_t n = count(a, part);
    if (part == MR_VERDICTS_LISTED)
        return n ? bsearch(key, all, n, sizeof *all, compare) : NULL;
    for (uint32_t i = 0; i < n; i++)
        if (same_place(&all[i], key->epoch, key->position, key->attempt) &&
            all[i].sample == key->sample)
            return &all[i];
    return NULL;
}

bool mr__verdict_find(const struct mr_arena *a, uint64_t epoch, uint64_t position, uint32_t attempt,
                      uint64_t sample, struct mr_verdict *v)
{
    if (!__atomic_load_n(&a->control->any_verdict, __ATOMIC_ACQUIRE))
        return false;
    struct mr_verdict key = {
        .epoch = epoch, .position = position, .sample = sample, .attempt = attempt};
    const struct mr_verdict *found = NULL;
    for (int part = MR_VERDICT_PARTS - 1; part >= 0 && !found; part--)
        found = search(a, (enum mr_verdict_part)part, &key);
    key.position = MR_ANYWHERE;
    if (!found)
        found = search(a, MR_VERDICTS_LISTED, &key);
    if (found && v)
        *v = *found;
    return found != NULL;
}

/* ---- words ---- */

static const char *const cause_names[MR_CAUSES] = {
    [MR_CAUSE_DATA] = "data", [MR_CAUSE_SIGNAL] = "signal", [MR_CAUSE_TIMEOUT] = "timeout",
    [MR_CAUSE_CPU] = "cpu",   [MR_CAUSE_OOM] = "memory",    [MR_CAUSE_LISTED] = "listed",
};

const char *mr__cause_name(uint32_t cause)
{
    return cause < MR_CAUSES ? cause_names[cause] : "unknown";
}

int mr__cause_of(const char *name)
{
    for (int i = 0; i < MR_CAUSES; i++)
        if (!strcmp(cause_names[i], name))
            return i;
    return -1;
}

int32_t mr__cause_reason(uint32_t cause)
{
    static const int32_t reasons[MR_CAUSES] = {
        [MR_CAUSE_DATA] = MR_E_DATA,    [MR_CAUSE_SIGNAL] = MR_E_CRASHED,
        [MR_CAUSE_TIMEOUT] = MR_E_SLOW, [MR_CAUSE_CPU] = MR_E_SLOW,
        [MR_CAUSE_OOM] = MR_E_MEMORY,   [MR_CAUSE_LISTED] = MR_E_DATA,
    };
    return cause < MR_CAUSES ? reasons[cause] : MR_E_DATA;
}

static const char *signal_name(uint32_t number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGSEGV, " (SIGSEGV)"}, {SIGBUS, " (SIGBUS)"},   {SIGILL, " (SIGILL)"},
                 {SIGFPE, " (SIGFPE)"},   {SIGABRT, " (SIGABRT)"}, {SIGSYS, " (SIGSYS)"},
                 {SIGKILL, " (SIGKILL)"}, {SIGTRAP, " (SIGTRAP)"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((uint32_t)names[i].number == number)
            return names[i].name;
    return "";
}

const char *mr__verdict_describe(const struct mr_verdict *v, char *text, size_t bytes)
{
    double seconds = v->detail / 1e3;
    switch (v->listed ? MR_CAUSE_LISTED : v->cause) {
    case MR_CAUSE_SIGNAL:
        snprintf(text, bytes, "twice, the producer that worked on it died of signal %u%s",
                 v->detail, signal_name(v->detail));
        break;
    case MR_CAUSE_TIMEOUT:
        snprintf(text, bytes, "twice, it was not done within the %g s of 'sample_timeout'",
                 seconds);
        break;
    case MR_CAUSE_CPU:
        snprintf(text, bytes,
                 "twice, it used more than the %g s of CPU time of 'sample_cpu_timeout'", seconds);
        break;
    case MR_CAUSE_OOM:
        snprintf(text, bytes,
                 "twice, the kernel killed the producer that worked on it for want of memory");
        break;
    default: snprintf(text, bytes, "the list given as 'bad_list_in' names it");
    }
    return text;
}
