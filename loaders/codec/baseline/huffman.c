/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/baseline/huffman.h"

#include <string.h>

/* As libjpeg: at most 256 codes, none of them all ones, none longer than what is left. */
static bool read_codes(struct mr_huff_codes *c, const uint8_t bits[17], const uint8_t value[256])
{
    uint32_t code = 0, n = 0;
    c->limit[0] = 0;
    for (uint32_t length = 1; length <= 16; length++) {
        c->offset[length] = (int32_t)n - (int32_t)code;
        n += bits[length];
        code += bits[length];
        if (n > 256 || (bits[length] && code >= 1u << length))
            return false;
        c->limit[length] = code << (16 - length);
        code <<= 1;
    }
    memcpy(c->value, value, sizeof c->value);
    return true;
}

/* Calls that fill a table go through its codes by length, and so through the table in order. */
struct walk {
    const uint8_t *bits;
    uint32_t most;         /* bits of a code that is looked at */
    uint32_t length, left; /* of the code; codes of that length still to come */
    uint32_t code;
};

static bool next_code(struct walk *w)
{
    while (w->left == 0) {
        if (w->length == w->most)
            return false;
        w->length++;
        w->code <<= 1;
        w->left = w->bits[w->length];
    }
    w->left--;
    return true;
}

/* ---- DC -------------------------------------------------------------------------------------- */

bool mr__huff_dc(struct mr_huff_dc *t, const uint8_t bits[17], const uint8_t value[256])
{
    struct walk w = {.bits = bits, .most = MR_DC_BITS};
    uint32_t total = 0;
    if (!read_codes(&t->codes, bits, value))
        return false;
    for (uint32_t length = 1; length <= 16; length++)
        total += bits[length];
    for (uint32_t i = 0; i < total; i++) {
        if (value[i] > 11)
            return false;
    }
    memset(t->entry, 0, sizeof t->entry);
    for (const uint8_t *symbol = value; next_code(&w); symbol++, w.code++) {
        uint32_t all = w.length + *symbol;
        uint32_t *to = t->entry + (w.code << (MR_DC_BITS - w.length));
        for (uint32_t i = 0; all > MR_DC_BITS && i < 1u << (MR_DC_BITS - w.length); i++)
            *to++ = w.length << 24 | (uint32_t)*symbol << 16;
        for (uint32_t v = 0; all <= MR_DC_BITS && v < 1u << *symbol; v++) {
            uint32_t entry = (uint32_t)mr__huff_value(v, *symbol) << 16 | all;
            for (uint32_t i = 0; i < 1u << (MR_DC_BITS - all); i++)
                *to++ = entry;
        }
    }
    return true;
}

/* ---- AC -------------------------------------------------------------------------------------- */

/* One symbol: bits 0-7 bits to take, 8-15 zeros, 16-31 the value. One that does not fit: bits 0-7
 * are 0, 16-23 the symbol, 24-31 its code's length. */
enum { END = 255 << 8 };

static void fill_symbols(uint32_t one[MR_AC_SIZE], const uint8_t bits[17], const uint8_t value[256])
{
    struct walk w = {.bits = bits, .most = MR_AC_BITS};
    memset(one, 0, MR_AC_SIZE * sizeof *one);
    for (const uint8_t *symbol = value; next_code(&w); symbol++, w.code++) {
        uint32_t size = *symbol & 15, all = w.length + size;
        uint32_t zeros = *symbol == 0 ? (uint32_t)END : (uint32_t)(*symbol >> 4) << 8;
        uint32_t *to = one + (w.code << (MR_AC_BITS - w.length));
        bool fits = all <= MR_AC_BITS && mr__huff_ac_symbol(*symbol);
        for (uint32_t i = 0; !fits && i < 1u << (MR_AC_BITS - w.length); i++)
            *to++ = w.length << 24 | (uint32_t)*symbol << 16;
        for (uint32_t v = 0; fits && v < 1u << size; v++) {
            uint32_t entry = (uint32_t)mr__huff_value(v, size) << 16 | zeros | all;
            for (uint32_t i = 0; i < 1u << (MR_AC_BITS - all); i++)
                *to++ = entry;
        }
    }
}

/* The entry for a first symbol, and a second one or 0. */
static inline uint64_t pair(uint32_t first, uint32_t second)
{
    uint64_t zeros = first >> 8 & 255, after = zeros + 1;
    uint64_t entry = (uint64_t)(first >> 16) << 32 | zeros << 16;
    if ((second & 255) == 0)
        return entry | after << 24 | after << 8 | (first & 255);
    uint64_t taken = (first & 255) + (second & 255);
    if ((second & END) == END)
        return entry | after << 24 | (MR_AC_END + after) << 8 | taken;
    uint64_t at = after + (second >> 8 & 255);
    return entry | (uint64_t)(second >> 16) << 48 | at << 24 | (at + 1) << 8 | taken;
}

static void fill_pairs(struct mr_huff_ac *t, const uint32_t one[MR_AC_SIZE])
{
    for (uint32_t i = 0; i < MR_AC_SIZE;) {
        uint32_t first = one[i], taken = first & 255;
        if (taken == 0) {
            t->entry[i++] = (uint64_t)(first >> 16) << 32 | (uint64_t)MR_AC_SLOW << 8;
            continue;
        }
        uint32_t left = MR_AC_BITS - taken, n = 1u << left;
        for (uint32_t k = 0; k < n; k++, i++) {
            uint32_t second = one[k << taken];
            if ((first & END) == END)
                t->entry[i] = (uint64_t)MR_AC_END << 8 | taken;
            else
                t->entry[i] = pair(first, (second & 255) <= left ? second : 0);
        }
    }
}

bool mr__huff_ac(struct mr_huff_ac *t, const uint8_t bits[17], const uint8_t value[256])
{
    uint32_t one[MR_AC_SIZE];
    if (!read_codes(&t->codes, bits, value))
        return false;
    fill_symbols(one, bits, value);
    fill_pairs(t, one);
    return true;
}
