/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_index.h: the index of a shard, from bytes and into bytes.
 */
#ifndef MR_SHARD_SHARD_INDEX_H
#define MR_SHARD_SHARD_INDEX_H

#include "loaders/shard/shard_reader.h"

/* Takes shard->index apart: columns, classes, mode. Every offset and every place is proved to lie
 * where it can. MR_E_DATA. */
int mr__shard_index_read(struct mr_shard *shard, struct mr_errbuf *e);
/* "the shard X is damaged: `what`; ..." */
int mr__shard_damaged(const struct mr_shard *shard, const char *what, struct mr_errbuf *e);

#endif
