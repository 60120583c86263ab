/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_set.h: a set of shards: the folder that packing has filled and the file that says so, or
 * one shard by itself.
 */
#ifndef MR_SHARD_SHARD_SET_H
#define MR_SHARD_SHARD_SET_H

#include "loaders/shard/shard_reader.h"
#include "loaders/shard/shard_writer.h"

struct mr_shard_set {
    char *folder; /* as given, "" for the working directory, without a slash at its end */
    bool alone;   /* one shard, named by itself */
    char mode[MR_SHARD_MODE_BYTES + 1]; /* of a folder */
    char written_by[64];
    uint64_t fingerprint, samples;
    struct mr_shard_line *line;
    uint64_t n;
};

/* Reads the list of a folder's shards, or makes one of a single shard (a path that ends in
 * MR_SHARD_ENDING). Shards are not opened but for a single one. Lists are as packing writes them:
 * shards one behind the other, numbers that add up. MR_E_DATA, MR_E_VERSION, MR_E_IO (no such
 * folder, or packing has not come to its end), MR_E_MEMORY. *set is zero after a failure. */
int mr__shard_set_read(struct mr_shard_set *set, const char *path, struct mr_errbuf *e);
/* Safe on a zero struct. */
void mr__shard_set_free(struct mr_shard_set *set);
/* The path of shard i: malloc'ed; NULL: memory is out. */
char *mr__shard_set_path(const struct mr_shard_set *set, uint64_t i);
/* Opens shard i and holds it against its line: MR_E_DATA when it is another one. */
int mr__shard_set_open(const struct mr_shard_set *set, uint64_t i, bool whole,
                       struct mr_shard *shard, struct mr_errbuf *e);

/* The text of a set's list, for mr__shard_set_read: `folder` set. For tests and fuzzing. */
int mr__shard_set_parse(struct mr_shard_set *set, const char *text, size_t n, struct mr_errbuf *e);

#endif
