/* SPDX-License-Identifier: Apache-2.0
 *
 * packed.h: a JPEG packed for crops. Its quantised coefficients stay what they are; what codes them
 * is cut into segments, one row of MCUs high and some 32 or 64 pixels wide, that decode each on its
 * own, behind an index of where they lie. docs/packed_jpeg.md has the format byte by byte.
 */
#ifndef MR_PACKED_PACKED_H
#define MR_PACKED_PACKED_H

#include "base/descriptor.h"

#include <stddef.h>

enum mr_packed_coding {                        /* how a segment codes its coefficients */
                        MR_PACKED_HUFFMAN = 1, /* as a JPEG does */
                        MR_PACKED_STREAMS = 2, /* for wide registers: docs/packed_coef.md */
};

enum { MR_PACKED_VERBATIM = 1 }; /* mr__packed_make's answer: keep the file as it is */

/* Makes the body of a JPEG file, replacing what is in *body (a zeroed mr_buf to begin; the caller
 * frees it, whatever the answer). A segment is at most `segment_px` (at least 8) pixels wide, or
 * one MCU if that is wider.
 * MR_PACKED_VERBATIM: a file that cannot be packed without loss, or that is no JPEG; e has the
 * reason. MR_E_DATA, MR_E_LIMIT, MR_E_MEMORY: the file cannot be decoded whole; the sentence is the
 * one that decoding it would give. Pure, and safe to be called by several threads. */
int mr__packed_make(const uint8_t *jpeg, size_t n, enum mr_packed_coding coding, int segment_px,
                    const struct mr_limits *limits, struct mr_buf *body, struct mr_errbuf *e);

/* The JPEG file, baseline, of a body: the pixels of the one it was made from, and its APP and COM
 * markers (EXIF, ICC ...); replaces what is in *jpeg. MR_E_DATA for a damaged body; MR_E_MEMORY. */
int mr__packed_to_jpeg(const uint8_t *body, size_t n, struct mr_buf *jpeg, struct mr_errbuf *e);

struct mr_packed_facts {
    enum mr_packed_coding coding;
    int32_t w, h; /* pixels, as stored: before the orientation */
    int32_t components, orientation;
    int32_t segment_w, segment_h; /* pixels */
    int64_t segments;
};

/* What a body's head says of it. MR_E_DATA. */
int mr__packed_facts(const uint8_t *body, size_t n, struct mr_packed_facts *facts,
                     struct mr_errbuf *e);
/* Whether the bytes begin a body. */
bool mr__packed_probe(const uint8_t *data, size_t n);

#endif
