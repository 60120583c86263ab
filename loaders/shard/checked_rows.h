/* SPDX-License-Identifier: Apache-2.0
 *
 * checked_rows.h: which tensors this thread has held against their sums. Sums cost a fifth of what
 * moving a tensor does, and it is moved once in every epoch: as long as nobody has touched its file
 * (size, times of the last change of content and status), what was checked once is taken as it is.
 */
#ifndef MR_SHARD_CHECKED_ROWS_H
#define MR_SHARD_CHECKED_ROWS_H

#include "base/index.h"
#include "loaders/shard/shard_file.h"

struct mr_checked_stamp { /* of a shard's file; zero: none */
    int64_t bytes, changed_s, changed_ns, status_s, status_ns;
};

struct mr_checked { /* zero it to begin */
    uint64_t samples, shards;
    uint8_t *bits[MR_INDEX_MAX_COLUMNS]; /* of each sample; NULL: none of the column */
    struct mr_checked_stamp *stamp;      /* [shards]: what it was when its bits were set */
};

/* False: memory is out. */
bool mr__checked_begin(struct mr_checked *c, uint64_t samples, uint64_t shards);
void mr__checked_free(struct mr_checked *c); /* safe on a zero struct */
/* Looks at the file of shard number `shard`. False: it has changed since this was called last, and
 * what was checked counts no more; or it was changed so lately, or lies so far (on another
 * machine), that nobody could know. */
bool mr__checked_same(struct mr_checked *c, const struct mr_shard_file *file, uint64_t shard);
bool mr__checked_has(const struct mr_checked *c, int column, uint64_t sample);
/* To be called when it was checked; before it was read, mr__checked_same() was called. Without
 * memory nothing is noted. */
void mr__checked_add(struct mr_checked *c, int column, uint64_t sample);

#endif
