/* SPDX-License-Identifier: Apache-2.0
 *
 * shards_index.h: between the index of a loader and the shards: for each column of files or tensors
 * the index has a second one, NAME@place, that says where its bodies lie.
 */
#ifndef MR_SHARD_SHARDS_INDEX_H
#define MR_SHARD_SHARDS_INDEX_H

#include "base/index.h"
#include "loaders/shard/shard_set.h"

#define MR_SHARDS_PLACE "@place"
#define MR_SHARDS_ADDRESS "@address" /* of a web server: text, the same for all samples */

/* The numbers of such a column. */
enum { MR_PLACE_SHARD, MR_PLACE_AT, MR_PLACE_BYTES, MR_PLACE_CHECK, MR_PLACE_NUMBERS };

/* For mr_source.index: every shard of the set `path` is opened, its index read and added. The root
 * is `path`, its links followed; names of files become SHARD/NAME, or NAME of a single shard.
 * MR_E_DATA names the shard. */
int mr__shards_index(const char *path, struct mr_index_builder *b, struct mr_errbuf *e);
/* Where the set of such an index is: malloc'ed; NULL: memory is out. */
char *mr__shards_path(const struct mr_index *index);
/* One number for all that the shards of a set are; not negative. The index has it in a column of
 * the name MR_SHARDS_PLACE, so that a process which opens the set later knows whether it still is
 * the same. */
int64_t mr__shards_identity(const struct mr_shard_set *set);

#endif
