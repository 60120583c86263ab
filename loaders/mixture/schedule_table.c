/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule_table.c: turns as jobs. To stay less than one turn away from its share in every
 * beginning, a part's j-th turn may come no earlier than share * t > j - 1 and no later than share
 * * t >= j. Taking the job with the earliest deadline first meets them all, since there is a
 * schedule that does (R. Tijdeman, "The chairman assignment problem", 1980).
 *
 * That alone leaves a window of whole batches one off, now and then, where its share is a whole
 * number. A part that is bound has a certain number of turns before each batch: its share, rounded
 * in one way whenever the fraction is the same, so that such windows come out exactly. Not all
 * parts can be bound always (halves, thirds and sixths of a batch of 1 cannot), so they are bound
 * one after the other, with different roundings, as long as the jobs can be done.
 */
#include "schedule_table.h"

#include "base/divide.h"
#include "base/index.h"

#include <string.h>

#define ROUNDINGS 8
#define WORK                                                                            \
    (1u << 24) /* jobs looked at; more than enough for two decimals and a batch of 1024 \
                */

struct job {
    uint64_t next;              /* its number, from 1 */
    uint64_t batch;             /* of a bound part: that it lies in */
    uint64_t release, deadline; /* turns, from 1 */
};

struct search {
    const struct mr_turns *t;
    int rounding[MR_INDEX_MAX_PARTS]; /* of sixteenths that are added; -1: not bound */
    struct job job[MR_INDEX_MAX_PARTS];
};

static const int roundings[ROUNDINGS] = {8, 0, 4, 12, 2, 6, 10, 14};

/* Turns of a bound part before a batch. Numbers are below 2^18 * 2^18 * 16. */
static uint64_t bound(const struct search *s, int k, uint64_t batch)
{
    const struct mr_turns *t = s->t;
    uint64_t due = t->weights[k] * t->batch * batch * 16;
    return (due + (uint64_t)s->rounding[k] * t->total) / (16 * t->total);
}

static void next_job(struct search *s, int k)
{
    const struct mr_turns *t = s->t;
    struct job *job = &s->job[k];
    uint64_t j = ++job->next, w = t->weights[k];
    job->release = (j - 1) * t->total / w + 1;
    job->deadline = (j * t->total + w - 1) / w;
    if (s->rounding[k] < 0)
        return;
    while (bound(s, k, job->batch + 1) < j)
        job->batch++;
    if (job->release < job->batch * t->batch + 1)
        job->release = job->batch * t->batch + 1;
    if (job->deadline > (job->batch + 1) * t->batch)
        job->deadline = (job->batch + 1) * t->batch;
}

/* False: some job cannot be done in its time. */
static bool run(struct search *s, uint8_t *part)
{
    memset(s->job, 0, sizeof s->job);
    for (int k = 0; k < s->t->n; k++)
        next_job(s, k);
    for (uint64_t now = 1; now <= s->t->period; now++) {
        int first = -1;
        for (int k = 0; k < s->t->n; k++)
            if (s->job[k].release <= now &&
                (first < 0 || s->job[k].deadline < s->job[first].deadline))
                first = k;
        if (first < 0 || s->job[first].deadline < now)
            return false;
        part[now - 1] = (uint8_t)first;
        next_job(s, first);
    }
    return true;
}

/* The least turns in whole batches whose share is a whole number; 0: each such window is right
 * anyway, because every batch is or because it has whole periods of the total. */
static uint64_t window_of(const struct mr_turns *t, int k)
{
    uint64_t denominator = t->total / mr__gcd(t->total, t->weights[k]);
    uint64_t turns = denominator / mr__gcd(denominator, t->batch) * t->batch;
    return turns == t->batch || turns % t->total == 0 ? 0 : turns;
}

/* Parts that are the n-th of all come first: "1 / p batches" is said of them. */
static bool goes_before(const struct mr_turns *t, int a, int b)
{
    bool unit_a = t->total % t->weights[a] == 0, unit_b = t->total % t->weights[b] == 0;
    return unit_a != unit_b ? unit_a : t->weights[a] > t->weights[b];
}

static int list_needy(const struct mr_turns *t, int *needy)
{
    int n = 0;
    for (int k = 0; k < t->n; k++) {
        if (!window_of(t, k))
            continue;
        int at = n++;
        for (; at > 0 && goes_before(t, k, needy[at - 1]); at--)
            needy[at] = needy[at - 1];
        needy[at] = k;
    }
    return n;
}

void mr__schedule_fill(const struct mr_turns *t, uint8_t *part)
{
    struct search s = {.t = t};
    int needy[MR_INDEX_MAX_PARTS], n = list_needy(t, needy);
    uint64_t runs = WORK / ((uint64_t)t->period * (uint64_t)t->n);
    for (int k = 0; k < t->n; k++)
        s.rounding[k] = -1;
    for (int i = 0; i < n; i++) {
        bool done = false;
        for (int r = 0; r < ROUNDINGS && !done && runs; r++, runs--) {
            s.rounding[needy[i]] = roundings[r];
            done = run(&s, part);
        }
        if (!done)
            s.rounding[needy[i]] = -1;
    }
    run(&s, part);
}
