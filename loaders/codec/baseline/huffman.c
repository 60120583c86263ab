/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/baseline/huffman.h"

#include <string.h>

/* Most files of a data set have the tables of the one before, or every file has its own. */
static bool same_codes(const struct mr_huff_codes *c, const uint8_t bits[17],
                       const uint8_t value[256])
{
    return c->made && !memcmp(c->bits + 1, bits + 1, sizeof c->bits - 1) &&
           !memcmp(c->value, value, sizeof c->value);
}

/* As libjpeg: at most 256 codes, none of them all ones, none longer than what is left. */
static bool read_codes(struct mr_huff_codes *c, const uint8_t bits[17], const uint8_t value[256])
{
    uint32_t code = 0, n = 0;
    c->made = false;
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
    memcpy(c->bits, bits, sizeof c->bits);
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

/* Entries that are equal follow each other in runs, mostly short ones, whose lengths no processor
 * can guess. So RUN of them are written at once, and the next run begins over what was too much;
 * behind the table there is room for it. */
enum { RUN = MR_HUFF_SLACK };

/* ---- DC -------------------------------------------------------------------------------------- */

static uint32_t *run_dc(uint32_t *to, uint32_t entry, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += RUN)
        for (uint32_t k = 0; k < RUN; k++)
            to[i + k] = entry;
    return to + n;
}

bool mr__huff_dc(struct mr_huff_dc *t, const uint8_t bits[17], const uint8_t value[256])
{
    struct walk w = {.bits = bits, .most = MR_DC_BITS};
    uint32_t total = 0;
    if (same_codes(&t->codes, bits, value))
        return true;
    if (!read_codes(&t->codes, bits, value))
        return false;
    for (uint32_t length = 1; length <= 16; length++)
        total += bits[length];
    for (uint32_t i = 0; i < total; i++) {
        if (value[i] > 11)
            return false;
    }
    uint32_t *to = t->entry;
    for (const uint8_t *symbol = value; next_code(&w); symbol++, w.code++) {
        uint32_t all = w.length + *symbol;
        if (all > MR_DC_BITS)
            to =
                run_dc(to, w.length << 24 | (uint32_t)*symbol << 16, 1u << (MR_DC_BITS - w.length));
        for (uint32_t v = 0; all <= MR_DC_BITS && v < 1u << *symbol; v++)
            to = run_dc(to, (uint32_t)mr__huff_value(v, *symbol) << 16 | all,
                        1u << (MR_DC_BITS - all));
    }
    run_dc(to, 0, (uint32_t)(t->entry + MR_DC_SIZE - to));
    t->codes.made = true;
    return true;
}

/* ---- AC -------------------------------------------------------------------------------------- */

/* What a symbol with its value adds to the entry of a pair, as its first and as its second one; an
 * entry is the sum of the two. `all`: the bits of both together. */
static inline uint64_t as_first(uint32_t symbol, uint32_t v, uint32_t all)
{
    uint64_t zeros = symbol >> 4, after = zeros + 1;
    uint64_t value = (uint16_t)mr__huff_value(v, symbol & 15);
    return symbol ? value << 32 | after << 24 | zeros << 16 | after << 8 | all
                  : (uint64_t)MR_AC_END << 8 | all;
}

static inline uint64_t as_second(uint32_t symbol, uint32_t v, uint32_t all)
{
    uint64_t zeros = symbol >> 4;
    uint64_t value = (uint16_t)mr__huff_value(v, symbol & 15);
    return symbol ? value << 48 | zeros << 24 | (zeros + 1) << 8 | all
                  : (uint64_t)MR_AC_END << 8 | all;
}

/* second[(1 << n) + k]: what the symbol adds that k, the n bits left behind a first one, begin
 * with; 0 where they do not hold all of it. At least one bit goes to the first. */
enum { MOST_LEFT = MR_AC_BITS - 1, SECONDS = (1 << MR_AC_BITS) + RUN };

static uint64_t *run_ac(uint64_t *to, uint64_t entry, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += RUN)
        for (uint32_t k = 0; k < RUN; k++)
            to[i + k] = entry;
    return to + n;
}

static void fill_seconds(uint64_t second[SECONDS], const uint8_t bits[17], const uint8_t value[256])
{
    struct walk w = {.bits = bits, .most = MOST_LEFT};
    uint64_t *widest = second + (1 << MOST_LEFT), *to = widest;
    for (const uint8_t *symbol = value; next_code(&w); symbol++, w.code++) {
        uint32_t size = *symbol & 15, all = w.length + size;
        if (all > MOST_LEFT || !mr__huff_ac_symbol(*symbol)) {
            to = run_ac(to, 0, 1u << (MOST_LEFT - w.length));
            continue;
        }
        for (uint32_t v = 0; v < 1u << size; v++)
            to = run_ac(to, as_second(*symbol, v, all), 1u << (MOST_LEFT - all));
    }
    run_ac(to, 0, (uint32_t)(widest + (1 << MOST_LEFT) - to));
    for (uint32_t n = MOST_LEFT; n-- > 0;) {
        const uint64_t *from = second + (2 << n);
        uint64_t *fewer = second + (1 << n);
        for (uint32_t k = 0; k < 1u << n; k++)
            fewer[k] = (from[2 * k] & 63) <= n ? from[2 * k] : 0;
    }
}

/* Entries of one symbol that fits, for all its values. Behind an end of block nothing is looked at:
 * what follows it is of another block. */
static uint64_t *fill_pairs(uint64_t *to, uint32_t symbol, uint32_t length,
                            const uint64_t second[SECONDS])
{
    uint32_t size = symbol & 15, all = length + size, n = 1u << (MR_AC_BITS - all);
    if (symbol == 0)
        return run_ac(to, as_first(symbol, 0, all), n);
    for (uint32_t v = 0; v < 1u << size; v++, to += n) {
        uint64_t first = as_first(symbol, v, all);
        for (uint32_t i = 0; i < n; i += RUN)
            for (uint32_t k = 0; k < RUN; k++)
                to[i + k] = first + second[n + i + k];
    }
    return to;
}

/* n entries that are not in the table as a whole. */
static uint64_t *fill_slow(uint64_t *to, uint32_t symbol, uint32_t length, uint32_t n)
{
    return run_ac(to, (uint64_t)(length << 8 | symbol) << 32 | (uint64_t)MR_AC_SLOW << 8, n);
}

static void fill_entries(struct mr_huff_ac *t, const uint8_t bits[17], const uint8_t value[256])
{
    uint64_t second[SECONDS], *to = t->entry;
    struct walk w = {.bits = bits, .most = MR_AC_BITS};
    fill_seconds(second, bits, value);
    for (const uint8_t *symbol = value; next_code(&w); symbol++, w.code++) {
        if (w.length + (*symbol & 15) <= MR_AC_BITS && mr__huff_ac_symbol(*symbol))
            to = fill_pairs(to, *symbol, w.length, second);
        else
            to = fill_slow(to, *symbol, w.length, 1u << (MR_AC_BITS - w.length));
    }
    fill_slow(to, 0, 0, (uint32_t)(t->entry + MR_AC_SIZE - to));
}

bool mr__huff_ac(struct mr_huff_ac *t, const uint8_t bits[17], const uint8_t value[256])
{
    if (same_codes(&t->codes, bits, value))
        return true;
    if (!read_codes(&t->codes, bits, value))
        return false;
    fill_entries(t, bits, value);
    t->codes.made = true;
    return true;
}
