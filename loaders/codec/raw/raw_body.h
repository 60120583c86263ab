/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_body.h: decoded pixels as a body of packed data sets ("MRP1"): a head, then the rows as they
 * are, or bands of rows that zstd has compressed one by one. docs/raw_body.md has it byte by byte.
 */
#ifndef MR_CODEC_RAW_BODY_H
#define MR_CODEC_RAW_BODY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/image.h"

enum {
    MR_RAW_HEAD = 32,  /* bytes of the head */
    MR_RAW_START = 64, /* where plain rows begin */
};

struct mr_raw_shape {
    int32_t w, h, c, bits;
    bool zstd;
    uint32_t band;      /* zstd: rows of a band; the last one may have less */
    uint32_t bands;     /* zstd: how many */
    uint64_t row_bytes; /* of a row of pixels */
    uint64_t start;     /* where the rows, or the first band, begin */
};

/* True when the bytes begin as such a body does. */
bool mr__raw_probe(const uint8_t *data, size_t n);
/* Reads the head, of which `n` bytes are there, of a body of `whole` bytes. What it says of lengths
 * is held against `whole`, but the ends of bands. MR_E_DATA; MR_E_VERSION: it is of a later one. */
int mr__raw_parse(const uint8_t *data, size_t n, uint64_t whole, struct mr_raw_shape *shape,
                  struct mr_errbuf *e);

/* Makes a body of an image of 1, 3 or 4 channels, 8 or 16 bits, replacing what is in *body. level
 * 0: plain rows; else zstd's level. The same bytes each time, with the same zstd. MR_E_MEMORY,
 * MR_E_UNSUPPORTED. */
int mr__raw_make(const struct mr_view *image, int level, struct mr_buf *body, struct mr_errbuf *e);

/* ---- bands ---- */

struct mr_raw_bands; /* a decoder of bands: zstd's state and the pixels of one band */
/* NULL: memory is out. */
struct mr_raw_bands *mr__raw_bands_new(void);
void mr__raw_bands_free(struct mr_raw_bands *b); /* safe on NULL */
/* Inflates a band of `rows` rows. The pixels are good until the next call. MR_E_DATA, MR_E_MEMORY.
 */
int mr__raw_bands_inflate(struct mr_raw_bands *b, const uint8_t *data, size_t n, size_t bytes,
                          const uint8_t **pixels, struct mr_errbuf *e);
/* Appends `n` bytes as one compressed band. MR_E_MEMORY. */
int mr__raw_bands_deflate(const uint8_t *data, size_t n, int level, struct mr_buf *to,
                          struct mr_errbuf *e);

#endif
