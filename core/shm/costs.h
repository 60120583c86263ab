/* SPDX-License-Identifier: Apache-2.0
 *
 * costs.h: what rows have cost a producer, summed up in its lane for mr_get_profile. One writer
 * process (its threads add), any number of readers; nothing is decided by it.
 */
#ifndef MR_SHM_COSTS_H
#define MR_SHM_COSTS_H

#include "base/config.h"

#define MR_COST_SCALES 4 /* 1, 2, 4, 8 times smaller */

/* Sums; times in nanoseconds of every thread together. */
struct mr_costs {
    uint64_t header_ns, decode_ns, draw_ns, boxes_ns, mask_ns, store_ns, columns_ns;
    uint64_t rows;       /* made from an image */
    uint64_t file_bytes; /* of the files of the decoded images, and what of them was read */
    uint64_t read_bytes;
    uint64_t pixels, pixels_needed, pixels_read; /* of the files */
    uint64_t pixels_wanted, pixels_made;         /* at the sizes that were decoded */
    uint64_t scale[MR_COST_SCALES];              /* images by the size they were decoded at ... */
    uint64_t scale_fast[MR_COST_SCALES];         /* ... and would be with `decode: fast` */
    uint64_t engine[MR_ENGINES];                 /* images by who decoded them */
    uint64_t op_ns[MR_MAX_OPS], op_times[MR_MAX_OPS];
    /* No sums, the largest so far: where a stage that begins at this op ends, and the first op of
     * the last stage plus one. */
    uint64_t op_last[MR_MAX_OPS], store_first;
};

#endif
