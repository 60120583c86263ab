/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_format.h: the numbers of docs/shard_format.md, and how they are put into bytes and taken
 * out: little endian, at any place.
 */
#ifndef MR_SHARD_SHARD_FORMAT_H
#define MR_SHARD_SHARD_FORMAT_H

#include <stdint.h>
#include <string.h>

#define MR_SHARD_MAJOR 1 /* a reader of another one does not understand it */
#define MR_SHARD_MINOR 0 /* added to, in ways that readers may overlook */

#define MR_SHARD_MAGIC "\x8dMRS\r\n\x1a\n"
#define MR_SHARD_FOOT_MAGIC "\x8dMRSEND\n"

#define MR_SHARD_ENDING ".mrs"
#define MR_SHARD_TEMPORARY ".part" /* behind the name of one that is being written */
#define MR_SHARD_SET_FILE "pack.json"
/* Of a folder that is packed into, from the first shard on: what is packed, and how. */
#define MR_SHARD_ORIGIN_FILE "pack.origin"

enum {
    MR_SHARD_HEAD_BYTES = 64,
    MR_SHARD_FOOT_BYTES = 64,
    MR_SHARD_INDEX_HEAD_BYTES = 64,
    MR_SHARD_COLUMN_BYTES = 192,
    MR_SHARD_PLACE_BYTES = 24, /* where an item lies, how long its body is, its check */
    MR_SHARD_CHUNK_BYTES = 4096,
    MR_SHARD_SUM_BYTES = 4,
    MR_SHARD_NAME_BYTES = 64,
    MR_SHARD_DTYPE_BYTES = 16,
    MR_SHARD_MODE_BYTES = 16,
    MR_SHARD_TOOL_BYTES = 24,
    MR_SHARD_MAX_DIMS = 8,
    MR_SHARD_MAX_COLUMNS = 28, /* with what a reader adds, an index (base/index.h) has room */
};

enum mr_shard_head_at {
    MR_SHARD_HEAD_MAJOR = 8, /* u16 */
    MR_SHARD_HEAD_MINOR = 10,
    MR_SHARD_HEAD_NUMBER = 12, /* u32 */
    MR_SHARD_HEAD_FINGERPRINT = 16,
    MR_SHARD_HEAD_FIRST = 24,
    MR_SHARD_HEAD_TOOL = 32,  /* text: what has written it */
    MR_SHARD_HEAD_CHECK = 56, /* of the bytes before it */
};

enum mr_shard_foot_at {
    MR_SHARD_FOOT_INDEX = 8,
    MR_SHARD_FOOT_INDEX_BYTES = 16,
    MR_SHARD_FOOT_INDEX_CHECK = 24,
    MR_SHARD_FOOT_SAMPLES = 32,
    MR_SHARD_FOOT_FILE_BYTES = 40,
    MR_SHARD_FOOT_HEAD_CHECK = 48, /* of the head's 64 bytes */
    MR_SHARD_FOOT_CHECK = 56,      /* of the bytes before it: the shard's own */
};

enum mr_shard_index_at { /* offsets in an index are from its start */
                         MR_SHARD_INDEX_SAMPLES = 0,
                         MR_SHARD_INDEX_CLASSES = 8,
                         MR_SHARD_INDEX_COLUMNS = 16, /* u32 */
                         MR_SHARD_INDEX_COLUMN_BYTES =
                             20, /* u32: a later minor version may have longer ones */
                         MR_SHARD_INDEX_CLASS_OFFSETS = 24,
                         MR_SHARD_INDEX_CLASS_TEXT = 32,
                         MR_SHARD_INDEX_CLASS_TEXT_BYTES = 40,
                         MR_SHARD_INDEX_MODE = 48, /* text */
};

enum mr_shard_column_at {
    MR_SHARD_COLUMN_NAME = 0,
    MR_SHARD_COLUMN_DTYPE = 64,
    MR_SHARD_COLUMN_KIND = 80, /* u32, as the following three */
    MR_SHARD_COLUMN_WIDTH = 84,
    MR_SHARD_COLUMN_DIMS = 88,
    MR_SHARD_COLUMN_MAX = 92,
    MR_SHARD_COLUMN_SHAPE = 96, /* u64[8] */
    MR_SHARD_COLUMN_OFFSETS = 160,
    MR_SHARD_COLUMN_DATA = 168,
    MR_SHARD_COLUMN_DATA_BYTES = 176,
    MR_SHARD_COLUMN_PLACES = 184,
};

enum mr_shard_kind {
    MR_SHARD_NUMBERS = 1, /* `width` numbers per sample */
    MR_SHARD_LISTS = 2,   /* any number of entries of `width` numbers per sample */
    MR_SHARD_FILES = 3,   /* a file per sample, by its name, or none */
    MR_SHARD_TENSORS = 4, /* an array of the column's shape per sample, or none */
};

/* ---- little endian ---- */

static inline uint64_t mr__le_get(const uint8_t *from, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)from[i] << 8 * i;
    return v;
}

static inline void mr__le_put(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t mr__le_u64(const uint8_t *from)
{
    return mr__le_get(from, 8);
}

static inline uint32_t mr__le_u32(const uint8_t *from)
{
    return (uint32_t)mr__le_get(from, 4);
}

/* n elements of `size` bytes from this machine's order to the little-endian one, or back. */
static inline void mr__le_copy(void *to, const void *from, uint64_t n, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (n)
        memcpy(to, from, n * size);
#else
    for (uint64_t i = 0; i < n * size; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i - i % size + size - 1 - i % size];
#endif
}

/* The same where they lie. */
static inline void mr__le_turn(void *numbers, uint64_t n, size_t size)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    uint8_t *at = numbers;
    for (; n && size > 1; n--, at += size)
        for (size_t i = 0; i < size / 2; i++) {
            uint8_t one = at[i];
            at[i] = at[size - 1 - i];
            at[size - 1 - i] = one;
        }
#else
    (void)numbers, (void)n, (void)size;
#endif
}

/* ---- items: sums | body ---- */

static inline uint64_t mr__shard_chunks(uint64_t body_bytes)
{
    return body_bytes / MR_SHARD_CHUNK_BYTES + (body_bytes % MR_SHARD_CHUNK_BYTES != 0);
}

static inline uint64_t mr__shard_sums_bytes(uint64_t body_bytes)
{
    return mr__shard_chunks(body_bytes) * MR_SHARD_SUM_BYTES;
}

#endif
