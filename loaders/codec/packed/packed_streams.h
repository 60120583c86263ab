/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_streams.h: segments of the coding `streams`, into slots of the decoder of our own, and out
 * of blocks that are written down.
 */
#ifndef MR_PACKED_STREAMS_H
#define MR_PACKED_STREAMS_H

#include "loaders/codec/baseline/feed.h"
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/packed_types.h"

/* A feed is asked to begin at multiples of so many MCUs, where tiles of four blocks begin, too. */
enum { MR_PACKED_STREAMS_ALIGN = 4 };

struct mr_packed_streams {
    mr_coef_decode *decode;
    struct mr_packed_part *part; /* of the image that is decoded */
    struct mr_coef_segment segment;
    struct mr_errbuf *e;
    int code; /* what went wrong, the sentence is in *e; MR_OK: nothing yet */
    uint8_t last[MR_PACKED_SEGMENT_BYTES + 1 + MR_COEF_BEHIND]; /* a segment and zeros */
};

/* A coder for this CPU, to be kept; free() ends it. MR_E_MEMORY, and what MILLRACE_CPU says. */
int mr__packed_streams_new(struct mr_packed_streams **s, struct mr_errbuf *e);
/* mr_feed's function, for s->part; ctx is the coder. */
bool mr__packed_streams_row(void *ctx, const struct mr_feed_row *to);

/* How many MCUs a segment may have at most. */
int32_t mr__packed_streams_most(const struct mr_packed_body *b);
/* Appends a segment. MR_OK; MR_E_MEMORY. */
int mr__packed_streams_write(const struct mr_packed_blocks *blocks, struct mr_buf *out,
                             struct mr_errbuf *e);

#endif
