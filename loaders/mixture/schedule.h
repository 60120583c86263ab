/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule.h: whose turn it is: an endless sequence of parts in which each has its share of every
 * beginning. A pure function of weights and batch, without end, and O(1) anywhere.
 */
#ifndef MR_MIXTURE_SCHEDULE_H
#define MR_MIXTURE_SCHEDULE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct mr_schedule;

/* Part k gets weights[k] of every W = sum of the weights; 1 <= n <= MR_INDEX_MAX_PARTS, each weight
 * at least 1, W < 2^62. `batch`: windows of whole batches count most. MR_E_MEMORY.
 *
 * Of the first t turns, part k has fewer than one more or fewer than weights[k] / W * t, when n <=
 * 4 or when the least common multiple of W / gcd and batch is at most MR_SCHEDULE_TABLE; else fewer
 * than (1 + log2 n) / 2. Any window of a multiple of W / gcd turns has each part's share exactly.
 */
#define MR_SCHEDULE_TABLE (1u << 18)
int mr__schedule_new(struct mr_schedule **s, const uint64_t *weights, int n, uint64_t batch,
                     struct mr_errbuf *e);
void mr__schedule_free(struct mr_schedule *s); /* safe on NULL */
/* The part whose turn t is, and how many turns it had before. */
void mr__schedule_at(const struct mr_schedule *s, uint64_t t, int *part, uint64_t *before);
/* How many of the first t turns each part has. */
void mr__schedule_counts(const struct mr_schedule *s, uint64_t t, uint64_t *counts);

/* Shares as whole weights: weights[k] / sum is shares[k] / (sum of shares). Those that are near
 * (1e-9) to fractions with small denominators become these: 0.3333333333 is a third. */
void mr__schedule_weights(const double *shares, int n, uint64_t *weights);

#endif
