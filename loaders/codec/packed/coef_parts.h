/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_parts.h: what all decoders of a segment begin and end with. Its functions stand in a header
 * so that they get the instructions of whoever includes them.
 *
 * What is read is bounded once for a segment: the sums over the kinds of its blocks give the
 * lengths of all streams but the last two, and these have to end within the segment. A block takes
 * at most MR_COEF_BEHIND bytes at a time from where it is, and where it is is not beyond the end.
 * Signs are bounded by a clamp, escapes each by itself; that there were as many of them as bytes is
 * the verdict.
 */
#ifndef MR_PACKED_COEF_PARTS_H
#define MR_PACKED_COEF_PARTS_H

#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#include <string.h>

#define COEF_INLINE static inline __attribute__((always_inline))

enum { COEF_DC_FRONT = 4 }; /* vectors take four of them, some of which may be none */

struct coef_parts {
    const uint8_t *kind, *map, *byte, *nibble, *sign; /* where the next block's begin */
    const uint8_t *end;
    const uint8_t *escape; /* where the next one ends; NULL: there were not as many */
    uint64_t signs;        /* bits taken from `sign` */
    uint32_t blocks;
    int16_t dc[COEF_DC_FRONT + MR_COEF_BLOCKS + COEF_DC_FRONT];
};

/* A block that may have escapes: where it goes, NULL: nowhere; and which of its coefficients are
 * escapes, by number in zigzag order, of the others only how many they are. */
struct coef_escaped {
    int16_t *to;
    uint64_t which;
};

struct collected { /* a block: its map, without DC, and where its values are */
    uint64_t map;
    const uint8_t *values;
};

COEF_INLINE uint64_t coef_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

COEF_INLINE int16_t coef_load16(const uint8_t *p)
{
    return (int16_t)(uint16_t)(p[0] | p[1] << 8);
}

/* A block's map, whose bit 0 says that some of its bytes are escapes. */
COEF_INLINE uint64_t coef_map(const uint8_t *at, uint64_t kind)
{
    return coef_load64(at) & mr__coef_mask[coef_maps_of(kind)];
}

COEF_INLINE int16_t coef_escape(struct coef_parts *p)
{
    if (!p->escape || p->escape - p->sign < 2) {
        p->escape = NULL;
        return 0;
    }
    p->escape -= 2;
    return coef_load16(p->escape);
}

/* Where block i of a run goes; NULL: it is not made. */
COEF_INLINE int16_t *coef_made_at(const struct mr_coef_run *run, uint32_t i)
{
    int32_t at = run->first + (int32_t)i;

    return i >= run->from && i < run->to ? (int16_t *)(void *)(run->row + at / 4) + at % 4 * 8
                                         : NULL;
}

/* Escapes of blocks, in the order of the blocks. */
COEF_INLINE void coef_take_escapes(struct coef_parts *p, const struct coef_escaped *e, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint64_t left = e[i].which; left; left &= left - 1) {
            int16_t value = coef_escape(p);
            if (e[i].to)
                e[i].to[mr__coef_place[__builtin_ctzll(left)]] = value;
        }
    }
}

/* A component's first DC stands by itself, each other one as what it is more than the block to its
 * left, or above it at the beginning of a row. */
COEF_INLINE void coef_read_dc(const struct mr_coef_segment *s, struct coef_parts *p,
                              const uint8_t *from)
{
    int16_t *to = p->dc + COEF_DC_FRONT;
    uint16_t first = 0;

    for (uint32_t r = 0; r < s->nruns; r++) {
        const uint8_t *end = from + s->run[r].n;
        if (s->run[r].begins) {
            first = (uint16_t)coef_load16(from);
            from += 2;
            end++;
        } else {
            first = (uint16_t)(first + (uint16_t)(*from == 0x80 ? coef_escape(p) : (int8_t)*from));
            from++;
        }
        uint16_t dc = first;
        *to++ = (int16_t)dc;
        for (; from < end; from++) {
            int16_t more = (int8_t)*from;
            if (__builtin_expect(more == INT8_MIN, 0))
                more = coef_escape(p);
            dc = (uint16_t)(dc + (uint16_t)more);
            *to++ = (int16_t)dc;
        }
    }
}

/* False: the streams do not fit into the segment. */
COEF_INLINE bool coef_begin(const struct mr_coef_segment *s, struct coef_parts *p)
{
    uint32_t blocks = 0, head = 0;
    uint64_t sum = 0;

    for (uint32_t r = 0; r < s->nruns; r++) {
        blocks += s->run[r].n;
        head += 2 * s->run[r].n + s->run[r].begins;
    }
    if (blocks > MR_COEF_BLOCKS || head > s->bytes)
        return false;
    p->blocks = blocks;
    p->kind = s->data;
    for (uint32_t i = 0; i < blocks; i++)
        sum += mr__coef_kind[s->data[i]];
    if (head + coef_maps_of(sum) + coef_bytes_of(sum) + coef_pairs_of(sum) > s->bytes)
        return false;
    p->map = s->data + head;
    p->byte = p->map + coef_maps_of(sum);
    p->nibble = p->byte + coef_bytes_of(sum);
    p->sign = p->nibble + coef_pairs_of(sum);
    p->escape = p->end = s->data + s->bytes;
    p->signs = 0;
    coef_read_dc(s, p, s->data + blocks);
    return p->escape != NULL;
}

/* Whether signs and escapes meet where they should. */
COEF_INLINE bool coef_ends(const struct coef_parts *p)
{
    return p->escape && p->sign + (p->signs + 7) / 8 == p->escape;
}

#endif
