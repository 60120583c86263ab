/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule.c: a schedule as a table of its period, where that is short (schedule_table.c); else as
 * a tree. A node of the tree deals its turns to two halves of its parts: of its first c turns the
 * left half has share * c, rounded to the nearest, which is again one more or not with each turn.
 */
#include "schedule.h"
#include "schedule_table.h"

#include "base/divide.h"
#include "base/index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

struct node { /* a leaf has one part */
    uint64_t weight;
    int left, right, part; /* left < 0: a leaf */
};

struct mr_schedule {
    int n;
    uint64_t weights[MR_INDEX_MAX_PARTS], total; /* without a common factor */
    uint32_t period;                             /* of the table; 0: there is none, but a tree */
    uint8_t *part;                               /* [period] */
    uint32_t *before; /* [period] turns of that part before, in the period */
    struct node node[2 * MR_INDEX_MAX_PARTS];
    int nodes;
};

/* ---- the tree ---- */

/* Every second part, from the heaviest, goes to the other side: the halves are alike. `parts` is in
 * that order. */
static int grow(struct mr_schedule *s, const int *parts, int n)
{
    int at = s->nodes++, half[2][MR_INDEX_MAX_PARTS], count[2] = {0, 0};
    struct node *node = &s->node[at];
    *node = (struct node){.weight = 0, .left = -1, .right = -1, .part = parts[0]};
    for (int i = 0; i < n; i++) {
        node->weight += s->weights[parts[i]];
        half[i % 2][count[i % 2]++] = parts[i];
    }
    if (n == 1)
        return at;
    int left = grow(s, half[0], count[0]), right = grow(s, half[1], count[1]);
    s->node[at].left = left;
    s->node[at].right = right;
    return at;
}

static void grow_all(struct mr_schedule *s)
{
    int order[MR_INDEX_MAX_PARTS];
    for (int k = 0; k < s->n; k++) {
        int at = k;
        for (; at > 0 && s->weights[order[at - 1]] < s->weights[k]; at--)
            order[at] = order[at - 1];
        order[at] = k;
    }
    grow(s, order, s->n);
}

/* Of a node's first c turns, those of its left half. */
static uint64_t left_of(const struct mr_schedule *s, const struct node *node, uint64_t c)
{
    wide due = (wide)c * s->node[node->left].weight;
    return (uint64_t)((2 * due + node->weight) / (2 * (wide)node->weight));
}

static void find_turn(const struct mr_schedule *s, uint64_t c, int *part, uint64_t *before)
{
    const struct node *node = &s->node[0];
    while (node->left >= 0) {
        uint64_t left = left_of(s, node, c);
        if (left_of(s, node, c + 1) > left) {
            c = left;
            node = &s->node[node->left];
        } else {
            c -= left;
            node = &s->node[node->right];
        }
    }
    *part = node->part;
    *before = c;
}

static void count_turns(const struct mr_schedule *s, int at, uint64_t c, uint64_t *counts)
{
    const struct node *node = &s->node[at];
    if (node->left < 0) {
        counts[node->part] = c;
        return;
    }
    uint64_t left = left_of(s, node, c);
    count_turns(s, node->left, left, counts);
    count_turns(s, node->right, c - left, counts);
}

/* ---- both ---- */

static bool make_table(struct mr_schedule *s, uint64_t batch)
{
    struct mr_turns t = {s->weights, s->total, s->n, batch, s->period};
    uint32_t counts[MR_INDEX_MAX_PARTS] = {0};
    s->part = malloc(s->period);
    s->before = malloc(s->period * sizeof *s->before);
    if (!s->part || !s->before)
        return false;
    mr__schedule_fill(&t, s->part);
    for (uint32_t i = 0; i < s->period; i++)
        s->before[i] = counts[s->part[i]]++;
    return true;
}

int mr__schedule_new(struct mr_schedule **out, const uint64_t *weights, int n, uint64_t batch,
                     struct mr_errbuf *e)
{
    struct mr_schedule *s = *out = calloc(1, sizeof *s);
    uint64_t common = 0, period;
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the mixture's schedule");
    s->n = n;
    for (int k = 0; k < n; k++)
        common = mr__gcd(weights[k], common);
    for (int k = 0; k < n; k++)
        s->total += s->weights[k] = weights[k] / common;
    bool fits = !__builtin_mul_overflow(s->total, batch / mr__gcd(s->total, batch), &period) &&
                period <= MR_SCHEDULE_TABLE;
    s->period = fits ? (uint32_t)period : 0;
    if (!fits)
        grow_all(s);
    if (!fits || make_table(s, batch))
        return MR_OK;
    mr__schedule_free(s);
    *out = NULL;
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the mixture's schedule");
}

void mr__schedule_free(struct mr_schedule *s)
{
    if (!s)
        return;
    free(s->part);
    free(s->before);
    free(s);
}

void mr__schedule_at(const struct mr_schedule *s, uint64_t t, int *part, uint64_t *before)
{
    if (!s->period) {
        find_turn(s, t, part, before);
        return;
    }
    uint32_t i = (uint32_t)(t % s->period);
    *part = s->part[i];
    *before = t / s->period * (s->period / s->total * s->weights[*part]) + s->before[i];
}

void mr__schedule_counts(const struct mr_schedule *s, uint64_t t, uint64_t *counts)
{
    if (!s->period) {
        count_turns(s, 0, t, counts);
        return;
    }
    for (int k = 0; k < s->n; k++)
        counts[k] = t / s->period * (s->period / s->total * s->weights[k]);
    for (uint64_t i = 0; i < t % s->period; i++)
        counts[s->part[i]]++;
}

/* ---- shares ---- */

#define NEAR 1e-9
#define MAX_DENOMINATOR 1000000u
#define MAX_COMMON ((uint64_t)1 << 40)
#define PARTS_OF_ONE 1e15 /* when there is no common denominator */

/* The simplest fraction near x in (0, 1], by continued fractions. */
static bool find_fraction(double x, uint64_t *a, uint64_t *b)
{
    uint64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
    double rest = x;
    for (int i = 0; i < 40; i++) {
        double whole = floor(rest);
        if (whole > MAX_DENOMINATOR)
            return false;
        uint64_t p = (uint64_t)whole * p1 + p0, q = (uint64_t)whole * q1 + q0;
        if (q > MAX_DENOMINATOR)
            return false;
        p0 = p1, q0 = q1, p1 = p, q1 = q;
        if (p1 && fabs(x - (double)p1 / (double)q1) <= NEAR) {
            *a = p1;
            *b = q1;
            return true;
        }
        rest = 1 / (rest - whole);
    }
    return false;
}

void mr__schedule_weights(const double *shares, int n, uint64_t *weights)
{
    uint64_t a[MR_INDEX_MAX_PARTS], b[MR_INDEX_MAX_PARTS], common = 1;
    bool simple = true;
    for (int k = 0; k < n && simple; k++) {
        simple = find_fraction(shares[k], &a[k], &b[k]);
        if (simple)
            common = common / mr__gcd(common, b[k]) * b[k];
        simple = simple && common <= MAX_COMMON;
    }
    for (int k = 0; k < n; k++) {
        weights[k] = simple ? common / b[k] * a[k] : (uint64_t)llround(shares[k] * PARTS_OF_ONE);
        if (!weights[k])
            weights[k] = 1;
    }
}
