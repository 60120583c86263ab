/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_encode.c: a segment's coefficients to streams.
 */
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct block {
    uint64_t map, kind;
    uint32_t number;   /* of its kind */
    uint32_t n;        /* coefficients other than 0, without DC */
    int16_t value[64]; /* these, in zigzag order */
};

struct writer {
    uint8_t *map, *byte, *nibble, *sign;
    uint64_t left; /* signs that are not written yet, */
    uint32_t bits; /* less than 8 of them */
    uint32_t escapes;
    int16_t escape[MR_COEF_BLOCKS * 64];
};

/* The cheapest kind that has what the block needs: kinds with maps of as many bytes stand together,
 * cheapest first, the last one has room for anything. */
static void choose_kind(struct block *b, uint32_t maps, uint32_t bytes, uint32_t large)
{
    uint32_t i = mr__coef_first_kind[maps];

    while (coef_bytes_of(mr__coef_kind[i]) < bytes || coef_large_of(mr__coef_kind[i]) < large)
        i++;
    b->number = i;
    b->kind = mr__coef_kind[i];
}

/* A bit for each coefficient, DC aside, that lies beyond -most to most. */
static inline uint64_t beyond(const int16_t zigzag[64], int16_t most)
{
    uint64_t mask = 0;
#ifdef __SSE2__
    __m128i high = _mm_set1_epi16(most), low = _mm_set1_epi16((int16_t)-most);
    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_loadu_si128((const void *)(zigzag + i));
        __m128i w = _mm_loadu_si128((const void *)(zigzag + i + 8));
        v = _mm_or_si128(_mm_cmpgt_epi16(v, high), _mm_cmpgt_epi16(low, v));
        w = _mm_or_si128(_mm_cmpgt_epi16(w, high), _mm_cmpgt_epi16(low, w));
        mask |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_packs_epi16(v, w)) << i;
    }
#else
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(zigzag[i] < -most || zigzag[i] > most) << i;
#endif
    return mask & ~UINT64_C(1);
}

/* How many coefficients of a map come before, and with, the last one of a part of it. */
static uint32_t reach(uint64_t map, uint64_t part)
{
    return part ? (uint32_t)__builtin_popcountll(map << __builtin_clzll(part)) : 0;
}

static void look(struct block *b, const int16_t zigzag[64])
{
    uint64_t map = beyond(zigzag, 0), left = map;
    uint32_t bytes = reach(map, beyond(zigzag, 8)), large = reach(map, beyond(zigzag, 1));

    for (b->n = 0; left; left &= left - 1)
        b->value[b->n++] = zigzag[__builtin_ctzll(left)];
    if (b->n > MR_COEF_SIGNS && large < b->n - MR_COEF_SIGNS)
        large = b->n - MR_COEF_SIGNS;
    choose_kind(b, map ? 8 - (uint32_t)__builtin_clzll(map) / 8 : 0, bytes, large);
    bytes = coef_bytes_of(b->kind);
    b->map = map;
    for (uint32_t i = 0; i < b->n && i < bytes; i++)
        b->map |= b->value[i] < -128 || b->value[i] > 127;
}

static void write_bytes(struct writer *w, const struct block *b)
{
    for (uint32_t i = 0; i < coef_bytes_of(b->kind); i++) {
        int v = i < b->n ? b->value[i] : 0;
        if (v < -128 || v > 127 || (v == -128 && b->map & 1)) {
            w->escape[w->escapes++] = (int16_t)v;
            v = -128;
        }
        *w->byte++ = (uint8_t)v;
    }
}

static unsigned half(int v)
{
    return (unsigned)(v < 0 ? v + 8 : v + 7);
}

/* n bits, at most 57. */
static void write_signs(struct writer *w, uint64_t bits, uint32_t n)
{
    w->left |= bits << w->bits;
    w->bits += n;
    for (; w->bits >= 8; w->bits -= 8, w->left >>= 8)
        *w->sign++ = (uint8_t)w->left;
}

static void write_block(struct writer *w, struct block *b)
{
    uint32_t i = coef_bytes_of(b->kind), large = coef_large_of(b->kind);
    uint64_t bits = 0;

    for (uint32_t k = 0; k < coef_maps_of(b->kind); k++)
        *w->map++ = (uint8_t)(b->map >> 8 * k);
    write_bytes(w, b);
    for (uint32_t k = b->n; k < large; k++)
        b->value[k] = 1; /* halves that say nothing */
    for (; i < large; i += 2)
        *w->nibble++ = (uint8_t)(half(b->value[i]) | half(b->value[i + 1]) << 4);
    for (uint32_t k = large; k < b->n; k++)
        bits |= (uint64_t)(b->value[k] < 0) << (k - large);
    write_signs(w, bits, b->n > large ? b->n - large : 0);
}

/* What a component's first block has, and what each other one has more than its neighbour. Where
 * the differences end. */
static uint8_t *write_dc(struct writer *w, const struct mr_coef_segment *s,
                         const int16_t (*zigzag)[64], uint8_t *to)
{
    int16_t above = 0, before = 0;

    for (uint32_t r = 0; r < s->nruns; r++) {
        for (uint32_t i = 0; i < s->run[r].n; i++, zigzag++) {
            int16_t dc = zigzag[0][0], more = (int16_t)(dc - (i == 0 ? above : before));
            if (i == 0 && s->run[r].begins) {
                *to++ = (uint8_t)dc;
                *to++ = (uint8_t)((uint16_t)dc >> 8);
            } else if (more <= INT8_MIN || more > INT8_MAX) {
                w->escape[w->escapes++] = more;
                *to++ = 0x80;
            } else {
                *to++ = (uint8_t)more;
            }
            before = dc;
            above = i == 0 ? dc : above;
        }
    }
    return to;
}

size_t mr__coef_encode(const struct mr_coef_segment *s, const int16_t (*zigzag)[64], uint8_t *to)
{
    struct block block[MR_COEF_BLOCKS];
    struct writer w;
    uint32_t n = 0;
    uint64_t sum = 0;

    for (uint32_t r = 0; r < s->nruns; r++)
        n += s->run[r].n;
    for (uint32_t i = 0; i < n; i++) {
        look(&block[i], zigzag[i]);
        to[i] = (uint8_t)block[i].number;
        sum += block[i].kind;
    }
    w.bits = w.escapes = 0;
    w.left = 0;
    w.map = write_dc(&w, s, zigzag, to + n);
    w.byte = w.map + coef_maps_of(sum);
    w.nibble = w.byte + coef_bytes_of(sum);
    w.sign = w.nibble + coef_pairs_of(sum);
    for (uint32_t i = 0; i < n; i++)
        write_block(&w, &block[i]);
    uint8_t *end = w.sign;
    if (w.bits)
        *end++ = (uint8_t)w.left;
    for (uint32_t i = w.escapes; i > 0; i--) {
        *end++ = (uint8_t)w.escape[i - 1];
        *end++ = (uint8_t)((uint16_t)w.escape[i - 1] >> 8);
    }
    return (size_t)(end - to);
}
