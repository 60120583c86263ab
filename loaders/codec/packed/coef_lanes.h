/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_lanes.h: decoding a segment with look-ups of 16 bytes, for vectors of any make. In two
 * passes over the segment, so that nothing is loaded that was stored in other pieces just before:
 *   1. halves of bytes and signs become bytes, all at once; then each block's three kinds of values
 *      are put one behind the other (collect),
 *   2. 16 places of a block at a time get their values, by a table that the map's bytes index, go
 *      from zigzag into natural order, are widened and stored (put, of the includer).
 *
 * The includer defines LANES (attributes of an inline function), VECTOR (attributes of others),
 * PUT (how many blocks it takes at a time, 1 or 2) and
 *   copy32(to, from)          32 bytes
 *   widen_halves(from, n, to) the values of 2 n halves of bytes; may read and write 32 more
 *   lowest(from)              a bit for each of 64 bytes that is -128
 *   deposit(bits, map)        PDEP: bit i of `bits` to where the map's bit is that has i below it
 *   widen_signs(from, n, to)  1 or -1 for each of 8 n bits; may read 16, write 64 more
 *   put(const struct collected *blocks, map, two, to) blocks[0], and, where `two`, blocks[1] into a
 *                             block of a tile, and the next one, whose coefficients are 0; `map` is
 *                             what they have together, and not 0
 */
#include "loaders/codec/packed/coef_parts.h"

enum { AHEAD = 64 }; /* bytes behind every buffer that may be written, and read */

struct buffers {
    uint8_t halves[64 * MR_COEF_BLOCKS + AHEAD];
    uint8_t signs[64 * MR_COEF_BLOCKS + AHEAD];
    uint8_t values[64 * MR_COEF_BLOCKS + AHEAD];
    struct collected block[MR_COEF_BLOCKS + 1];
    uint32_t flagged[MR_COEF_BLOCKS + 1]; /* blocks that may have escapes */
    struct coef_escaped escaped[MR_COEF_BLOCKS];
    uint32_t nflagged;
};

/* Pass 1. False: there are more signs than there may be. Whatever the bytes, a block takes at most
 * 64 of each buffer. */
LANES bool collect(struct coef_parts *p, struct buffers *b)
{
    const uint8_t *map_at = p->map, *bytes = p->byte, *halves = b->halves, *signs = b->signs;
    size_t room = (size_t)(p->end - p->sign), most = 8 * MR_COEF_BLOCKS;
    uint8_t *values = b->values;
    uint32_t nflagged = 0;
    int32_t enough = 0;

    room = room < most ? room : most;
    widen_halves(p->nibble, (size_t)(p->sign - p->nibble), b->halves);
    widen_signs(p->sign, room, b->signs);
    for (uint32_t i = 0; i < p->blocks; i++) {
        uint64_t kind = mr__coef_kind[p->kind[i]], map = coef_map(map_at, kind);
        uint32_t nbytes = coef_bytes_of(kind), large = coef_large_of(kind),
                 nhalves = large - nbytes;
        int32_t ones = __builtin_popcountll(map & ~UINT64_C(1)) - (int32_t)large;
        ones = ones > 0 ? ones : 0;
        enough |= MR_COEF_SIGNS - ones;
        b->flagged[nflagged] = i;
        nflagged += map & 1;
        b->block[i] = (struct collected){map & ~UINT64_C(1), values};
        copy32(values, bytes);
        if (__builtin_expect((nbytes | nhalves | (uint32_t)ones) > 31, 0)) {
            copy32(values + 32, bytes + 32);
            copy32(values + nbytes, halves);
            copy32(values + nbytes + 32, halves + 32);
            copy32(values + large, signs);
            copy32(values + large + 32, signs + 32);
        } else {
            copy32(values + nbytes, halves);
            copy32(values + large, signs);
        }
        values += (int32_t)large + ones;
        map_at += coef_maps_of(kind);
        bytes += nbytes;
        halves += nhalves;
        signs += ones;
    }
    b->nflagged = nflagged;
    p->signs = (uint64_t)(signs - b->signs);
    return enough >= 0 && p->signs <= 8 * room;
}

/* No value but an escape is as low; values are numbered as the map's bits are. */
VECTOR static void find_escapes(const struct mr_coef_segment *s, struct buffers *b)
{
    const struct mr_coef_run *run = s->run;
    uint32_t first = 0;

    for (uint32_t k = 0; k < b->nflagged; k++) {
        uint32_t i = b->flagged[k];
        const struct collected *c = &b->block[i];
        uint32_t n = (uint32_t)__builtin_popcountll(c->map);
        while (i - first >= run->n)
            first += run++->n;
        uint64_t which = lowest(c->values) & ((UINT64_C(1) << n) - 1);
        b->escaped[k] = (struct coef_escaped){coef_made_at(run, i - first), deposit(which, c->map)};
    }
}

/* Pass 2, for PUT blocks or the last one. */
LANES void place(const struct collected *c, const int16_t *dc, bool two, struct mr_slot *row,
                 uint32_t at)
{
    struct mr_slot *slot = row + at / 4;
    int16_t *to = (int16_t *)(void *)slot + at % 4 * 8;
    uint64_t map = c[0].map | (two ? c[1].map : 0);
    uint32_t used = 64 - (uint32_t)__builtin_clzll(map | 1);

    if (map)
        put(c, map, two, to);
    to[0] = dc[0];
    if (two)
        to[8] = dc[1];
    slot->used = used > slot->used ? (uint8_t)used : slot->used;
}

LANES void place_run(const struct mr_coef_run *r, const struct collected *c, const int16_t *dc)
{
    uint32_t i = r->from, at = (uint32_t)(r->first + (int32_t)i);

    if (PUT == 2 && at % 2 && i < r->to)
        place(c + i, dc + i, false, r->row, at), i++, at++;
    for (; PUT == 2 && i + 2 <= r->to; i += 2, at += 2)
        place(c + i, dc + i, true, r->row, at);
    for (; i < r->to; i++, at++)
        place(c + i, dc + i, false, r->row, at);
}

VECTOR static bool decode(const struct mr_coef_segment *s)
{
    struct coef_parts p;
    struct buffers b;
    const struct collected *c = b.block;
    const int16_t *dc = p.dc + COEF_DC_FRONT;

    if (!coef_begin(s, &p))
        return false;
    if (!collect(&p, &b))
        return false;
    for (uint32_t r = 0; r < s->nruns; r++) {
        place_run(&s->run[r], c, dc);
        c += s->run[r].n;
        dc += s->run[r].n;
    }
    find_escapes(s, &b);
    coef_take_escapes(&p, b.escaped, b.nflagged);
    return coef_ends(&p);
}
