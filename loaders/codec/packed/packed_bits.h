/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_bits.h: the segment coder `Huffman`. A picture is put into symbols first, which are
 * counted; then there are codes, and each segment's symbols become bits.
 */
#ifndef MR_PACKED_BITS_H
#define MR_PACKED_BITS_H

#include "loaders/codec/packed/packed_codes.h"

enum { MR_PACKED_KINDS = 4 }; /* of symbols: DC and AC of the first component; of the others */

/* Zero it to begin; mr__packed_symbols_free ends it. */
struct mr_packed_symbols {
    struct mr_buf tokens; /* u32: symbol, kind << 8, bits of the value << 16 */
    struct mr_buf ends;   /* u32: of each segment so far, the number of tokens */
    uint32_t count[MR_PACKED_KINDS][256], count_odd[MR_PACKED_KINDS][256];
};

/* Adds a segment's symbols, those of `padding` MCUs behind it included. False: no memory. */
bool mr__packed_symbols_add(struct mr_packed_symbols *s, const struct mr_packed_blocks *blocks,
                            int32_t padding);
/* How often each symbol of a kind has come so far. */
void mr__packed_symbols_counts(const struct mr_packed_symbols *s, int kind, uint32_t counts[256]);
/* The bits of segment `number` behind what is in *out, unstuffed, filled up with ones to whole
 * bytes. False: no memory. */
bool mr__packed_symbols_write(const struct mr_packed_symbols *s, size_t number,
                              const struct mr_packed_write_codes codes[MR_PACKED_KINDS],
                              struct mr_buf *out);
void mr__packed_symbols_free(struct mr_packed_symbols *s);

#endif
