/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_check.h: reading all of a shard to see whether it is what was written.
 */
#ifndef MR_SHARD_SHARD_CHECK_H
#define MR_SHARD_SHARD_CHECK_H

#include "loaders/shard/body_reader.h"
#include "loaders/shard/shard_set.h"

struct mr_shard_checker {
    /* Something is damaged: a column's sample of the shard, or (column NULL) the shard itself. */
    void (*damage)(void *ctx, const struct mr_shard *shard, const struct mr_shard_column *column,
                   uint64_t sample, const char *reason);
    /* `bytes` more were read; false: stop. */
    bool (*step)(void *ctx, uint64_t bytes);
    void *ctx;
    struct mr_body body;   /* scratch */
    struct mr_buf extents; /* scratch */
};

/* Every body against its sums, and that bodies, head, index and foot are all there is. Failures of
 * this process (MR_E_MEMORY, MR_E_IO) and MR_E_CLOSED (step said so); what is damaged was told. */
int mr__shard_check(struct mr_shard_checker *checker, const struct mr_shard *shard,
                    struct mr_errbuf *e);
/* What it needed. */
void mr__shard_checker_free(struct mr_shard_checker *checker);

#endif
