/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_line.h: work on many samples at a time, whose results are taken one after the other, in the
 * samples' order, whoever was ready first; and never more of them in memory than a bound.
 */
#ifndef MR_PACK_LINE_H
#define MR_PACK_LINE_H

#include "base/buf.h"
#include "base/index.h"

#define MR_PACK_PLACES 512       /* samples that are made and not taken yet, at most ... */
#define MR_PACK_HELD (64u << 20) /* ... and their bytes; one more than that for each thread */

/* What is made of a sample. */
struct mr_pack_made {
    uint64_t sample;
    int rc; /* negative: it is bad, or the whole work is over: `take` decides */
    struct mr_errbuf e;
    uint64_t bytes_in;
    /* Per column of the index; the memory is kept and used again. */
    struct mr_buf body[MR_INDEX_MAX_COLUMNS], sums[MR_INDEX_MAX_COLUMNS];
    int32_t image_w, image_h; /* as displayed; 0: not known */
    float scale_x, scale_y;   /* the image became this many times as large */
    struct mr_buf boxes;      /* f32: those of an image that became smaller */
};

struct mr_pack_work {
    /* Makes one; on several threads at a time. `worker`: which, for memory of its own. Leaves
     * whether it could in made->rc. */
    void (*make)(void *ctx, int worker, struct mr_pack_made *made);
    /* Takes it; in order, on one thread at a time. Negative: the end of it all. */
    int (*take)(void *ctx, struct mr_pack_made *made, struct mr_errbuf *e);
    void *ctx;
};

/* Does it for samples [first, end), on so many threads at most. The first failure of `take`.
 * MR_E_MEMORY. */
int mr__pack_line(uint64_t first, uint64_t end, int threads, const struct mr_pack_work *work,
                  struct mr_errbuf *e);

#endif
