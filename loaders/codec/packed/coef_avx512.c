/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_avx512.c: decoding a segment with VBMI2: a block is one register of 64 bytes. Which of its
 * places get bytes, halves of bytes and signs are three masks, made of its map by PDEP; each kind
 * of values is spread by its mask. A tile's four blocks are then brought into natural order, woven
 * together and widened, and stored row by row.
 */
#include "loaders/codec/packed/coef_segment.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/packed/coef_parts.h"

#include <immintrin.h>

#define AVX512 __attribute__((target(MR_TARGET_AVX512 ",avx512vbmi,avx512vbmi2")))
#define LANES AVX512 static inline __attribute__((always_inline))

/* Where the next block's begin; copied about, so that it stays in registers. */
struct place {
    const uint8_t *kind, *map, *byte, *nibble, *sign;
    uint64_t room;                /* bytes from `sign` to the segment's end */
    uint64_t signs;               /* bits taken from `sign` */
    int64_t enough;               /* negative: a block has more signs than it may */
    struct coef_escaped *escaped; /* where the next one is noted */
};

/* 32 bytes to the 64 values of their halves. */
LANES __m512i halves(const uint8_t *from)
{
    const __m512i value = _mm512_broadcast_i32x4(
        _mm_setr_epi8(-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8));
    __m512i v = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)from));

    /* (a | b) & c */
    v = _mm512_ternarylogic_epi64(v, _mm512_slli_epi16(v, 4), _mm512_set1_epi8(15), 0xa8);
    return _mm512_shuffle_epi8(value, v);
}

/* The next block's coefficients in zigzag order, its DC aside. */
LANES __m512i take(struct place *p, int16_t *to, uint64_t *map)
{
    uint64_t kind = mr__coef_kind[*p->kind++];
    uint32_t nbytes = coef_bytes_of(kind), large = coef_large_of(kind);
    uint64_t whole = _bzhi_u64(coef_load64(p->map), 8 * coef_maps_of(kind));
    uint64_t ac = whole & ~UINT64_C(1);
    uint64_t bytes = _pdep_u64(_bzhi_u64(~UINT64_C(0), nbytes), ac);
    uint64_t both = _pdep_u64(_bzhi_u64(~UINT64_C(0), large), ac), rest = ac & ~both;
    uint64_t at = p->signs / 8 < p->room ? p->signs / 8 : p->room;
    uint64_t signs = coef_load64(p->sign + at) >> p->signs % 8;
    __m512i v = _mm512_maskz_expand_epi8(bytes, _mm512_loadu_si512(p->byte));

    v = _mm512_mask_expand_epi8(v, both & ~bytes, halves(p->nibble));
    v = _mm512_mask_mov_epi8(v, rest, _mm512_set1_epi8(1));
    v = _mm512_mask_mov_epi8(v, _pdep_u64(signs, rest), _mm512_set1_epi8(-1));
    int64_t n = __builtin_popcountll(rest);
    p->enough |= MR_COEF_SIGNS - n;
    /* No other value is as low. */
    p->escaped->to = to;
    p->escaped->which = _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(-128));
    p->escaped += whole & 1;
    p->signs += (uint64_t)n;
    p->map += coef_maps_of(kind);
    p->byte += nbytes;
    p->nibble += coef_pairs_of(kind);
    *map |= ac;
    return v;
}

/* Goes past a block. */
LANES void skip(struct place *p)
{
    uint64_t kind = mr__coef_kind[*p->kind++];
    uint64_t map = _bzhi_u64(coef_load64(p->map), 8 * coef_maps_of(kind));
    uint32_t all = (uint32_t)__builtin_popcountll(map & ~UINT64_C(1)), nbytes = coef_bytes_of(kind);
    int64_t n = (int64_t)all - coef_large_of(kind);

    n = n > 0 ? n : 0;
    p->enough |= MR_COEF_SIGNS - n;
    p->escaped->to = NULL;
    p->escaped->which =
        _mm512_mask_cmpeq_epi8_mask(_bzhi_u64(~UINT64_C(0), nbytes < all ? nbytes : all),
                                    _mm512_loadu_si512(p->byte), _mm512_set1_epi8(-128));
    p->escaped += map & 1;
    p->signs += (uint64_t)n;
    p->map += coef_maps_of(kind);
    p->byte += coef_bytes_of(kind);
    p->nibble += coef_pairs_of(kind);
}

/* A row of a tile, or some blocks of it. */
LANES void store_row(struct mr_slot *slot, int r, __mmask8 where, __m512i row)
{
    if (where == 0xff)
        _mm512_store_si512(slot->tile.v[r], row);
    else
        _mm512_mask_storeu_epi64(slot->tile.v[r], where, row);
}

/* Rows r and r + 2 of four blocks, from every other row of two and two. */
LANES void store_rows(struct mr_slot *slot, int r, __mmask8 where, __m512i two)
{
    __m512i a = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(two));
    __m512i b = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(two, 1));

    store_row(slot, r, where, a);
    store_row(slot, r + 2, where, b);
}

/* The four blocks' rows; as few of them as hold anything. */
LANES void store_tile(struct mr_slot *slot, const __m512i v[4], const int16_t *dc, uint32_t used,
                      __mmask8 where)
{
    const __m512i upper = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i lower = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    __m512i order = _mm512_load_si512(mr__coef_zigzag), block[4], even[2], odd[2];
    __m512i first = _mm512_broadcast_i32x4(_mm_loadl_epi64((const void *)dc));

    for (int i = 0; i < 4; i++)
        block[i] = _mm512_permutexvar_epi8(order, v[i]);
    for (int i = 0; i < 2; i++) {
        even[i] = _mm512_unpacklo_epi64(block[2 * i], block[2 * i + 1]);
        odd[i] = _mm512_unpackhi_epi64(block[2 * i], block[2 * i + 1]);
    }
    __m512i two = _mm512_permutex2var_epi64(even[0], upper, even[1]);
    __m512i row = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(two));
    row = _mm512_mask_expand_epi16(row, 0x01010101, first);
    store_row(slot, 0, where, row);
    if (used == 1)
        return;
    row = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(two, 1));
    store_row(slot, 2, where, row);
    store_rows(slot, 1, where, _mm512_permutex2var_epi64(odd[0], upper, odd[1]));
    if (used <= MR_LAST_CORNER + 1)
        return;
    store_rows(slot, 4, where, _mm512_permutex2var_epi64(even[0], lower, even[1]));
    store_rows(slot, 5, where, _mm512_permutex2var_epi64(odd[0], lower, odd[1]));
}

/* n blocks, the first of which is block b of the tile. */
LANES struct place tile(struct place p, struct mr_slot *slot, uint32_t b, uint32_t n,
                        const int16_t *dc)
{
    uint64_t map = 1;
    __m512i v[4];

    for (uint32_t i = 0; i < 4; i++)
        v[i] = i >= b && i < b + n ? take(&p, (int16_t *)(void *)slot + 8 * i, &map)
                                   : _mm512_setzero_si512();
    uint32_t used = 64 - (uint32_t)__builtin_clzll(map);
    store_tile(slot, v, dc - b, used, (__mmask8)(((1u << 2 * n) - 1) << 2 * b));
    slot->used = slot->used > used ? slot->used : (uint8_t)used;
    return p;
}

AVX512 static struct place part(struct place p, struct mr_slot *slot, uint32_t b, uint32_t n,
                                const int16_t *dc)
{
    return tile(p, slot, b, n, dc);
}

LANES struct place run(struct place p, const struct mr_coef_run *r, const int16_t *dc)
{
    uint32_t i = 0;

    for (; i < r->from; i++)
        skip(&p);
    while (i < r->to) {
        uint32_t at = (uint32_t)(r->first + (int32_t)i), b = at % 4, n = r->to - i;
        struct mr_slot *slot = r->row + at / 4;
        if (b == 0 && n >= 4) {
            n = 4;
            p = tile(p, slot, 0, 4, dc + i);
        } else {
            n = n < 4 - b ? n : 4 - b;
            p = part(p, slot, b, n, dc + i);
        }
        i += n;
    }
    for (; i < r->n; i++)
        skip(&p);
    return p;
}

AVX512 static bool decode(const struct mr_coef_segment *s)
{
    struct coef_escaped escaped[MR_COEF_BLOCKS + 1];
    struct coef_parts p;
    const int16_t *dc = p.dc + COEF_DC_FRONT;

    if (!coef_begin(s, &p))
        return false;
    struct place at = {.kind = p.kind,
                       .map = p.map,
                       .byte = p.byte,
                       .nibble = p.nibble,
                       .sign = p.sign,
                       .room = (uint64_t)(p.end - p.sign),
                       .escaped = escaped};
    for (uint32_t r = 0; r < s->nruns; r++) {
        at = run(at, &s->run[r], dc);
        dc += s->run[r].n;
    }
    p.signs = at.signs;
    coef_take_escapes(&p, escaped, (uint32_t)(at.escaped - escaped));
    return at.enough >= 0 && coef_ends(&p);
}

const struct mr_coef_version mr__coef_avx512 = {
    .level = MR_CPU_AVX512, .flags = MR_CPU_VBMI | MR_CPU_VBMI2, .decode = decode};
#endif
