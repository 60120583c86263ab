/* SPDX-License-Identifier: Apache-2.0 */
#include "bucket_edges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

struct pair {
    double v[2];
};

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the sampler's buckets");
}

void mr__bucket_numbers(const struct mr_bucket_by *by, uint64_t i, double v[2])
{
    v[0] = mr__part_column_float(&by->column[0], i);
    v[1] = by->numbers == 2 || by->aspect ? mr__part_column_float(&by->column[1], i) : 0;
    if (by->aspect) {
        v[0] = by->probed && v[1] == 0 ? 0 : v[0] / v[1];
        v[1] = 0;
    }
}

/* How many of n rising edges are not above v. */
static uint32_t behind(const double *edge, uint32_t n, double v)
{
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (edge[mid] <= v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint32_t mr__bucket_of(const struct mr_bucket_edges *edges, const double v[2])
{
    uint32_t part = behind(edges->edge, edges->parts - 1, v[0]), first = edges->buckets[part];
    return first + behind(edges->inner[part], edges->buckets[part + 1] - first - 1, v[1]);
}

/* ---- finding them --------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->v[0] > y->v[0]) - (x->v[0] < y->v[0]);
}

static int by_second(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->v[1] > y->v[1]) - (x->v[1] < y->v[1]);
}

/* At most `buckets` - 1 edges that cut n sorted pairs evenly into edge[]; how many. An edge above
 * nothing, or there already, parts nothing. */
static uint32_t cut(const struct pair *sorted, size_t n, int number, uint32_t buckets, double *edge)
{
    uint32_t edges = 0;
    double last = n ? sorted[0].v[number] : 0;
    for (uint32_t k = 1; k < buckets && n; k++) {
        double at = sorted[(size_t)((uint128)n * k / buckets)].v[number];
        if (at > last)
            edge[edges++] = last = at;
    }
    return edges;
}

static bool make_room(struct mr_bucket_edges *edges, uint32_t parts)
{
    edges->parts = parts;
    edges->edge = calloc(parts, sizeof *edges->edge);
    edges->buckets = calloc(parts + 1, sizeof *edges->buckets);
    edges->inner = calloc(parts, sizeof *edges->inner);
    return edges->edge && edges->buckets && edges->inner;
}

/* The second number's edges, in every part of the first. */
static bool cut_parts(struct mr_bucket_edges *edges, struct pair *sorted, size_t n, uint32_t each)
{
    size_t from = 0;
    for (uint32_t part = 0; part < edges->parts; part++) {
        size_t to = from;
        while (to < n && behind(edges->edge, edges->parts - 1, sorted[to].v[0]) == part)
            to++;
        edges->inner[part] = calloc(each, sizeof **edges->inner);
        if (!edges->inner[part])
            return false;
        qsort(sorted + from, to - from, sizeof *sorted, by_second);
        edges->buckets[part + 1] =
            edges->buckets[part] + 1 + cut(sorted + from, to - from, 1, each, edges->inner[part]);
        from = to;
    }
    return true;
}

static struct pair *take_samples(const struct mr_bucket_by *by, size_t *n)
{
    uint64_t samples = by->column[0].samples;
    *n = (size_t)(samples < MR_BUCKET_SAMPLED ? samples : MR_BUCKET_SAMPLED);
    struct pair *pairs = calloc(*n, sizeof *pairs);
    for (size_t i = 0; i < *n && pairs; i++) {
        mr__bucket_numbers(by, (uint64_t)((uint128)samples * i / *n), pairs[i].v);
        if (!isfinite(pairs[i].v[0] + pairs[i].v[1])) /* refused later, where all are seen */
            pairs[i] = (struct pair){{0, 0}};
    }
    return pairs;
}

int mr__bucket_edges_find(struct mr_bucket_edges *edges, const struct mr_bucket_by *by,
                          uint32_t buckets, struct mr_errbuf *e)
{
    size_t n;
    struct pair *pairs = take_samples(by, &n);
    uint32_t parts = by->numbers == 2 ? (uint32_t)lround(sqrt(buckets)) : buckets;
    if (!pairs || !make_room(edges, parts)) {
        free(pairs);
        return no_memory(e);
    }
    qsort(pairs, n, sizeof *pairs, by_first);
    edges->parts = 1 + cut(pairs, n, 0, parts, edges->edge);
    bool good = cut_parts(edges, pairs, n, by->numbers == 2 ? buckets / parts : 1);
    free(pairs);
    return good ? MR_OK : no_memory(e);
}

int mr__bucket_edges_take(struct mr_bucket_edges *edges, const double *edge, uint32_t n,
                          struct mr_errbuf *e)
{
    if (!make_room(edges, n + 1))
        return no_memory(e);
    memcpy(edges->edge, edge, n * sizeof *edge);
    for (uint32_t part = 0; part <= n + 1; part++)
        edges->buckets[part] = part;
    return MR_OK;
}

void mr__bucket_edges_free(struct mr_bucket_edges *edges)
{
    for (uint32_t part = 0; edges->inner && part < edges->parts; part++)
        free(edges->inner[part]);
    free(edges->inner);
    free(edges->edge);
    free(edges->buckets);
    *edges = (struct mr_bucket_edges){0};
}
