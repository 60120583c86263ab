/* SPDX-License-Identifier: Apache-2.0
 *
 * weights.h: numbers that change one at a time and are drawn from in proportion, both in
 * O(log n): a tree of sums over leaves, 16 children to a node, in memory that the caller brings.
 * A node is always the sum of its children as they are, never a running difference. So the tree
 * is a function of its leaves however they came about, and after a process has died in the middle
 * of a change, making the change again is all that is needed.
 */
#ifndef MR_BASE_WEIGHTS_H
#define MR_BASE_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#define MR_WEIGHTS_WIDTH 16  /* children of a node */
#define MR_WEIGHTS_LEVELS 16 /* 16^16 leaves are more than there can be */
#define MR_WEIGHTS_TOGETHER 8

struct mr_weights {
    uint64_t n; /* leaves */
    float *leaf;
    double *sum[MR_WEIGHTS_LEVELS]; /* sum[0]: of leaves; the last has one node */
    int levels;
};

/* Bytes for n >= 1 leaves: about 4.5 n. 0: more than an address space. */
uint64_t mr__weights_bytes(uint64_t n);
/* Lays a tree of n leaves into `memory` (64-byte aligned, of mr__weights_bytes(n)), which is left
 * as it is. */
void mr__weights_place(struct mr_weights *w, void *memory, uint64_t n);
/* All leaves get the value (finite, >= 0, as all that are given to mr__weights_set). */
void mr__weights_fill(struct mr_weights *w, float value);
/* The sums from the leaves, after these were written directly. */
void mr__weights_sum_up(struct mr_weights *w);

/* Another process may look at a leaf while it changes (not at the sums). */
static inline float mr__weights_get(const struct mr_weights *w, uint64_t i)
{
    float value;
    __atomic_load(&w->leaf[i], &value, __ATOMIC_RELAXED);
    return value;
}
/* Also when the leaf has the value already: the sums above it may be old. */
void mr__weights_set(struct mr_weights *w, uint64_t i, float value);
static inline double mr__weights_total(const struct mr_weights *w)
{
    return w->sum[w->levels - 1][0];
}
/* The leaf that the share u in [0, 1) of the total lies in: leaf i with the chance leaf[i] / total
 * for a uniform u. Only for total > 0; never a leaf that is 0. */
uint64_t mr__weights_draw(const struct mr_weights *w, double u);
/* The same for n <= MR_WEIGHTS_TOGETHER of them: they go down side by side, so that one waits for
 * memory while the others do, too. */
void mr__weights_draw_some(const struct mr_weights *w, const double *u, int n, uint64_t *leaf);
/* A number that becomes another whenever this process changes any tree: what was drawn from one
 * before is good until then. */
uint64_t mr__weights_version(void);

#endif
