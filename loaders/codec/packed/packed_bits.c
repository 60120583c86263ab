/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_bits.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { ZEROS_16 = 0xf0, END_OF_BLOCK = 0, BLOCK_TOKENS = 64 + 1 };

/* ---- blocks to symbols ----------------------------------------------------------------------- */

/* A value's bits << 16 and how many there are: a negative value is written one less, without its
 * sign. */
#define SIZE(v) ((v) ? 32u - (uint32_t)__builtin_clz((uint32_t)((v) < 0 ? -(v) : (v)) | !(v)) : 0u)
#define VALUE(v) (((uint32_t)((v) < 0 ? (v)-1 : (v)) & ((1u << SIZE(v)) - 1)) << 16 | SIZE(v))
#define VALUES_4(v) VALUE(v), VALUE((v) + 1), VALUE((v) + 2), VALUE((v) + 3)
#define VALUES_16(v) VALUES_4(v), VALUES_4((v) + 4), VALUES_4((v) + 8), VALUES_4((v) + 12)
#define VALUES_64(v) VALUES_16(v), VALUES_16((v) + 16), VALUES_16((v) + 32), VALUES_16((v) + 48)
#define VALUES_256(v) VALUES_64(v), VALUES_64((v) + 64), VALUES_64((v) + 128), VALUES_64((v) + 192)
#define VALUES_1K(v) \
    VALUES_256(v), VALUES_256((v) + 256), VALUES_256((v) + 512), VALUES_256((v) + 768)
/* Differences of two DC coefficients are smaller. Others come from damaged bodies alone: they are
 * taken for something that is in the table, and make no code longer than writing allows for. */
enum { MOST = 2048 };
static const uint32_t values[2 * MOST] = {VALUES_1K(-2048), VALUES_1K(-1024), VALUES_1K(0),
                                          VALUES_1K(1024)};

static inline uint32_t token(uint32_t kind, uint32_t zeros, int32_t v)
{
    return values[(uint32_t)(v + MOST) % (2 * MOST)] | kind << 8 | zeros << 4;
}

/* A bit for each coefficient that is not 0. */
static inline uint64_t mask_of(const int16_t block[64])
{
    uint64_t mask = 0;
#ifdef __SSE2__
    for (int i = 0; i < 64; i += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(block + i));
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(block + i + 8));
        __m128i none = _mm_cmpeq_epi8(_mm_packs_epi16(a, b), _mm_setzero_si128());
        mask |= (uint64_t)(uint16_t)~_mm_movemask_epi8(none) << i;
    }
#else
    for (int i = 0; i < 64; i++)
        mask |= (uint64_t)(block[i] != 0) << i;
#endif
    return mask;
}

static inline uint32_t *put_block(uint32_t *t, const int16_t block[64], int32_t *dc, uint32_t kind)
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
    *t = (kind + 1) << 8 | END_OF_BLOCK;
    return t + (at < 64);
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

/* Neighbours are counted apart: one that is like the one before would wait for it. */
static void count(struct mr_packed_symbols *s, const uint32_t *from, const uint32_t *to)
{
    for (; from + 1 < to; from += 2) {
        s->count[from[0] >> 8 & 3][from[0] & 255]++;
        s->count_odd[from[1] >> 8 & 3][from[1] & 255]++;
    }
    if (from < to)
        s->count[*from >> 8 & 3][*from & 255]++;
}

void mr__packed_symbols_counts(const struct mr_packed_symbols *s, int kind, uint32_t counts[256])
{
    for (int i = 0; i < 256; i++)
        counts[i] = s->count[kind][i] + s->count_odd[kind][i];
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
    count(s, from, t);
    s->tokens.n = (size_t)((uint8_t *)t - s->tokens.data);
    uint32_t end = (uint32_t)(s->tokens.n / sizeof(uint32_t));
    return s->tokens.n / sizeof(uint32_t) <= UINT32_MAX &&
           mr__buf_append(&s->ends, &end, sizeof end);
}

/* ---- symbols to bits ------------------------------------------------------------------------- */

struct writer {
    uint8_t *at;
    uint64_t bits; /* from the top: those of the byte at `at` so far */
    uint32_t n;    /* so many, less than 8 */
};

/* 56 bits at most; 8 bytes are written, of which those count that are complete. */
static inline void put_bits(struct writer *w, uint64_t bits, uint32_t n)
{
    w->bits |= bits << (64 - n - w->n);
    w->n += n;
    uint64_t big = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(w->bits) : w->bits;
    memcpy(w->at, &big, sizeof big);
    w->at += w->n / 8;
    w->bits <<= w->n & 56;
    w->n %= 8;
}

/* A token's code and value, and how many bits that are: 28 at most. */
static inline uint64_t bits_of(const struct mr_packed_write_codes *codes, uint32_t token,
                               uint32_t *n)
{
    uint32_t entry = codes[token >> 8 & 3].entry[token & 255];
    *n = entry & 31;
    return entry >> 5 | token >> 16;
}

bool mr__packed_symbols_write(const struct mr_packed_symbols *s, size_t number,
                              const struct mr_packed_write_codes codes[MR_PACKED_KINDS],
                              struct mr_buf *out)
{
    const uint32_t *ends = (const uint32_t *)(const void *)s->ends.data;
    const uint32_t *tokens = (const uint32_t *)(const void *)s->tokens.data;
    uint32_t i = number ? ends[number - 1] : 0, to = ends[number], n, m;
    if (!mr__buf_reserve(out, 4 * (size_t)(to - i) + 16))
        return false;
    struct writer w = {.at = out->data + out->n};
    for (; i + 1 < to; i += 2) {
        uint64_t first = bits_of(codes, tokens[i], &n), second = bits_of(codes, tokens[i + 1], &m);
        put_bits(&w, first << m | second, n + m);
    }
    if (i < to) {
        uint64_t last = bits_of(codes, tokens[i], &n);
        put_bits(&w, last, n);
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
