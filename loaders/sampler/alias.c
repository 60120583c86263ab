/* SPDX-License-Identifier: Apache-2.0
 *
 * alias.c: column i of the table stands for 1 / n of all probability. Up to its threshold it is i's
 * own, above it another's. A light weight does not fill its column, a heavy one fills up others'.
 * The arithmetic is plain IEEE in a fixed order, so every machine builds the same table.
 */
#include "alias.h"

#include <stdlib.h>

struct column {
    uint32_t threshold, other; /* i itself below threshold / 2^32 */
};

struct mr_alias {
    uint64_t n;
    struct column column[];
};

/* Weights to multiples of their mean; returns the place of a largest one. */
static uint64_t scale(double *weight, uint64_t n)
{
    double sum = 0;
    uint64_t largest = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += weight[i];
        if (weight[i] > weight[largest])
            largest = i;
    }
    for (uint64_t i = 0; i < n; i++)
        weight[i] *= (double)n / sum;
    return largest;
}

/* A weight above 0 keeps a chance, however small it is. */
static uint32_t threshold(double share)
{
    double t = share * 0x1p32;
    return share <= 0 ? 0 : t < 1 ? 1 : t >= 0x1p32 ? UINT32_MAX : (uint32_t)t;
}

/* What rounding leaves when the others are used up should be 1, and fills its own column; what has
 * no weight must not. */
static void fill_left_over(struct mr_alias *a, const double *weight, uint64_t largest, uint32_t i)
{
    bool none = weight[i] <= 0;
    a->column[i] = (struct column){none ? 0 : UINT32_MAX, none ? (uint32_t)largest : i};
}

/* `todo`: room for n numbers; the light ones are stacked from its start, the heavy ones from its
 * end. */
static void fill(struct mr_alias *a, double *weight, uint64_t largest, uint32_t *todo)
{
    uint64_t light = 0, heavy = a->n;
    for (uint64_t i = 0; i < a->n; i++)
        todo[weight[i] < 1 ? light++ : --heavy] = (uint32_t)i;
    while (light && heavy < a->n) {
        uint32_t l = todo[--light], h = todo[heavy];
        a->column[l] = (struct column){threshold(weight[l]), h};
        weight[h] -= 1 - weight[l];
        if (weight[h] < 1) {
            heavy++;
            todo[light++] = h;
        }
    }
    while (light)
        fill_left_over(a, weight, largest, todo[--light]);
    while (heavy < a->n)
        fill_left_over(a, weight, largest, todo[heavy++]);
}

struct mr_alias *mr__alias_new(double *weight, uint64_t n)
{
    struct mr_alias *a = malloc(sizeof *a + n * sizeof *a->column);
    uint32_t *todo = malloc(n * sizeof *todo);
    if (a && todo) {
        a->n = n;
        fill(a, weight, scale(weight, n), todo);
    } else {
        free(a);
        a = NULL;
    }
    free(todo);
    return a;
}

uint64_t mr__alias_draw(const struct mr_alias *a, mr_rng *rng)
{
    uint64_t i = mr_rng_below(rng, a->n);
    const struct column *c = &a->column[i];
    return mr_rng_u32(rng) < c->threshold ? i : c->other;
}

void mr__alias_chances(const struct mr_alias *a, uint64_t *chance)
{
    for (uint64_t i = 0; i < a->n; i++)
        chance[i] = 0;
    for (uint64_t i = 0; i < a->n; i++) {
        chance[i] += a->column[i].threshold;
        chance[a->column[i].other] += (1ull << 32) - a->column[i].threshold;
    }
}
