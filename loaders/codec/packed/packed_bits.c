/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_bits.h"

#include <string.h>

enum { ZEROS_16 = 0xf0, END_OF_BLOCK = 0, BLOCK_TOKENS = 64 + 1 };

/* ---- blocks to symbols ----------------------------------------------------------------------- */

static uint32_t size_of(int32_t v)
{
    uint32_t magnitude = (uint32_t)(v < 0 ? -v : v);
    return magnitude ? 32u - (uint32_t)__builtin_clz(magnitude) : 0;
}

/* A negative value is written one less, without its sign. */
static uint32_t token(uint32_t kind, uint32_t zeros, int32_t v)
{
    uint32_t size = size_of(v), low = (uint32_t)(v < 0 ? v - 1 : v) & ((1u << size) - 1);
    return low << 16 | kind << 8 | zeros << 4 | size;
}

/* A bit for each coefficient that is not 0. */
static uint64_t mask_of(const int16_t block[64])
{
    uint64_t mask = 0;
    for (int i = 0; i < 64; i += 8) {
        uint8_t some = 0;
        for (int k = 0; k < 8; k++)
            some |= (uint8_t)((block[i + k] != 0) << k);
        mask |= (uint64_t)some << i;
    }
    return mask;
}

static uint32_t *put_block(uint32_t *t, const int16_t block[64], int32_t *dc, uint32_t kind)
{
    *t++ = token(kind, 0, block[0] - *dc);
    *dc = block[0];
    uint64_t left = mask_of(block) & ~(uint64_t)1;
    int at = 1;
    for (; left; left &= left - 1, at++) {
        int k = __builtin_ctzll(left);
        for (; k - at >= 16; at += 16)
            *t++ = (kind + 1) << 8 | ZEROS_16;
        *t++ = token(kind + 1, (uint32_t)(k - at), block[k]);
        at = k;
    }
    if (at < 64)
        *t++ = (kind + 1) << 8 | END_OF_BLOCK;
    return t;
}

static uint32_t *put_empty(uint32_t *t, uint32_t kind)
{
    *t++ = kind << 8;
    *t++ = (kind + 1) << 8 | END_OF_BLOCK;
    return t;
}

static uint32_t *put_mcu(uint32_t *t, const struct mr_packed_blocks *b, int32_t mcu, int32_t dc[3])
{
    for (int i = 0; i < b->planes; i++) {
        const struct mr_packed_plane *p = &b->plane[i];
        for (int32_t k = 0; k < p->h * p->v; k++) {
            int32_t x = mcu * p->h + k % p->h, y = k / p->h;
            if (mcu < b->mcus)
                t = put_block(t, p->block[(ptrdiff_t)y * p->stride + x], &dc[i], i ? 2 : 0);
            else
                t = put_empty(t, i ? 2 : 0);
        }
    }
    return t;
}

bool mr__packed_symbols_add(struct mr_packed_symbols *s, const struct mr_packed_blocks *b,
                            int32_t padding)
{
    int32_t dc[3] = {0}, blocks = 0;
    for (int i = 0; i < b->planes; i++)
        blocks += b->plane[i].h * b->plane[i].v;
    size_t most = (size_t)(b->mcus + padding) * (size_t)blocks * BLOCK_TOKENS * sizeof(uint32_t);
    if (!mr__buf_reserve(&s->tokens, most))
        return false;
    uint32_t *from = (uint32_t *)(void *)(s->tokens.data + s->tokens.n), *t = from;
    for (int32_t mcu = 0; mcu < b->mcus + padding; mcu++)
        t = put_mcu(t, b, mcu, dc);
    for (; from < t; from++)
        s->count[*from >> 8 & 3][*from & 255]++;
    s->tokens.n = (size_t)((uint8_t *)t - s->tokens.data);
    uint32_t end = (uint32_t)(s->tokens.n / sizeof(uint32_t));
    return s->tokens.n / sizeof(uint32_t) <= UINT32_MAX &&
           mr__buf_append(&s->ends, &end, sizeof end);
}

/* ---- symbols to bits ------------------------------------------------------------------------- */

struct writer {
    uint8_t *at;
    uint64_t bits; /* the low `n` are still to be written */
    uint32_t n;
};

static inline void put_bits(struct writer *w, uint32_t bits, uint32_t n)
{
    w->bits = w->bits << n | bits;
    w->n += n;
    while (w->n >= 8) {
        w->n -= 8;
        *w->at++ = (uint8_t)(w->bits >> w->n);
    }
}

bool mr__packed_symbols_write(const struct mr_packed_symbols *s, size_t number,
                              const struct mr_packed_write_codes codes[MR_PACKED_KINDS],
                              struct mr_buf *out)
{
    const uint32_t *ends = (const uint32_t *)(const void *)s->ends.data;
    const uint32_t *tokens = (const uint32_t *)(const void *)s->tokens.data;
    uint32_t from = number ? ends[number - 1] : 0, to = ends[number];
    if (!mr__buf_reserve(out, 4 * (size_t)(to - from) + 16))
        return false;
    struct writer w = {.at = out->data + out->n};
    for (uint32_t i = from; i < to; i++) {
        const struct mr_packed_write_codes *c = &codes[tokens[i] >> 8 & 3];
        uint32_t symbol = tokens[i] & 255, size = symbol & 15;
        put_bits(&w, (uint32_t)c->code[symbol] << size | tokens[i] >> 16, c->length[symbol] + size);
    }
    if (w.n)
        put_bits(&w, 0xffu >> w.n, 8 - w.n);
    out->n = (size_t)(w.at - out->data);
    return true;
}

void mr__packed_symbols_free(struct mr_packed_symbols *s)
{
    mr__buf_free(&s->tokens);
    mr__buf_free(&s->ends);
}
