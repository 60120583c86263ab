/* SPDX-License-Identifier: Apache-2.0 */
#include "base/weights.h"

#include <string.h>

#define WIDTH MR_WEIGHTS_WIDTH

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
    i /= WIDTH;
    w->sum[0][i] = sum_leaves(w->leaf + i * WIDTH);
    for (int level = 1; level < w->levels; level++) {
        i /= WIDTH;
        w->sum[level][i] = sum_nodes(w->sum[level - 1] + i * WIDTH);
    }
}

/* The child that *share lies in, which becomes the share of that child. What rounding leaves over
 * at the end is the last child's that has any. */
static int descend(const double *v, double *share)
{
    int last = 0;
    for (int i = 0; i < WIDTH; i++) {
        if (v[i] <= 0)
            continue;
        if (*share < v[i])
            return i;
        *share -= v[i];
        last = i;
    }
    *share = v[last];
    return last;
}

uint64_t mr__weights_draw(const struct mr_weights *w, double u)
{
    double share = u * mr__weights_total(w), leaves[WIDTH];
    uint64_t node = 0;
    for (int level = w->levels - 2; level >= 0; level--)
        node = node * WIDTH + (uint64_t)descend(w->sum[level] + node * WIDTH, &share);
    for (int i = 0; i < WIDTH; i++)
        leaves[i] = (double)w->leaf[node * WIDTH + (uint64_t)i];
    return node * WIDTH + (uint64_t)descend(leaves, &share);
}
