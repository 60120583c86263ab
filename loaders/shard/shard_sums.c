/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shard_sums.h"

#include "loaders/shard/shard_format.h"
#include "loaders/shard/shard_writer.h"
#include "loaders/shard/sum_kernels.h"

#include <pthread.h>
#include <xxhash.h>

uint64_t mr__shard_hash(const void *data, uint64_t n)
{
    return XXH3_64bits(data, n);
}

/* ---- a chunk ---- */

static const struct mr_sum_kernel *kernel;

static void choose(void)
{
    struct mr_cpu cpu;
    bool known = mr__cpu_choose(&cpu, NULL) == MR_OK; /* else who opens a loader is told */
    kernel = known ? mr__sum_kernel_for(&cpu) : &mr__sum_scalar;
}

static const struct mr_sum_kernel *chosen(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return kernel;
}

static uint32_t sum_of(const struct mr_sum_kernel *k, const uint8_t *secret, const uint8_t *chunk,
                       uint64_t bytes)
{
    return (uint32_t)(bytes == MR_SHARD_CHUNK_BYTES ? k->chunk(chunk, secret)
                                                    : XXH3_64bits(chunk, bytes));
}

/* Bytes of chunk i. */
static uint64_t chunk_bytes(uint64_t bytes, uint64_t i)
{
    uint64_t left = bytes - i * MR_SHARD_CHUNK_BYTES;
    return left < MR_SHARD_CHUNK_BYTES ? left : MR_SHARD_CHUNK_BYTES;
}

uint64_t mr__shard_sums_differ(const uint8_t *chunks, uint64_t bytes, const uint8_t *sums,
                               uint64_t first, uint64_t n)
{
    const struct mr_sum_kernel *k = chosen();
    const uint8_t *secret = mr__sum_secret();
    for (uint64_t i = first; i < first + n; i++, chunks += MR_SHARD_CHUNK_BYTES) {
        uint32_t sum = sum_of(k, secret, chunks, chunk_bytes(bytes, i));
        if (sum != mr__le_u32(sums + i * MR_SHARD_SUM_BYTES))
            return i;
    }
    return first + n;
}

bool mr__shard_sums(const void *body, uint64_t n, struct mr_buf *sums)
{
    const uint8_t *from = body;
    uint64_t chunks = mr__shard_chunks(n);
    const struct mr_sum_kernel *k = chosen();
    const uint8_t *secret = mr__sum_secret();
    if (!mr__buf_reserve(sums, chunks * MR_SHARD_SUM_BYTES))
        return false;
    for (uint64_t i = 0; i < chunks; i++, from += MR_SHARD_CHUNK_BYTES) {
        mr__le_put(sums->data + sums->n, sum_of(k, secret, from, chunk_bytes(n, i)),
                   MR_SHARD_SUM_BYTES);
        sums->n += MR_SHARD_SUM_BYTES;
    }
    return true;
}
