/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_codes.h: Huffman codes that are best for a picture.
 */
#ifndef MR_PACKED_CODES_H
#define MR_PACKED_CODES_H

#include "loaders/codec/packed/packed_types.h"

/* The codes for symbols that come so often, none longer than 16 bits and none all ones, as JPEG
 * wants them. A symbol that never comes has none. */
void mr__packed_codes_best(const uint32_t count[256], struct mr_packed_codes *codes);

/* For who writes: to each symbol its code, with room behind it for as many bits as the symbol's
 * value has (symbol & 15), << 5, and the length of both; 0: it has none. */
struct mr_packed_write_codes {
    uint32_t entry[256];
};
void mr__packed_codes_write(const struct mr_packed_codes *codes, struct mr_packed_write_codes *w);

#endif
