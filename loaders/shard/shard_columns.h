/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_columns.h: the columns of a shard while it is written: they grow by a value per sample and
 * are put behind the items in the end.
 */
#ifndef MR_SHARD_SHARD_COLUMNS_H
#define MR_SHARD_SHARD_COLUMNS_H

#include "loaders/shard/shard_reader.h"
#include "loaders/shard/shard_writer.h"

#define MR_SHARD_NO_SOURCE (-1) /* a column that the index does not have */

struct mr_growing_column {
    char name[MR_SHARD_NAME_BYTES];
    int source; /* the index's column */
    enum mr_shard_kind kind;
    mr_dtype dtype;
    uint32_t width, max_entries;
    struct mr_shard_tensor tensor;       /* ndim 0: none */
    uint64_t entries;                    /* lists: so far */
    struct mr_buf offsets, data, places; /* as they go into the index */
};

struct mr_growing_columns {
    const struct mr_shard_plan *plan;
    int n, image_w, image_h; /* -1: not added */
    struct mr_growing_column column[MR_SHARD_MAX_COLUMNS];
    uint64_t samples;
    uint64_t class_bytes; /* of the names of classes */
};

/* What the columns will be. MR_E_LIMIT: too many; MR_E_MEMORY. */
int mr__growing_begin(struct mr_growing_columns *g, const struct mr_shard_plan *plan,
                      struct mr_errbuf *e);
/* The values of a sample; place[i]: where the bytes of growing column i lie. */
int mr__growing_add(struct mr_growing_columns *g, const struct mr_shard_sample *sample,
                    const struct mr_shard_place *place, struct mr_errbuf *e);
/* Bytes of the index so far. */
uint64_t mr__growing_bytes(const struct mr_growing_columns *g);
/* What a sample adds to it. */
uint64_t mr__growing_adds(const struct mr_growing_columns *g, const struct mr_shard_sample *sample);
/* The whole index, appended to *out. */
int mr__growing_write(const struct mr_growing_columns *g, struct mr_buf *out, struct mr_errbuf *e);
void mr__growing_free(struct mr_growing_columns *g);

#endif
