/* SPDX-License-Identifier: Apache-2.0
 *
 * verify_shards.h: what `verify` does before it decodes, when the data set is packed: every byte is
 * held against its checksum.
 */
#ifndef MR_CLI_VERIFY_SHARDS_H
#define MR_CLI_VERIFY_SHARDS_H

#include "json.h"
#include "progress.h"

#include <signal.h>

struct shard_damage {
    char *shard, *file, *reason; /* file NULL: none */
    int64_t sample;              /* -1: not a sample's */
};

struct shards_verified {
    uint64_t shards, bytes;
    struct shard_damage *damage; /* sorted by sample when it is done */
    uint64_t n;
    bool failed; /* memory was out: some are missing */
    const char *src;
    volatile sig_atomic_t *interrupted;
    struct progress progress;
    bool silent, begun, json;
};

/* Checks the shards `v->src` and prints what is damaged, a line for each, unless v->json. An
 * mr_err: MR_E_DATA when something is; after anything else but MR_OK mr_error() has the sentence.
 */
int verify_shards(struct shards_verified *v);
/* Whether the bytes of a sample were found to be damaged. */
bool verify_shards_has(const struct shards_verified *v, uint64_t sample);
/* "shards": N, "damaged": [...]. */
void verify_shards_json(const struct shards_verified *v, struct json *j);
void verify_shards_free(struct shards_verified *v);

/* Text of others: a name may hold a terminal's escape codes. */
void print_safely(const char *text);

#endif
