/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_bytes.h: a scan's coded bytes without their stuffing, a window at a time.
 *
 * A segment is what lies between two markers. Its bytes come into `clean` with every 0xff00 made
 * 0xff, in portions that stay in the cache. A reader may load 8 bytes anywhere that a whole MCU
 * from `limit` can take it: there are bytes, or zeros behind a segment's end. So a decoder looks at
 * `limit` once per MCU, and nowhere else.
 */
#ifndef MR_BASELINE_SCAN_BYTES_H
#define MR_BASELINE_SCAN_BYTES_H

#include "loaders/codec/baseline/huffman.h"

#include <stddef.h>

enum {
    MR_MCU_BLOCKS = 10,
    /* At most so many bytes does an MCU take, whatever they are */
    MR_MCU_BYTES = MR_MCU_BLOCKS * 64 * MR_HUFF_MOST / 8,
    MR_CLEAN_BYTES = 32 << 10,
    MR_CLEAN_BEFORE = 8, /* bytes behind `at` that stay there */
    MR_CLEAN_ALL = MR_CLEAN_BEFORE + MR_CLEAN_BYTES + MR_MCU_BYTES + 64,
};

/* Where a reader is: the top `left` bits of `window` are the next ones; below them lie zeros or
 * bits of *at. */
struct mr_bits {
    uint64_t window;
    const uint8_t *at; /* the first byte of which not all is in `window` */
    uint32_t left;     /* <= 63 */
};

struct mr_scan_bytes {
    const uint8_t *raw, *raw_end; /* what was not yet taken from the file */
    uint8_t *clean;               /* [MR_CLEAN_ALL] */
    uint8_t *end;                 /* of the bytes in `clean` */
    const uint8_t *limit;         /* a reader at or before it can decode an MCU */
    bool ended;                   /* a marker, or the file's end, is next */
};

/* Begins a segment at s->raw; *at is its first bit. */
void mr__scan_begin(struct mr_scan_bytes *s, struct mr_bits *at);
/* For a reader beyond s->limit, between two MCUs: makes room and brings more. False when it has
 * taken more bits than the segment has. */
bool mr__scan_more(struct mr_scan_bytes *s, struct mr_bits *at);
/* Whether all bits that were taken are the segment's. */
bool mr__scan_good(const struct mr_scan_bytes *s, const struct mr_bits *at);
/* Goes on behind restart marker `number`, 0 to 7. False when anything else comes: another marker,
 * a fill byte, eight or more bits that nobody has taken. */
bool mr__scan_restart(struct mr_scan_bytes *s, struct mr_bits *at, uint32_t number);

#endif
