/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_write.h: a body that is made.
 */
#ifndef MR_PACKED_WRITE_H
#define MR_PACKED_WRITE_H

#include "loaders/codec/packed/packed_bits.h"

/* Zero it to begin; mr__packed_writer_free ends it. */
struct mr_packed_writer {
    struct mr_packed_body *body;
    struct mr_packed_symbols symbols; /* Huffman */
    struct mr_buf data;               /* segments */
    struct mr_buf lengths, rows;      /* u32, native order */
};

/* The best codes for the symbols, and which of them the components use. */
void mr__packed_write_choose(struct mr_packed_body *body, const struct mr_packed_symbols *symbols,
                             struct mr_packed_write_codes write[MR_PACKED_KINDS]);
/* Adds row after row of MCUs, each as mr__packed_image_row gives it. MR_PACKED_VERBATIM: a segment
 * has grown too large for the format; MR_E_MEMORY. */
int mr__packed_writer_row(struct mr_packed_writer *w, const struct mr_packed_blocks *row,
                          struct mr_errbuf *e);
/* The whole body into *out, replacing what is there; codes and places come into w->body.
 * MR_PACKED_VERBATIM: a number has grown too large for the format; MR_E_MEMORY. */
int mr__packed_writer_end(struct mr_packed_writer *w, const struct mr_buf *markers,
                          struct mr_buf *out, struct mr_errbuf *e);
void mr__packed_writer_free(struct mr_packed_writer *w);

#endif
