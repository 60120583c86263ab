/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_sums.h: the checksums of a body, one for each of its chunks, so that any part of it can be
 * read and checked by itself.
 */
#ifndef MR_SHARD_SHARD_SUMS_H
#define MR_SHARD_SHARD_SUMS_H

#include <stdbool.h>
#include <stdint.h>

/* XXH3-64 of n bytes. */
uint64_t mr__shard_hash(const void *data, uint64_t n);
/* Of the chunks [first, first + n) of a body of `bytes` bytes, which begin at `chunks`: the first
 * that does not have its sum; first + n: all have. `sums`: of the whole body. */
uint64_t mr__shard_sums_differ(const uint8_t *chunks, uint64_t bytes, const uint8_t *sums,
                               uint64_t first, uint64_t n);

#endif
