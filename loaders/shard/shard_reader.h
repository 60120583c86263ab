/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_reader.h: what a shard holds, read and checked before anything of it is believed.
 */
#ifndef MR_SHARD_SHARD_READER_H
#define MR_SHARD_SHARD_READER_H

#include "base/buf.h"
#include "base/error.h"
#include "loaders/shard/shard_file.h"
#include "loaders/shard/shard_format.h"
#include "millrace/types.h"

#include <stdbool.h>

struct mr_shard_column {
    char name[MR_SHARD_NAME_BYTES];
    enum mr_shard_kind kind;
    mr_dtype dtype; /* of numbers, lists and tensors; files: MR_U8 */
    uint32_t width; /* numbers per entry; files and tensors: 1 */
    uint32_t max_entries;
    uint32_t ndim; /* tensors */
    uint64_t shape[MR_SHARD_MAX_DIMS];
    const uint8_t *offsets, *data, *places; /* in the index; NULL: its kind has none */
    uint64_t data_bytes;
};

/* Where a body lies. bytes 0: the sample has none. */
struct mr_shard_place {
    uint64_t at; /* of the item: its sums, then the body */
    uint64_t bytes, check;
};

struct mr_shard {
    struct mr_shard_file *file;
    char *path; /* as it was opened */
    uint16_t major, minor;
    uint32_t number;
    uint64_t fingerprint, first, samples, bytes, check;
    uint64_t index_at;
    char mode[MR_SHARD_MODE_BYTES + 1], written_by[MR_SHARD_TOOL_BYTES + 1];
    uint64_t classes;
    uint32_t ncolumns;
    struct mr_shard_column column[MR_SHARD_MAX_COLUMNS];
    const uint8_t *class_offsets, *class_text;
    uint64_t class_text_bytes;
    struct mr_buf index;
};

/* Opens a shard: head and foot, and with `whole` its index, held against their checks and against
 * the file's size; without, what comes of the index is 0. *shard is zero after a failure. MR_E_DATA
 * (damaged, cut, no shard), MR_E_VERSION (a newer one), MR_E_IO, MR_E_MEMORY; the sentence names
 * the file and what to do. */
int mr__shard_open(struct mr_shard *shard, const char *path, bool whole, struct mr_errbuf *e);
/* Safe on a zero struct. */
void mr__shard_close(struct mr_shard *shard);

/* The following: sample < shard->samples, a column of the kind. */
struct mr_shard_place mr__shard_place(const struct mr_shard_column *c, uint64_t sample);
/* A file's name as it was packed, "" for none; not NUL-terminated. */
const char *mr__shard_name(const struct mr_shard_column *c, uint64_t sample, size_t *n);
/* Numbers and lists: where the entries lie, little endian, at any place. */
const uint8_t *mr__shard_entries(const struct mr_shard_column *c, uint64_t sample,
                                 uint64_t *entries);
const char *mr__shard_class(const struct mr_shard *shard, uint64_t number, size_t *n);
/* Column by name; NULL: none. */
const struct mr_shard_column *mr__shard_column(const struct mr_shard *shard, const char *name);
/* Reads a body whole into *out, replacing what is there, and checks it; 64 zero bytes follow. */
int mr__shard_read(const struct mr_shard *shard, const struct mr_shard_column *c, uint64_t sample,
                   struct mr_buf *out, struct mr_errbuf *e);

#endif
