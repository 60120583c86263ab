/* SPDX-License-Identifier: Apache-2.0
 *
 * bucket_edges.h: which bucket a sample belongs to, by one number of it or by two: each number is
 * cut at edges, a sample lies behind as many of them as are not above it. The second number is cut
 * anew inside each part of the first.
 */
#ifndef MR_SAMPLER_BUCKET_EDGES_H
#define MR_SAMPLER_BUCKET_EDGES_H

#include "part_column.h"

#define MR_BUCKETS_MAX 4096
#define MR_BUCKET_SAMPLED (1u << 20) /* that edges are found from, at most */

struct mr_bucket_by {
    struct mr_part_column column[2];
    int numbers; /* columns that count: 1 or 2 ... */
    bool aspect; /* ... or their quotient */
    bool probed; /* numbers of files' headers: 0 where one could not be read */
};

struct mr_bucket_edges {
    uint32_t parts;    /* of the first number; the edges between them: */
    double *edge;      /* [parts - 1] */
    uint32_t *buckets; /* [parts + 1]: the number of each part's first bucket; the last: of all */
    double **inner;    /* [parts]: the second number's edges in each part, one less than buckets */
};

/* Edges between about `buckets` parts of equally many samples, found from MR_BUCKET_SAMPLED of them
 * at most, evenly taken; equal samples are not parted. MR_E_MEMORY. */
int mr__bucket_edges_find(struct mr_bucket_edges *edges, const struct mr_bucket_by *by,
                          uint32_t buckets, struct mr_errbuf *e);
/* n edges as given, rising, for one number. MR_E_MEMORY. */
int mr__bucket_edges_take(struct mr_bucket_edges *edges, const double *edge, uint32_t n,
                          struct mr_errbuf *e);
/* Safe on a zero struct. */
void mr__bucket_edges_free(struct mr_bucket_edges *edges);

/* The numbers of sample i of the part that a sampler has; both of v are set. */
void mr__bucket_numbers(const struct mr_bucket_by *by, uint64_t i, double v[2]);
uint32_t mr__bucket_of(const struct mr_bucket_edges *edges, const double v[2]);
static inline uint32_t mr__bucket_count(const struct mr_bucket_edges *edges)
{
    return edges->buckets[edges->parts];
}

#endif
