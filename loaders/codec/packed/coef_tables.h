/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_tables.h: the tables of segments of coefficients.
 */
#ifndef MR_PACKED_COEF_TABLES_H
#define MR_PACKED_COEF_TABLES_H

#include <stdint.h>

/* What a block's one byte of header says: how many bytes of its map there are, and how many of its
 * coefficients other than 0, in zigzag order, come as a byte each, and behind them as half a byte
 * each; all further ones are 1 or -1, a bit each. A block takes one of these 256 that has at least
 * what it needs.
 * Four numbers of 16 bits, so that one addition sums them over all blocks of a segment: bytes of
 * the map (0 to 8), coefficients of a byte (0 to 63), bytes that hold two coefficients each (0 to
 * 32), coefficients of a byte and of half a byte (0 to 64). */
extern const uint64_t mr__coef_kind[256];
/* The first one whose map has so many bytes; those with as many stand together. */
extern const uint8_t mr__coef_first_kind[9];

/* Also of a sum of kinds. */
static inline uint32_t coef_maps_of(uint64_t kind)
{
    return (uint32_t)(kind & 0xffff);
}

static inline uint32_t coef_bytes_of(uint64_t kind)
{
    return (uint32_t)(kind >> 16 & 0xffff);
}

static inline uint32_t coef_pairs_of(uint64_t kind)
{
    return (uint32_t)(kind >> 32 & 0xffff);
}

static inline uint32_t coef_large_of(uint64_t kind)
{
    return (uint32_t)(kind >> 48);
}

/* The bits of so many bytes of a map. */
extern const uint64_t mr__coef_mask[9];

/* The most signs of a block, so that eight bytes hold them wherever they begin. */
enum { MR_COEF_SIGNS = 57 };

/* By number in zigzag order: the place of a coefficient in a block of a tile. */
extern const uint16_t mr__coef_place[64];
/* By natural position: its number in zigzag order. */
extern const uint8_t mr__coef_zigzag[64];
/* The same for look-ups of 16 bytes: [h][i][n] is which of the numbers 16 i to 16 i + 15 stands at
 * natural position 32 h + n, or 0x80. */
extern const uint8_t mr__coef_order[2][4][32];

/* The bytes that spread values to their places in a map's byte: [b][i] is the number of the value
 * that goes to place i, or 0x80; and, for whom they are the lower half of 16, in [b][8] to [b][15]
 * how many there are. */
extern const uint8_t mr__coef_spread[256][16];

#endif
