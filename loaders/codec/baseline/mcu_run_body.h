/* SPDX-License-Identifier: Apache-2.0
 *
 * mcu_run_body.h: the loops of mcu_run.h, for one CPU: included where MR_RUN is what its functions
 * carry.
 *
 * Per block one loop over look-ups, left at k > 63: k is the place in zigzag order, and the entries
 * for an end of block and for what the table does not have push it beyond. What has happened is
 * told apart behind the loop, which a block leaves once.
 */
#include "loaders/codec/baseline/mcu_run.h"

#include <string.h>

#define RUN_INLINE MR_RUN static inline __attribute__((always_inline))
enum {
    BLOCK = 64,
    DC_MOST = 2047, /* twice what a picture of 8 bits has */
    NO_CODE = 256,
};

/* Place of a coefficient in a block of a tile; those beyond 63 share one behind the tile. */
#define AT(row, column) ((row)*32 + (column))
#define BEYOND_8 256, 256, 256, 256, 256, 256, 256, 256
static const uint16_t place[BLOCK + MR_AC_REACH + 1] = {
    AT(0, 0), AT(0, 1), AT(1, 0), AT(2, 0), AT(1, 1), AT(0, 2), AT(0, 3), AT(1, 2), AT(2, 1),
    AT(3, 0), AT(4, 0), AT(3, 1), AT(2, 2), AT(1, 3), AT(0, 4), AT(0, 5), AT(1, 4), AT(2, 3),
    AT(3, 2), AT(4, 1), AT(5, 0), AT(6, 0), AT(5, 1), AT(4, 2), AT(3, 3), AT(2, 4), AT(1, 5),
    AT(0, 6), AT(0, 7), AT(1, 6), AT(2, 5), AT(3, 4), AT(4, 3), AT(5, 2), AT(6, 1), AT(7, 0),
    AT(7, 1), AT(6, 2), AT(5, 3), AT(4, 4), AT(3, 5), AT(2, 6), AT(1, 7), AT(2, 7), AT(3, 6),
    AT(4, 5), AT(5, 4), AT(6, 3), AT(7, 2), AT(7, 3), AT(6, 4), AT(5, 5), AT(4, 6), AT(3, 7),
    AT(4, 7), AT(5, 6), AT(6, 5), AT(7, 4), AT(7, 5), AT(6, 6), AT(5, 7), AT(6, 7), AT(7, 6),
    AT(7, 7), BEYOND_8, BEYOND_8, BEYOND_8, BEYOND_8,
};

/* 56 bits or more are in the window then. Of `left` only the low six bits count before. */
RUN_INLINE void refill(struct mr_bits *b)
{
    uint64_t next;
    memcpy(&next, b->at, sizeof next);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    next = __builtin_bswap64(next);
#endif
    b->left &= 63;
    b->window |= next >> b->left;
    b->at += (63 - b->left) >> 3;
    b->left |= 56;
}

RUN_INLINE void go_back(struct mr_bits *b, uint32_t bits)
{
    uint32_t behind = (b->left & 63) + bits, bytes = (behind + 7) / 8;
    b->at -= bytes;
    b->window = 0;
    b->left = 0;
    refill(b);
    b->window <<= 8 * bytes - behind;
    b->left -= 8 * bytes - behind;
}

/* A code and the value behind it, which the table does not have as a whole; the window is full.
 * `found`: symbol and length << 8, length 0: of a code longer than the table is wide. The symbol,
 * or NO_CODE. */
RUN_INLINE uint32_t take_slowly(struct mr_bits *b, const struct mr_huff_codes *codes,
                                uint32_t found, int32_t *value)
{
    if (found >> 8 == 0)
        found = mr__huff_find(codes, b->window, MR_DC_BITS + 1);
    uint32_t length = found >> 8, symbol = found & 255, size = symbol & 15;
    if (length == 0 || size > 11)
        return NO_CODE;
    uint64_t rest = b->window << length;
    *value = size ? mr__huff_value((uint32_t)(rest >> (64 - size)), size) : 0;
    b->window = rest << size;
    b->left -= length + size;
    return symbol;
}

/* Where the AC code of a SLOW entry leads to from k, as look-ups do; 0 when something is wrong. */
RUN_INLINE uint32_t go_slowly(struct mr_bits *b, const struct mr_huff_ac *t, uint32_t k,
                              uint64_t entry, int16_t *to, bool store)
{
    int32_t value = 0;
    refill(b);
    uint32_t symbol = take_slowly(b, &t->codes, (uint16_t)(entry >> 32), &value);
    if (store)
        to[place[k]] = 0; /* where the look-up has stored what is no value */
    if (symbol == NO_CODE || !mr__huff_ac_symbol(symbol))
        return 0;
    if (symbol == 0)
        return k + MR_AC_END;
    k += symbol >> 4;
    if (k >= BLOCK)
        return 0;
    if (store)
        to[place[k]] = (int16_t)value;
    refill(b);
    return k + 1;
}

/* Two symbols at once may be one too many: where the first was the 64th coefficient, the second
 * belongs to the next block. 0 when anything else has led beyond. */
RUN_INLINE uint32_t give_back(struct mr_bits *b, const struct mr_huff_ac *t, uint32_t k,
                              uint64_t entry)
{
    int32_t value;
    uint32_t start = k - (uint8_t)(entry >> 8);
    if (start + (uint8_t)(entry >> 16) != BLOCK - 1)
        return 0;
    go_back(b, entry & 63);
    take_slowly(b, &t->codes, mr__huff_find(&t->codes, b->window, 1), &value);
    return BLOCK;
}

#define LOOK_UP                                                         \
    entry = t->entry[b->window >> (64 - MR_AC_BITS)];                   \
    if (store) {                                                        \
        to[place[k + (uint8_t)(entry >> 16)]] = (int16_t)(entry >> 32); \
        to[place[k + (uint8_t)(entry >> 24)]] = (int16_t)(entry >> 48); \
    }                                                                   \
    b->window <<= entry & 63;                                           \
    b->left -= (uint32_t)entry;                                         \
    k += (uint8_t)(entry >> 8);                                         \
    if (k >= BLOCK)                                                     \
        break;

/* The AC coefficients of a block; at least 44 bits are in the window. How many places in zigzag
 * order it uses, DC included; 0 when something is wrong. */
RUN_INLINE uint32_t read_ac(struct mr_bits *b, const struct mr_huff_ac *t, int16_t *to, bool store)
{
    uint64_t entry;
    uint32_t k = 1;
    for (;;) {
        for (;;) { /* five would do, but four follow a DC code */
            LOOK_UP LOOK_UP LOOK_UP LOOK_UP refill(b);
        }
        if (k > MR_AC_END && k < MR_AC_END + BLOCK)
            return k - MR_AC_END;
        if (entry & 63)
            return k == BLOCK ? k : give_back(b, t, k, entry);
        k = go_slowly(b, t, k - MR_AC_SLOW, entry, to, store);
        if (k > MR_AC_END)
            return k - MR_AC_END;
        if (k == 0 || k == BLOCK)
            return k;
    }
}

RUN_INLINE bool read_block(struct mr_bits *b, const struct mr_mcu_block *m, int32_t *dc,
                           uint32_t place_in_row, bool store)
{
    refill(b);
    uint32_t entry = m->dc->entry[b->window >> (64 - MR_DC_BITS)];
    int32_t difference = (int32_t)entry >> 16;
    b->window <<= entry & 63;
    b->left -= entry;
    if ((entry & 63) == 0) {
        if (take_slowly(b, &m->dc->codes, entry >> 16, &difference) == NO_CODE)
            return false;
        refill(b);
    }
    *dc += difference;
    if (*dc < -DC_MOST || *dc > DC_MOST)
        return false;
    struct mr_slot *slot = store ? m->row + place_in_row / 4 : NULL;
    int16_t *to = store ? (int16_t *)(void *)slot + place_in_row % 4 * 8 : NULL;
    if (store)
        to[0] = (int16_t)*dc;
    uint32_t used = read_ac(b, m->ac, to, store);
    if (store)
        slot->used = used > slot->used ? (uint8_t)used : slot->used;
    return used != 0;
}

RUN_INLINE bool run(struct mr_scan *s, uint32_t column, uint32_t n, bool store)
{
    struct mr_bits b = s->at;
    for (; n > 0; n--, column++) {
        if (b.at > s->bytes.limit) {
            s->at = b;
            s->at.left &= 63;
            if (!mr__scan_more(&s->bytes, &s->at))
                return false;
            b = s->at;
        }
        for (uint32_t i = 0; i < s->nblocks; i++) {
            const struct mr_mcu_block *m = &s->block[i];
            if (!read_block(&b, m, &s->dc[m->component], m->first + column * m->step, store))
                return false;
        }
    }
    s->at = b;
    s->at.left &= 63;
    return mr__scan_good(&s->bytes, &s->at);
}

MR_RUN static bool run_store(struct mr_scan *s, uint32_t column, uint32_t n)
{
    return run(s, column, n, true);
}

MR_RUN static bool run_skip(struct mr_scan *s, uint32_t column, uint32_t n)
{
    return run(s, column, n, false);
}
