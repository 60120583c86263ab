/* SPDX-License-Identifier: Apache-2.0 */
#include "base/weights.h"

#include <string.h>

#define WIDTH MR_WEIGHTS_WIDTH

static uint64_t version;

uint64_t mr__weights_version(void)
{
    return __atomic_load_n(&version, __ATOMIC_RELAXED);
}

/* Trees of several loaders may change in several threads; nobody asks then. */
static void changed(void)
{
    __atomic_store_n(&version, mr__weights_version() + 1, __ATOMIC_RELAXED);
}

static uint64_t nodes_over(uint64_t children)
{
    return children / WIDTH + (children % WIDTH != 0);
}

/* Every level is as long as the one above it needs: what is beyond its end stays 0. */
static uint64_t padded(uint64_t n)
{
    return nodes_over(n) * WIDTH;
}

uint64_t mr__weights_bytes(uint64_t n)
{
    if (n > UINT64_MAX / 64)
        return 0;
    uint64_t bytes = padded(n) * sizeof(float);
    for (uint64_t level = nodes_over(n);; level = nodes_over(level)) {
        bytes += padded(level) * sizeof(double);
        if (level == 1)
            return bytes;
    }
}

void mr__weights_place(struct mr_weights *w, void *memory, uint64_t n)
{
    double *at = (double *)((float *)memory + padded(n));
    *w = (struct mr_weights){.n = n, .leaf = memory};
    for (uint64_t level = nodes_over(n);; level = nodes_over(level)) {
        w->sum[w->levels++] = at;
        at += padded(level);
        if (level == 1)
            return;
    }
}

/* In a fixed order, which is that of every machine and build. */
static double sum_leaves(const float *v)
{
    double s[4] = {0, 0, 0, 0};
    for (int i = 0; i < WIDTH; i += 4)
        for (int k = 0; k < 4; k++)
            s[k] += (double)v[i + k];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static double sum_nodes(const double *v)
{
    double s[4] = {0, 0, 0, 0};
    for (int i = 0; i < WIDTH; i += 4)
        for (int k = 0; k < 4; k++)
            s[k] += v[i + k];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

void mr__weights_sum_up(struct mr_weights *w)
{
    uint64_t nodes = nodes_over(w->n);
    changed();
    for (uint64_t i = 0; i < nodes; i++)
        w->sum[0][i] = sum_leaves(w->leaf + i * WIDTH);
    for (int level = 1; level < w->levels; level++) {
        nodes = nodes_over(nodes);
        for (uint64_t i = 0; i < nodes; i++)
            w->sum[level][i] = sum_nodes(w->sum[level - 1] + i * WIDTH);
    }
}

void mr__weights_fill(struct mr_weights *w, float value)
{
    memset(w->leaf, 0, mr__weights_bytes(w->n));
    for (uint64_t i = 0; i < w->n; i++)
        w->leaf[i] = value;
    mr__weights_sum_up(w);
}

void mr__weights_set(struct mr_weights *w, uint64_t i, float value)
{
    __atomic_store(&w->leaf[i], &value, __ATOMIC_RELAXED);
    changed();
    i /= WIDTH;
    w->sum[0][i] = sum_leaves(w->leaf + i * WIDTH);
    for (int level = 1; level < w->levels; level++) {
        i /= WIDTH;
        w->sum[level][i] = sum_nodes(w->sum[level - 1] + i * WIDTH);
    }
}

/* What rounding leaves over at the end is the last child's that has any. */
static int last_of(const double *v, double *share)
{
    int last = 0;
    for (int i = 0; i < WIDTH; i++)
        last = v[i] > 0 ? i : last;
    *share = v[last];
    return last;
}

/* The child that *share lies in, which becomes the share of that child. All children are taken off
 * one after the other, and those count that leave something: no branch is there to be foreseen, and
 * the processor works on several draws at a time. */
static inline int descend(const double *v, double *share)
{
    double rest[WIDTH + 1];
    int64_t sign[WIDTH], behind = 0;
    rest[0] = *share;
    for (int i = 0; i < WIDTH; i++)
        rest[i + 1] = rest[i] - v[i];
    memcpy(sign, rest + 1, sizeof sign);
    for (int i = 0; i < WIDTH; i++)
        behind += sign[i] < 0;
    if (!behind)
        return last_of(v, share);
    *share = rest[WIDTH - behind];
    return WIDTH - (int)behind;
}

static void descend_leaf(const struct mr_weights *w, uint64_t *node, double *share)
{
    double leaves[WIDTH];
    for (int i = 0; i < WIDTH; i++)
        leaves[i] = (double)w->leaf[*node * WIDTH + (uint64_t)i];
    *node = *node * WIDTH + (uint64_t)descend(leaves, share);
}

/* A node of sums is two lines of memory, one of leaves is one. */
static void prefetch_node(const struct mr_weights *w, int level, uint64_t node)
{
    if (level < 0) {
        __builtin_prefetch(w->leaf + node * WIDTH);
        return;
    }
    __builtin_prefetch(w->sum[level] + node * WIDTH);
    __builtin_prefetch(w->sum[level] + node * WIDTH + WIDTH / 2);
}

void mr__weights_draw_some(const struct mr_weights *w, const double *u, int n, uint64_t *leaf)
{
    double share[MR_WEIGHTS_TOGETHER];
    for (int k = 0; k < n; k++) {
        share[k] = u[k] * mr__weights_total(w);
        leaf[k] = 0;
    }
    for (int level = w->levels - 2; level >= 0; level--)
        for (int k = 0; k < n; k++) {
            const double *children = w->sum[level] + leaf[k] * WIDTH;
            leaf[k] = leaf[k] * WIDTH + (uint64_t)descend(children, &share[k]);
            prefetch_node(w, level - 1, leaf[k]);
        }
    for (int k = 0; k < n; k++)
        descend_leaf(w, &leaf[k], &share[k]);
}

uint64_t mr__weights_draw(const struct mr_weights *w, double u)
{
    uint64_t leaf;
    mr__weights_draw_some(w, &u, 1, &leaf);
    return leaf;
}
