/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash of a shard's chunk.
 */
#include "check.h"

#include "loaders/shard/shard_format.h"
#include "loaders/shard/sum_kernels.h"

static uint64_t hash(const struct mr_sum_kernel *k, const uint8_t *chunk)
{
    return k->chunk(chunk, mr__sum_secret());
}

static void test(struct check *c)
{
    uint64_t sum[2];

    if (!check_case(c, "a chunk"))
        return;
    uint8_t *chunk = check_room(c, MR_SHARD_CHUNK_BYTES, 1);
    check_fill(c, chunk, MR_SHARD_CHUNK_BYTES);
    sum[0] = hash(&mr__sum_scalar, chunk);
    sum[1] = hash(mr__sum_kernel_for(check_cpu(c)), chunk);
    check_same(c, "the hash", &sum[0], &sum[1], sizeof sum[0]);
}

static void bench(struct check *c)
{
    const struct mr_sum_kernel *k = mr__sum_kernel_for(check_cpu(c));

    check_case(c, "a chunk");
    uint8_t *chunk = check_room(c, MR_SHARD_CHUNK_BYTES, 64);
    CHECK_BENCH(c, MR_SHARD_CHUNK_BYTES, "hash of a chunk, per byte")
    chunk[0] = (uint8_t)hash(k, chunk);
}

const struct check_kernel check_sums = {"sums", test, bench};
