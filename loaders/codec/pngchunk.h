/* SPDX-License-Identifier: Apache-2.0
 *
 * pngchunk.h: a walk over a PNG's chunks without libpng, for what must be known before it starts
 * (the declared size), what it would not look for (eXIf behind the pixels) and what it leaves
 * unchecked (the CRC of a chunk that is read only in part).
 */
#ifndef MR_CODEC_PNGCHUNK_H
#define MR_CODEC_PNGCHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_PNGCHUNK_FIRST 8 /* where the first chunk begins: behind the signature */

struct mr_pngchunk {
    char type[5];        /* with a NUL */
    const uint8_t *data; /* the payload */
    uint32_t n;          /* its declared bytes; all of them are there only if `whole` */
    bool whole;          /* payload and CRC lie inside the file */
    size_t end;          /* where the next chunk begins; the file's size when not whole */
};

/* Steps to the chunk at *at (begin with MR_PNGCHUNK_FIRST) and moves *at behind it. False when
 * fewer than 12 bytes are left. Reads only inside [file, file + n). */
bool mr__pngchunk_next(const uint8_t *file, size_t n, size_t *at, struct mr_pngchunk *chunk);

/* The first chunk of a type. False: there is none. */
bool mr__pngchunk_find(const uint8_t *file, size_t n, const char *type, struct mr_pngchunk *chunk);

/* True when the chunk is whole and its CRC is right. */
bool mr__pngchunk_intact(const struct mr_pngchunk *chunk);

#endif
