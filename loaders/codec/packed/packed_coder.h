/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_coder.h: a body's segments into slots, whichever coding they have.
 */
#ifndef MR_PACKED_CODER_H
#define MR_PACKED_CODER_H

#include "loaders/codec/packed/packed_huffman.h"
#include "loaders/codec/packed/packed_streams.h"

/* Zero it to begin; mr__packed_coder_free ends it. */
struct mr_packed_coder {
    struct mr_packed_huffman *huffman; /* NULL until it is needed */
    struct mr_packed_streams *streams;
    struct mr_feed feed; /* of the image that was begun */
};

/* Begins an image. MR_E_DATA: its tables are none; MR_E_MEMORY, and what MILLRACE_CPU says. */
int mr__packed_coder_begin(struct mr_packed_coder *c, const struct mr_packed_body *body,
                           struct mr_errbuf *e);
/* What c->feed reads from here on, and where its errors go. NULL: nothing any more. */
void mr__packed_coder_part(struct mr_packed_coder *c, struct mr_packed_part *part,
                           struct mr_errbuf *e);
/* What went wrong when c->feed has said false; MR_OK: nothing. */
int mr__packed_coder_code(const struct mr_packed_coder *c);
void mr__packed_coder_free(struct mr_packed_coder *c);

#endif
