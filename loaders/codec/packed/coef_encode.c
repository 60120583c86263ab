/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_encode.c: a segment's coefficients to streams.
 */
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { AHEAD = 64 }; /* bytes behind a stream that are written, and written over */

struct block {
    uint64_t map, kind;
    uint32_t number;           /* of its kind */
    uint32_t n;                /* coefficients other than 0, without DC */
    int16_t value[64 + AHEAD]; /* these, in zigzag order */
};

struct stream {
    uint8_t *at;
    uint8_t data[64 * MR_COEF_BLOCKS + AHEAD];
};

struct writer {
    struct stream map, byte, half, sign;
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

/* A bit for each coefficient that is not 0, that lies beyond -1 to 1, and beyond -8 to 8. */
static inline void measure(const int16_t zigzag[64], uint64_t beyond[3])
{
    beyond[0] = beyond[1] = beyond[2] = 0;
#ifdef __SSE2__
    static const int8_t most[3] = {0, 1, 8};
    for (int i = 0; i < 64; i += 16) {
        __m128i v = _mm_packs_epi16(_mm_loadu_si128((const void *)(zigzag + i)),
                                    _mm_loadu_si128((const void *)(zigzag + i + 8)));
        for (int k = 0; k < 3; k++) {
            __m128i high = _mm_cmpgt_epi8(v, _mm_set1_epi8(most[k]));
            __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8((int8_t)-most[k]));
            beyond[k] |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_or_si128(high, low)) << i;
        }
    }
#else
    for (int i = 0; i < 64; i++) {
        int v = zigzag[i] < 0 ? -zigzag[i] : zigzag[i];
        beyond[0] |= (uint64_t)(v > 0) << i;
        beyond[1] |= (uint64_t)(v > 1) << i;
        beyond[2] |= (uint64_t)(v > 8) << i;
    }
#endif
}

/* How many coefficients of a map come before, and with, the last one of a part of it. */
static uint32_t reach(uint64_t map, uint64_t part)
{
    return part ? (uint32_t)__builtin_popcountll(map << __builtin_clzll(part)) : 0;
}

static void look(struct block *b, const int16_t zigzag[64])
{
    const uint64_t ac = ~UINT64_C(1);
    uint64_t beyond[3];

    measure(zigzag, beyond);
    uint64_t map = beyond[0] & ac;
    uint32_t bytes = reach(map, beyond[2] & ac), large = reach(map, beyond[1] & ac), n = 0;
    for (uint64_t left = map; left; left &= left - 1)
        b->value[n++] = zigzag[__builtin_ctzll(left)];
    if (n > MR_COEF_SIGNS && large < n - MR_COEF_SIGNS)
        large = n - MR_COEF_SIGNS;
    choose_kind(b, map ? 8 - (uint32_t)__builtin_clzll(map) / 8 : 0, bytes, large);
    b->n = n;
    b->map = map;
    for (uint32_t i = 0; i < bytes; i++)
        b->map |= b->value[i] < -128 || b->value[i] > 127;
    for (; n < coef_bytes_of(b->kind); n++)
        b->value[n] = 0; /* bytes and halves that say nothing */
    for (; n < coef_large_of(b->kind); n++)
        b->value[n] = 1;
}

static void write_bytes(struct writer *w, const struct block *b)
{
    uint32_t n = coef_bytes_of(b->kind);

    for (uint32_t i = 0; i < n; i++) {
        int v = b->value[i];
        w->byte.at[i] = (uint8_t)v;
        if (b->map & 1 && (v <= -128 || v > 127)) {
            w->escape[w->escapes++] = (int16_t)v;
            w->byte.at[i] = 0x80;
        }
    }
    w->byte.at += n;
}

static inline unsigned half(int16_t v)
{
    return (unsigned)(v + 7 + ((uint16_t)v >> 15));
}

/* n bits, at most 57. */
static void write_signs(struct writer *w, uint64_t bits, uint32_t n)
{
    uint64_t both = w->left | bits << w->bits;
    uint32_t all = w->bits + n;

    for (int i = 0; i < 8; i++)
        w->sign.at[i] = (uint8_t)(both >> 8 * i);
    w->sign.at += all / 8;
    w->left = all >= 64 ? bits >> (64 - w->bits) % 64 : both >> all / 8 * 8;
    w->bits = all % 8;
}

static void write_block(struct writer *w, const struct block *b)
{
    uint32_t i = coef_bytes_of(b->kind), large = coef_large_of(b->kind), n = b->n;
    uint64_t bits = 0;

    for (int k = 0; k < 8; k++)
        w->map.at[k] = (uint8_t)(b->map >> 8 * k);
    w->map.at += coef_maps_of(b->kind);
    write_bytes(w, b);
    for (; i < large; i += 2)
        *w->half.at++ = (uint8_t)(half(b->value[i]) | half(b->value[i + 1]) << 4);
    for (uint32_t k = large; k < n; k++)
        bits |= (uint64_t)((uint16_t)b->value[k] >> 15) << (k - large);
    write_signs(w, bits, n > large ? n - large : 0);
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

static uint8_t *put(uint8_t *to, const struct stream *s)
{
    size_t n = (size_t)(s->at - s->data);

    memcpy(to, s->data, n);
    return to + n;
}

size_t mr__coef_encode(const struct mr_coef_segment *s, const int16_t (*zigzag)[64], uint8_t *to)
{
    struct block block;
    struct writer w;
    uint32_t n = 0;

    for (uint32_t r = 0; r < s->nruns; r++)
        n += s->run[r].n;
    w.bits = w.escapes = 0;
    w.left = 0;
    w.map.at = w.map.data;
    w.byte.at = w.byte.data;
    w.half.at = w.half.data;
    w.sign.at = w.sign.data;
    uint8_t *end = write_dc(&w, s, zigzag, to + n);
    for (uint32_t i = 0; i < n; i++) {
        look(&block, zigzag[i]);
        to[i] = (uint8_t)block.number;
        write_block(&w, &block);
    }
    *w.sign.at = (uint8_t)w.left;
    w.sign.at += w.bits > 0;
    end = put(put(put(put(end, &w.map), &w.byte), &w.half), &w.sign);
    for (uint32_t i = w.escapes; i > 0; i--) {
        *end++ = (uint8_t)w.escape[i - 1];
        *end++ = (uint8_t)((uint16_t)w.escape[i - 1] >> 8);
    }
    return (size_t)(end - to);
}
