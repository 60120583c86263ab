/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_encode.c: a segment's coefficients to streams.
 */
#include "loaders/codec/packed/coef_segment.h"
#include "loaders/codec/packed/coef_tables.h"

#include <string.h>

struct block {
    uint64_t map, kind;
    uint32_t number;   /* of its kind */
    uint32_t n;        /* coefficients other than 0, without DC */
    int16_t value[64]; /* these, in zigzag order */
};

struct writer {
    uint8_t *map, *byte, *nibble, *sign;
    uint32_t signs; /* bits that stand in `sign` */
    uint32_t escapes;
    int16_t escape[MR_COEF_BLOCKS * 64];
};

/* The cheapest kind that has what the block needs: kinds with maps of as many bytes stand together,
 * cheapest first, the last one has room for anything. */
static void choose_kind(struct block *b, uint32_t maps, uint32_t bytes, uint32_t large)
{
    uint32_t i = 0;

    while (coef_maps_of(mr__coef_kind[i]) != maps || coef_bytes_of(mr__coef_kind[i]) < bytes ||
           coef_large_of(mr__coef_kind[i]) < large)
        i++;
    b->number = i;
    b->kind = mr__coef_kind[i];
}

static void look(struct block *b, const int16_t zigzag[64])
{
    uint32_t last = 0, bytes = 0, large = 0;

    b->map = 0;
    b->n = 0;
    for (uint32_t k = 1; k < 64; k++) {
        int v = zigzag[k];
        if (v == 0)
            continue;
        b->value[b->n++] = (int16_t)v;
        b->map |= UINT64_C(1) << k;
        last = k;
        if (v < -8 || v > 8)
            bytes = b->n;
        if (v < -1 || v > 1)
            large = b->n;
    }
    if (b->n > MR_COEF_SIGNS && large < b->n - MR_COEF_SIGNS)
        large = b->n - MR_COEF_SIGNS;
    choose_kind(b, b->n ? last / 8 + 1 : 0, bytes, large);
    bytes = coef_bytes_of(b->kind);
    for (uint32_t i = 0; i < b->n && i < bytes; i++) {
        if (b->value[i] < -128 || b->value[i] > 127)
            b->map |= 1;
    }
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

static void write_block(struct writer *w, const struct block *b)
{
    uint32_t i = coef_bytes_of(b->kind), large = coef_large_of(b->kind);

    for (uint32_t k = 0; k < coef_maps_of(b->kind); k++)
        *w->map++ = (uint8_t)(b->map >> 8 * k);
    write_bytes(w, b);
    for (uint32_t half = 0; i < large; i++, half++) {
        int v = i < b->n ? b->value[i] : 1;
        unsigned four = (unsigned)(v < 0 ? v + 8 : v + 7);
        *w->nibble = (uint8_t)(half % 2 ? *w->nibble | four << 4 : four);
        w->nibble += half % 2;
    }
    for (; i < b->n; i++, w->signs++) {
        if (w->signs % 8 == 0)
            w->sign[w->signs / 8] = 0;
        if (b->value[i] < 0)
            w->sign[w->signs / 8] = (uint8_t)(w->sign[w->signs / 8] | 1u << w->signs % 8);
    }
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
    w.signs = w.escapes = 0;
    w.map = write_dc(&w, s, zigzag, to + n);
    w.byte = w.map + coef_maps_of(sum);
    w.nibble = w.byte + coef_bytes_of(sum);
    w.sign = w.nibble + coef_pairs_of(sum);
    for (uint32_t i = 0; i < n; i++)
        write_block(&w, &block[i]);
    uint8_t *end = w.sign + (w.signs + 7) / 8;
    for (uint32_t i = w.escapes; i > 0; i--) {
        *end++ = (uint8_t)w.escape[i - 1];
        *end++ = (uint8_t)((uint16_t)w.escape[i - 1] >> 8);
    }
    return (size_t)(end - to);
}
