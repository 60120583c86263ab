/* SPDX-License-Identifier: Apache-2.0
 *
 * built_files.h: the files of an index that is being built, for samplers that look into them: by
 * path, or out of the shards that it is made from.
 */
#ifndef MR_SHARD_BUILT_FILES_H
#define MR_SHARD_BUILT_FILES_H

#include "base/descriptor.h"
#include "loaders/shard/shard_set.h"

#include <pthread.h>

struct mr_built_files {
    const struct mr_index_builder *b;
    const struct mr_limits *limits;
    struct mr_shard_set set; /* n = 0: there are no shards */
    struct mr_shard *shard;  /* [set.n], opened when they are needed */
    pthread_mutex_t mutex;   /* of that */
};

/* Of a builder that a source has filled and that nobody adds to meanwhile. MR_E_DATA, MR_E_IO,
 * MR_E_MEMORY; it need not be ended then. */
int mr__built_files_begin(struct mr_built_files *f, const struct mr_index_builder *b,
                          const struct mr_limits *limits, struct mr_errbuf *e);
/* Reads the file of a sample of a PATH column as `read` of a source does; *none: it has none. Any
 * number of threads. */
int mr__built_files_read(struct mr_built_files *f, int column, uint64_t sample, bool *none,
                         struct mr_buf *out, struct mr_errbuf *e);
void mr__built_files_end(struct mr_built_files *f);

#endif
