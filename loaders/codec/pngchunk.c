/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/pngchunk.h"

#include <string.h>

#include <zlib.h>

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool mr__pngchunk_next(const uint8_t *file, size_t n, size_t *at, struct mr_pngchunk *chunk)
{
    if (n < 12 || *at > n - 12)
        return false;
    const uint8_t *p = file + *at;
    size_t left = n - *at - 12;
    chunk->n = big32(p);
    memcpy(chunk->type, p + 4, 4);
    chunk->type[4] = 0;
    chunk->data = p + 8;
    chunk->whole = chunk->n <= left;
    chunk->end = chunk->whole ? *at + 12 + chunk->n : n;
    *at = chunk->end;
    return true;
}

bool mr__pngchunk_find(const uint8_t *file, size_t n, const char *type, struct mr_pngchunk *chunk)
{
    size_t at = MR_PNGCHUNK_FIRST;
    while (mr__pngchunk_next(file, n, &at, chunk)) {
        if (!memcmp(chunk->type, type, 4))
            return true;
    }
    return false;
}

bool mr__pngchunk_intact(const struct mr_pngchunk *chunk)
{
    if (!chunk->whole)
        return false;
    uLong crc = crc32(0, chunk->data - 4, 4); /* the type counts too */
    crc = crc32_z(crc, chunk->data, chunk->n);
    return crc == big32(chunk->data + chunk->n);
}
