/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_data.h: a data set without a run: its config, its index in this process, and who reads its
 * files.
 */
#ifndef MR_PACK_DATA_H
#define MR_PACK_DATA_H

#include "base/config.h"

struct mr_pack_data {
    struct mr_config *config;
    const struct mr_source *source;
    struct mr_index index;
    int files[MR_INDEX_MAX_COLUMNS]; /* columns that hold a file's bytes, or a tensor, per sample */
    int nfiles;                      /* ... so many */
    uint64_t origins;                /* of what the index was made from: sizes, times */
};

/* Reads the config and lists the data set. On failure *d is zero. MR_E_CONFIG, MR_E_USAGE: there is
 * no source; errors of the source's `index`. */
int mr__pack_data_open(struct mr_pack_data *d, const char *path, const char *config_text,
                       const char *const *set, struct mr_errbuf *e);
void mr__pack_data_close(struct mr_pack_data *d); /* safe on a zero struct */

/* A thread's reader of the data set's files. */
int mr__pack_data_reader(const struct mr_pack_data *d, void **reader, struct mr_errbuf *e);
void mr__pack_data_reader_close(const struct mr_pack_data *d, void *reader); /* safe on NULL */
static inline bool mr__pack_data_is_tensor(const struct mr_pack_data *d, int column)
{
    return d->index.head->column[column].kind == MR_COL_TENSOR;
}
/* Sizes and times of the files that no column of paths names, as one number; 0: there are none. */
uint64_t mr__pack_data_origins(const struct mr_pack_data *d);
/* Whether a sample has a file in the column d->files[i]. */
bool mr__pack_data_has(const struct mr_pack_data *d, int i, uint64_t sample);

#endif
