/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_types.h: what the files of the packed codec share.
 *
 *     packed_make.c     a JPEG file to a body: libjpeg-turbo reads it, once, offline
 *     packed_image.c    the coefficients of a JPEG that libjpeg-turbo has read, row by row
 *     packed_write.c    head, index and segments of a body that is made
 *     packed_codes.c    Huffman codes that are best for a picture
 *     packed_bits.c     the segment coder `Huffman`: blocks to symbols to bits
 *     packed_body.c     a body's head, read and checked
 *     packed_part.c     of its index and its segments what a crop needs
 *     packed_huffman.c  segments of the coding `Huffman` into the decoder of our own
 *     packed_stitch.c   the same segments as a small JPEG file, for libjpeg-turbo
 *     packed_codec.c    the codec
 *     packed_unpack.c   a body to a JPEG file again
 */
#ifndef MR_PACKED_TYPES_H
#define MR_PACKED_TYPES_H

#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/packed/packed.h"

enum {
    MR_PACKED_HEAD = 48, /* bytes before the tables */
    MR_PACKED_QUANTS = 3,
    MR_PACKED_CODES = 6,
    /* At most so many bytes are before the index */
    MR_PACKED_HEAD_MOST = MR_PACKED_HEAD + MR_PACKED_QUANTS * 64 + MR_PACKED_CODES * (16 + 256),
    MR_PACKED_FIRST = 4096,          /* bytes that are read to get at the head */
    MR_PACKED_SIDE = 65500,          /* pixels, padding included: libjpeg's limit */
    MR_PACKED_SEGMENT_BYTES = 65535, /* at most */
};

struct mr_packed_codes { /* a Huffman table, as a JPEG has it */
    uint8_t bits[17];    /* codes of each length, from 1 */
    uint8_t value[256];
};

struct mr_packed_component {
    int32_t h, v;   /* sampling factors: blocks of an MCU; 1 x 1 where there is but one component */
    int32_t quant;  /* number of its quantisation table */
    int32_t dc, ac; /* numbers of its Huffman tables, in one count; streams: 0 */
};

/* A head: what was made, or what was read and checked. */
struct mr_packed_body {
    enum mr_packed_coding coding;
    int32_t w, h; /* pixels, before the orientation */
    int32_t orientation;
    int32_t components; /* 1 or 3 */
    struct mr_packed_component component[3];
    int32_t quants, codes;                /* tables */
    uint16_t quant[MR_PACKED_QUANTS][64]; /* in natural order */
    struct mr_packed_codes code[MR_PACKED_CODES];
    int32_t mcu_w, mcu_h; /* pixels */
    int32_t across, down; /* MCUs of the image */
    int32_t wide;         /* MCUs of a segment */
    int32_t segments;     /* of a row of MCUs */
    /* Where things begin: each row's place; each segment's length; the segments; the markers; and
     * where those end */
    uint64_t rows_at, lengths_at, data_at, markers_at, end;
};

/* From w, h, component and wide: mcu_w, mcu_h, across, down and segments. False: components that a
 * body may not have, or a size. */
bool mr__packed_shape(struct mr_packed_body *b);
/* The size of a head in bytes, tables included. */
uint32_t mr__packed_head_bytes(const struct mr_packed_body *b);
/* What the decoder of our own wants to know. Points into *b. */
struct mr_plain_jpeg mr__packed_plain(const struct mr_packed_body *b);

/* ---- making ---- */

/* The coefficients of one segment: block (x, y) of a component is block[y * stride + x], in zigzag
 * order. Blocks beyond the image's own have the DC coefficient of the one before and no other. */
struct mr_packed_blocks {
    int32_t mcus; /* the last segment of a row may have less than the others */
    int32_t planes;
    struct mr_packed_plane {
        int32_t h, v; /* blocks of an MCU */
        int32_t stride;
        const int16_t (*block)[64];
    } plane[3];
};

/* ---- reading ---- */

/* Reads the head of a file: of `file` at most its first 4096 bytes. `limits` may be NULL.
 * MR_E_DATA, MR_E_LIMIT, or what `file` says. */
int mr__packed_read(struct mr_packed_body *b, const struct mr_ranges *file,
                    const struct mr_limits *limits, struct mr_errbuf *e);
/* data[n] as a file that is read in ranges; `memory` must stay. */
struct mr_packed_memory {
    const uint8_t *data;
    size_t n;
};
struct mr_ranges mr__packed_in_memory(struct mr_packed_memory *memory);

/* Rows of MCUs [top, bottom), and of each the segments [left, right). */
struct mr_packed_part {
    const struct mr_packed_body *body;
    const struct mr_ranges *file;
    int32_t top, bottom, left, right;
    const uint8_t *rows;    /* the index, from row `top` on */
    const uint8_t *lengths; /* the same; [row][body->segments] u16 */
    const uint8_t *data;    /* all rows' segments; NULL: each row is asked for on its own */
    uint64_t data_at;       /* of `data` in the file */
    uint64_t data_n;
    uint64_t bytes; /* asked for so far */
};
/* A row's segments from `left` on, one behind the other. */
struct mr_packed_row {
    const uint8_t *data;
    const uint8_t *end;     /* of the bytes that are known to be there */
    const uint8_t *lengths; /* of segment `left`, u16 */
};

/* The part that MCUs x to x + w, y to y + h need. MR_E_DATA, or what `file` says. */
int mr__packed_part(struct mr_packed_part *part, const struct mr_packed_body *body,
                    const struct mr_ranges *file, const struct mr_rect *mcus, struct mr_errbuf *e);
int mr__packed_part_row(struct mr_packed_part *part, int32_t row, struct mr_packed_row *out,
                        struct mr_errbuf *e);
/* How many MCUs segment `s` of a row has that are the image's. */
int32_t mr__packed_mcus(const struct mr_packed_body *b, int32_t s);

static inline uint32_t mr__packed_u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t mr__packed_u32(const uint8_t *p)
{
    return mr__packed_u16(p) | mr__packed_u16(p + 2) << 16;
}

#endif
