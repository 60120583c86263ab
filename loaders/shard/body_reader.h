/* SPDX-License-Identifier: Apache-2.0
 *
 * body_reader.h: a body of a shard, read in the ranges that are asked for, each chunk of it held
 * against its sum before anybody sees it.
 */
#ifndef MR_SHARD_BODY_READER_H
#define MR_SHARD_BODY_READER_H

#include "loaders/shard/shard_reader.h"

struct mr_body { /* zero it to begin */
    struct mr_shard_file *file;
    struct mr_shard_place place;
    struct mr_buf memory, held; /* held: of each chunk, whether it was read and checked */
    uint8_t *sums, *data;       /* in memory, as in the file: sums, then the body */
    bool sums_held;
};

/* From now on it is the body at `place` of `file`, which stays open. Nothing is read yet; what came
 * of the one before is good no more. bytes >= 1. MR_E_MEMORY. */
int mr__body_begin(struct mr_body *b, struct mr_shard_file *file,
                   const struct mr_shard_place *place, struct mr_errbuf *e);
/* Bytes [at, at + bytes) of the body. What was asked for before stays where it is. MR_E_DATA,
 * MR_E_IO: the sentence says where in the shard, not in which and whose body it is. */
int mr__body_get(struct mr_body *b, uint64_t at, uint64_t bytes, const uint8_t **data,
                 struct mr_errbuf *e);
/* Reads all of it to somewhere else: place.bytes bytes. */
int mr__body_into(struct mr_body *b, void *to, struct mr_errbuf *e);
/* Reads all of another body, at `place` of `file`, to somewhere else, without memory for it: `b` is
 * at no body then. `look`: as far as is known nobody is changing the file, so that its bytes may be
 * looked at twice where they lie; the caller asks once more afterwards. Errors of both above. */
int mr__body_straight(struct mr_body *b, struct mr_shard_file *file,
                      const struct mr_shard_place *place, bool look, void *to, struct mr_errbuf *e);
/* The same of a body that was held against its sums before: nothing is checked. */
int mr__body_again(struct mr_shard_file *file, const struct mr_shard_place *place, bool look,
                   void *to, struct mr_errbuf *e);
/* Frees the memory, leaves the file open. */
void mr__body_free(struct mr_body *b);

#endif
