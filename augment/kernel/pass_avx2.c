/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes for AVX2. Across, two rows ride in the two halves of a register, and neighbouring
 * pixels are paired channel by channel (r0 r1 g0 g1 b0 b1), so that one multiply-add does two
 * taps of all channels. Down, rows are paired. Weights come in two halves (axis.h), so
 * there are two multiply-adds.
 */
#include "augment/kernel/passes.h"

#if defined(__x86_64__)
#include "augment/kernel/avx2.h"
#include "augment/kernel/turn.h"

#include <string.h>

/* 16 bytes of each of two rows. */
AVX2_INLINE __m256i load_two(const uint8_t *a, const uint8_t *b)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const void *)a)),
                                   _mm_loadu_si128((const void *)b), 1);
}

/* The same 32 bits everywhere. */
AVX2_INLINE __m256i load_same(const void *p)
{
    int32_t four;

    memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
}

/* Sums of 32 bits in two halves. */
struct sum {
    __m256i hi, lo;
};

AVX2_INLINE __m256i add_product(__m256i sum, __m256i pixels, __m256i k)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pixels, k));
}

AVX2_INLINE void add_pixels(struct sum *s, __m256i pixels, __m256i khi, __m256i klo)
{
    s->hi = add_product(s->hi, pixels, khi);
    s->lo = add_product(s->lo, pixels, klo);
}

/* Twice the sum, rounded down. */
AVX2_INLINE __m256i doubled(struct sum s)
{
    __m256i whole = _mm256_add_epi32(_mm256_slli_epi32(s.hi, MR_COEF_LOW), s.lo);

    return _mm256_srai_epi32(whole, MR_COEF_BITS - 1);
}

/* Doubled sums to 16 bits, halved and rounded; sums below 0 become 0. */
AVX2_INLINE __m256i pack_rounded(__m256i a, __m256i b)
{
    return _mm256_avg_epu16(_mm256_packus_epi32(a, b), _mm256_setzero_si256());
}

static struct mr_coefs coefs_of(int32_t k0, int32_t k1)
{
    int32_t h0 = mr__coef_hi(k0), h1 = mr__coef_hi(k1);

    return (struct mr_coefs){.hi = {(int16_t)h0, (int16_t)h1},
                             .lo = {(int16_t)mr__coef_lo(k0), (int16_t)mr__coef_lo(k1)},
                             .twice = {(int8_t)h0, (int8_t)h1, (int8_t)h0, (int8_t)h1}};
}

bool mr__pack_avx2(struct mr_axis *axis, int c)
{
    size_t n = ((size_t)axis->n + MR_AXIS_GROUP - 1) / MR_AXIS_GROUP * MR_AXIS_GROUP;
    size_t pairs = n * (size_t)axis->taps / 2;

    (void)c;
    if (!mr__scratch(&axis->packed, pairs * sizeof(struct mr_coefs)))
        return false;
    struct mr_coefs *to = axis->packed.p;
    for (size_t i = 0; i < pairs; i++)
        to[i] = coefs_of(axis->k[2 * i], axis->k[2 * i + 1]);
    return true;
}

static bool pack_down(struct mr_axis *axis)
{
    return mr__pack_avx2(axis, 1);
}

struct across {
    const struct mr_axis *axis;
    const uint8_t *const *src;
    __m256i pair01, pair23; /* shuffles: pixels 0 and 1, 2 and 3 of a load, as 16 bits */
    int c;
};

/* The channels of one output pixel, doubled, 32 bits each, of rows 0 and 1, 2 and 3. */
struct four {
    __m256i r01, r23;
};

AVX2_INLINE struct four sum_pixel(const struct across *a, size_t at, const struct mr_coefs *k,
                                  int taps)
{
    const __m256i zero = _mm256_setzero_si256();
    struct sum s01 = {zero, zero}, s23 = {zero, zero};
    int j = 0;

    for (; j < taps; j += 4, k += 2, at += 4 * (size_t)a->c) {
        __m256i p01 = load_two(a->src[0] + at, a->src[1] + at);
        __m256i p23 = load_two(a->src[2] + at, a->src[3] + at);
        __m256i hi = load_same(k->hi), lo = load_same(k->lo);
        add_pixels(&s01, _mm256_shuffle_epi8(p01, a->pair01), hi, lo);
        add_pixels(&s23, _mm256_shuffle_epi8(p23, a->pair01), hi, lo);
        if (j + 2 == taps)
            break;
        hi = load_same(k[1].hi), lo = load_same(k[1].lo);
        add_pixels(&s01, _mm256_shuffle_epi8(p01, a->pair23), hi, lo);
        add_pixels(&s23, _mm256_shuffle_epi8(p23, a->pair23), hi, lo);
    }
    return (struct four){doubled(s01), doubled(s23)};
}

/* Four pixels of two rows as bytes. */
AVX2_INLINE void write_two(__m256i p0, __m256i p1, __m256i p2, __m256i p3, __m256i squeeze,
                           uint8_t *a, uint8_t *b)
{
    __m256i px = _mm256_packus_epi16(pack_rounded(p0, p1), pack_rounded(p2, p3));

    px = _mm256_shuffle_epi8(px, squeeze);
    _mm_storeu_si128((void *)a, _mm256_castsi256_si128(px));
    _mm_storeu_si128((void *)b, _mm256_extracti128_si256(px, 1));
}

enum { GROUP = 4 };

/* Four pixels of four rows at a time; the last group writes into the slack. */
AVX2_INLINE void across_taps(const struct across *a, uint8_t *const out[MR_BAND], int taps)
{
    const __m256i squeeze = _mm256_broadcastsi128_si256(
        a->c == 4 ? _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
                  : _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const int32_t *start = a->axis->start;
    const struct mr_coefs *k = a->axis->packed.p;
    size_t c = (size_t)a->c, n = (size_t)a->axis->n;

    for (size_t i = 0; i < n; i += GROUP, k += GROUP * taps / 2) {
        struct four p[GROUP];
        for (int j = 0; j < GROUP; j++)
            p[j] = sum_pixel(a, (size_t)start[i + (size_t)j] * c, k + j * taps / 2, taps);
        write_two(p[0].r01, p[1].r01, p[2].r01, p[3].r01, squeeze, out[0] + i * c, out[1] + i * c);
        write_two(p[0].r23, p[1].r23, p[2].r23, p[3].r23, squeeze, out[2] + i * c, out[3] + i * c);
    }
}

AVX2_INLINE void across_channels(const struct mr_axis *axis, int c,
                                 const uint8_t *const src[MR_BAND], uint8_t *const out[MR_BAND])
{
    __m128i p01 = c == 4 ? _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1)
                         : _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    __m128i p23 = _mm_add_epi8(
        p01, _mm_and_si128(_mm_cmpgt_epi8(p01, _mm_set1_epi8(-1)), _mm_set1_epi8((char)(2 * c))));
    const struct across a = {.axis = axis,
                             .src = src,
                             .c = c,
                             .pair01 = _mm256_broadcastsi128_si256(p01),
                             .pair23 = _mm256_broadcastsi128_si256(p23)};

    if (axis->taps == 2)
        across_taps(&a, out, 2);
    else if (axis->taps == 4)
        across_taps(&a, out, 4);
    else if (axis->taps == 6)
        across_taps(&a, out, 6);
    else if (axis->taps == 8)
        across_taps(&a, out, 8);
    else
        across_taps(&a, out, axis->taps);
}

enum { GRAY_STEP = sizeof(struct mr_coefs) / 4 };

/* One channel: eight pixels of a row, 32 bits gathered for each (four taps). */
AVX2 static void across_gray(const struct mr_axis *axis, const uint8_t *src, uint8_t *out)
{
    const __m256i low = _mm256_set1_epi32(0xff), lanes = _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0);
    const __m256i rows = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                            _mm256_set1_epi32(axis->taps / 2 * GRAY_STEP));

    for (int32_t i = 0; i < axis->n; i += 8) {
        const struct mr_coefs *k = axis->packed.p;
        __m256i at = _mm256_loadu_si256((const void *)(axis->start + i));
        struct sum s = {_mm256_setzero_si256(), _mm256_setzero_si256()};
        k += (size_t)i * (size_t)axis->taps / 2;
        for (int j = 0; j < axis->taps; j += 2, k++) {
            __m256i p = _mm256_i32gather_epi32((const void *)(src + j), at, 1);
            __m256i pair = _mm256_or_si256(
                _mm256_and_si256(p, low),
                _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(p, 8), low), 16));
            add_pixels(&s, pair, _mm256_i32gather_epi32((const void *)k->hi, rows, 4),
                       _mm256_i32gather_epi32((const void *)k->lo, rows, 4));
        }
        __m256i sum = pack_rounded(doubled(s), _mm256_setzero_si256());
        sum = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(sum, sum), lanes);
        _mm_storel_epi64((void *)(out + i), _mm256_castsi256_si128(sum));
    }
}

AVX2 void mr__across_avx2(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                          uint8_t *const out[MR_BAND])
{
    if (c == 3)
        across_channels(axis, 3, src, out);
    else if (c == 4)
        across_channels(axis, 4, src, out);
    else
        for (int row = 0; row < MR_BAND; row++)
            across_gray(axis, src[row], out[row]);
}

/* Sums of bytes 0-7|16-23 (hi0; low halves in lo[0], lo[1]) and 8-15|24-31. */
struct sums {
    __m256i hi0, hi1, lo[4];
};

/* Adds two rows' 32 bytes, times their coefficients. Sums of hi are 16 bits: the rest of them would
 * be shifted out. */
AVX2_INLINE void add_pair(struct sums *s, const uint8_t *row0, const uint8_t *row1,
                          const struct mr_coefs *k)
{
    const __m256i zero = _mm256_setzero_si256(), lo = load_same(k->lo), hi = load_same(k->twice);
    __m256i p = _mm256_loadu_si256((const void *)row0);
    __m256i q = _mm256_loadu_si256((const void *)row1);
    __m256i a = _mm256_unpacklo_epi8(p, q), b = _mm256_unpackhi_epi8(p, q);

    s->hi0 = _mm256_add_epi16(s->hi0, _mm256_maddubs_epi16(a, hi));
    s->hi1 = _mm256_add_epi16(s->hi1, _mm256_maddubs_epi16(b, hi));
    s->lo[0] = add_product(s->lo[0], _mm256_unpacklo_epi8(a, zero), lo);
    s->lo[1] = add_product(s->lo[1], _mm256_unpackhi_epi8(a, zero), lo);
    s->lo[2] = add_product(s->lo[2], _mm256_unpacklo_epi8(b, zero), lo);
    s->lo[3] = add_product(s->lo[3], _mm256_unpackhi_epi8(b, zero), lo);
}

AVX2_INLINE __m256i pack_half(__m256i hi, __m256i lo0, __m256i lo1)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i a = _mm256_add_epi32(_mm256_unpacklo_epi16(zero, hi), lo0);
    __m256i b = _mm256_add_epi32(_mm256_unpackhi_epi16(zero, hi), lo1);

    return pack_rounded(_mm256_srai_epi32(a, MR_COEF_BITS - 1),
                        _mm256_srai_epi32(b, MR_COEF_BITS - 1));
}

AVX2_INLINE void down_taps(const uint8_t *const *rows, const struct mr_coefs *k, int taps, int n,
                           uint8_t *out)
{
    const __m256i zero = _mm256_setzero_si256();

    for (int i = 0; i < n; i += 32) {
        struct sums s = {zero, zero, {zero, zero, zero, zero}};
        for (int j = 0; j < taps; j += 2)
            add_pair(&s, rows[j] + i, rows[j + 1] + i, k + j / 2);
        __m256i a = pack_half(s.hi0, s.lo[0], s.lo[1]), b = pack_half(s.hi1, s.lo[2], s.lo[3]);
        _mm256_storeu_si256((void *)(out + i), _mm256_packus_epi16(a, b));
    }
}

AVX2 static void down(const struct mr_axis *axis, int32_t y, const uint8_t *const *rows, int n,
                      uint8_t *out)
{
    const struct mr_coefs *k = axis->packed.p;
    int taps = (axis->used[y] + 1) & ~1;

    k += (size_t)y * (size_t)axis->taps / 2;
    if (taps == 2)
        down_taps(rows, k, 2, n, out);
    else if (taps == 4)
        down_taps(rows, k, 4, n, out);
    else
        down_taps(rows, k, taps, n, out);
}

AVX2 static void turn(int c, size_t n, const uint8_t *src, uint8_t *out)
{
    enum { VECTOR = 16 };
    static const uint8_t places[][VECTOR] = MR_TURN_PLACES_16;
    const __m128i turned = _mm_loadu_si128((const void *)places[c - 1]);
    size_t left = n * (size_t)c, step = (size_t)(VECTOR / c * c);

    for (; left >= VECTOR; left -= step, out += step) {
        __m128i px = _mm_loadu_si128((const void *)(src + left - VECTOR));
        _mm_storeu_si128((void *)out, _mm_shuffle_epi8(px, turned));
    }
    mr__turn_plain(c, left / (size_t)c, src, out);
}

const struct mr_kernel mr__kernel_avx2 = {
    .name = "avx2",
    .level = MR_CPU_AVX2,
    .pack_across = mr__pack_avx2,
    .pack_down = pack_down,
    .across = mr__across_avx2,
    .down = down,
    .turn = turn,
    .put = mr__put_avx2,
};
#endif
