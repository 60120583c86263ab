/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_huffman.h: segments of the coding `Huffman`, into slots of the decoder of our own.
 */
#ifndef MR_PACKED_HUFFMAN_H
#define MR_PACKED_HUFFMAN_H

#include "loaders/codec/baseline/feed.h"
#include "loaders/codec/packed/packed_types.h"

struct mr_packed_huffman {
    const struct mr_mcu_runs *runs;
    struct mr_huff_dc dc[MR_PACKED_CODES];
    struct mr_huff_ac ac[MR_PACKED_CODES];
    struct mr_packed_part *part; /* of the image that is decoded */
    struct mr_scan scan;
    struct mr_errbuf *e;
    int code; /* what went wrong, the sentence is in *e; MR_OK: nothing yet */
    uint8_t last[MR_PACKED_SEGMENT_BYTES + 1 + MR_MCU_BYTES + 64]; /* a segment and zeros */
};

/* A coder for this CPU, to be kept; free() ends it. MR_E_MEMORY, and what MILLRACE_CPU says. */
int mr__packed_huffman_new(struct mr_packed_huffman **h, struct mr_errbuf *e);
/* Begins an image. False: its tables are none. */
bool mr__packed_huffman_begin(struct mr_packed_huffman *h, const struct mr_packed_body *body);
/* mr_feed's function, for h->part; ctx is the coder. */
bool mr__packed_huffman_row(void *ctx, const struct mr_feed_row *to);

#endif
