/* SPDX-License-Identifier: Apache-2.0
 *
 * huffman.h: a JPEG's Huffman codes as tables that give up to two coefficients a look-up.
 *
 * A table is indexed by the next MR_AC_BITS or MR_DC_BITS bits. A code whose value bits do not fit
 * in there as well is SLOW: it is decoded by its length, one look at 26 bits. Entries are made here
 * only, so their fields are in range whatever the file says; decoders rely on that.
 */
#ifndef MR_BASELINE_HUFFMAN_H
#define MR_BASELINE_HUFFMAN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MR_AC_BITS = 11,
    MR_AC_SIZE = 1 << MR_AC_BITS,
    MR_DC_BITS = 10,
    MR_DC_SIZE = 1 << MR_DC_BITS,
    MR_HUFF_SLACK = 8 /* entries behind a table that mean nothing */
};
/* Most bits of one coefficient: a code of 16, a DC value of 11 */
enum { MR_HUFF_MOST = 27 };

/* The codes as the file has them, checked. */
struct mr_huff_codes {
    uint32_t limit[18]; /* [n]: first 16-bit pattern above all codes of n and fewer bits */
    int32_t offset[17]; /* symbol of a code of n bits: value[offset[n] + code] */
    uint8_t value[256];
    uint8_t bits[17];
    bool made; /* the table of these codes is whole */
};

/* An entry of the table of AC codes:
 *   bits 0-5    bits to take, 0: SLOW
 *   bits 8-15   how far the position goes on; MR_AC_END is added at an end of block, and is less
 *               half of that for SLOW, so that a block's loop is left for both
 *   bits 16-23  zeros before the first value, <= 15
 *   bits 24-31  distance of the second value from where the first zeros began, <= 31
 *   bits 32-47, 48-63  the values; the second is 0 where there is none
 * With SLOW, bits 32-39 are the symbol and bits 40-47 its code's length, 0: it is longer than the
 * table is wide. */
enum { MR_AC_END = 128, MR_AC_SLOW = 64, MR_AC_REACH = 31 };

struct mr_huff_ac {
    uint64_t entry[MR_AC_SIZE + MR_HUFF_SLACK];
    struct mr_huff_codes codes;
};

/* DC: bits 0-5 bits to take, 0: SLOW; bits 16-31 the difference. With SLOW, bits 16-23 and 24-31
 * are symbol and length as above. */
struct mr_huff_dc {
    uint32_t entry[MR_DC_SIZE + MR_HUFF_SLACK];
    struct mr_huff_codes codes;
};

/* bits[1..16]: codes of each length; value[256]. *t is zeroed or from an earlier call: what it has
 * already is not made again. False: libjpeg refuses these codes, or they have
 * symbols that no 8-bit baseline image needs (AC ones only when they are met). */
bool mr__huff_ac(struct mr_huff_ac *t, const uint8_t bits[17], const uint8_t value[256]);
bool mr__huff_dc(struct mr_huff_dc *t, const uint8_t bits[17], const uint8_t value[256]);

/* The code at the top of `window`, of `shortest` or more bits: its length << 8 | its symbol; 0:
 * there is none. */
static inline uint32_t mr__huff_find(const struct mr_huff_codes *codes, uint64_t window,
                                     uint32_t shortest)
{
    uint32_t top = (uint32_t)(window >> 48);
    for (uint32_t length = shortest; length <= 16; length++) {
        if (top < codes->limit[length])
            return length << 8 |
                   codes->value[(codes->offset[length] + (int32_t)(top >> (16 - length))) & 255];
    }
    return 0;
}

/* A symbol of an AC table that means something: zeros << 4 | bits of the value, 1 to 10 of them; or
 * end of block; or sixteen zeros. */
static inline bool mr__huff_ac_symbol(uint32_t symbol)
{
    uint32_t size = symbol & 15;
    return (size >= 1 && size <= 10) || symbol == 0 || symbol == 0xf0;
}

/* The value that `bits`, the next `size` (0 to 11) bits of the file, stand for. */
static inline int32_t mr__huff_value(uint32_t bits, uint32_t size)
{
    int32_t below = (int32_t)((1u << size) >> 1); /* first bit 0: negative */
    return (int32_t)bits < below ? (int32_t)bits + 1 - (int32_t)(1u << size) : (int32_t)bits;
}

#endif
