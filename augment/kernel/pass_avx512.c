/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes for AVX-512 with VBMI and VNNI. A weight is three signed bytes, so that one
 * instruction multiplies four neighbouring inputs by four weights and adds them up, and three of
 * them, each 8 bits further down than the one before, make the exact sum of 32 bits. Two inputs are
 * 16-bit products of a weight's halves (axis.h) instead, which is one instruction less.
 *
 * Across, one load of 64 bytes holds all inputs of a group of output pixels: 16 gray, 5 RGB or 4
 * RGBA ones. A table made once per axis says where in these bytes the inputs of each lie.
 */
#include "augment/kernel/passes.h"

#if defined(__x86_64__)
#include "augment/kernel/avx2.h"
#include "augment/kernel/avx512.h"
#include "augment/kernel/axis_loops.h"
#include "augment/kernel/turn.h"

#include <string.h>

enum { LANES = 16, VECTOR = 64, BYTES = 3 /* of a weight */ };

#define ROUND (1 << (MR_COEF_BITS - 1))
#define ROUND_BYTES (ROUND >> 16) /* in a sum that is shifted by 16 yet */

AVX512_INLINE __m512i load(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* The same 32 bits everywhere. */
AVX512_INLINE __m512i same(const int32_t *p)
{
    return _mm512_set1_epi32(*p);
}

/* The lowest byte of each 32 bits, signed; what is above it goes down. */
AVX512_INLINE __m512i cut_byte(__m512i *k)
{
    __m512i low = _mm512_srai_epi32(_mm512_slli_epi32(*k, 24), 24);

    *k = _mm512_srai_epi32(_mm512_sub_epi32(*k, low), 8);
    return low;
}

/* 16 weights to the 16 bytes of each of the three places, the highest first. */
AVX512_INLINE void split(__m512i k, __m128i bytes[BYTES])
{
    bytes[2] = _mm512_cvtepi32_epi8(cut_byte(&k));
    bytes[1] = _mm512_cvtepi32_epi8(cut_byte(&k));
    bytes[0] = _mm512_cvtepi32_epi8(k);
}

/* 16 sums in four registers (or 16 of each of four rows) to bytes: 0-3 of each, 4-7 of each, ... */
AVX512_INLINE __m512i pack_sums(const __m512i s[4])
{
    __m512i a = _mm512_packus_epi32(_mm512_srai_epi32(s[0], MR_COEF_BITS),
                                    _mm512_srai_epi32(s[1], MR_COEF_BITS));
    __m512i b = _mm512_packus_epi32(_mm512_srai_epi32(s[2], MR_COEF_BITS),
                                    _mm512_srai_epi32(s[3], MR_COEF_BITS));

    return _mm512_packus_epi16(a, b);
}

/* ---- the tables across ---- */

/* axis->packed: where the loads of the groups begin, then for each group the places of its inputs
 * in a load, and its weights: of two inputs in two halves, or of each four inputs in three bytes.
 */
struct table {
    int groups, size; /* pixels of a group */
    int fours;        /* loads for a group, four inputs each; 0: two inputs */
    int32_t *at;      /* in bytes of a source row */
    uint8_t *body;
    size_t stride;
};

static struct table table_of(const struct mr_axis *axis, int c)
{
    struct table t = {.size = LANES / c, .fours = axis->taps == 2 ? 0 : (axis->taps + 3) / 4};

    t.groups = (axis->n + t.size - 1) / t.size;
    t.stride = VECTOR * (size_t)(t.fours ? 1 + BYTES * t.fours : 3);
    return t;
}

static void place(struct table *t, const struct mr_axis *axis)
{
    t->at = axis->packed.p;
    t->body = (uint8_t *)axis->packed.p + ((size_t)t->groups * sizeof *t->at + 63) / 64 * 64;
}

/* axis->packing: two inputs or each four of a group in a load, or too far apart for that. */
enum { TWOS, FOURS, FAR };

/* Where a group's load begins; -1 when 64 bytes do not hold four (two) inputs of each pixel. */
static int32_t group_start(const struct mr_axis *axis, const struct table *t, int g, int c)
{
    int32_t first = g * t->size, last = first + t->size - 1;

    last = last < axis->n ? last : axis->n - 1;
    int32_t a = axis->start[first], b = axis->start[last], low = a < b ? a : b;
    int32_t high = a < b ? b : a;
    return (high - low + (t->fours ? 4 : 2)) * c <= VECTOR ? low : -1;
}

/* The pixel of each of the 16 lanes of a group. */
AVX512_INLINE __m512i lane_pixels(int c)
{
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    return c == 1   ? lane
           : c == 4 ? _mm512_srli_epi32(lane, 2)
                    : _mm512_setr_epi32(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4);
}

/* The bytes of each lane for a pixel that starts at 0: inputs 0 to 3 of its channel, or 0, -, 1, -.
 */
AVX512_INLINE __m512i lane_bytes(int c, bool fours)
{
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i first =
        _mm512_sub_epi32(lane, _mm512_mullo_epi32(lane_pixels(c), _mm512_set1_epi32(c)));
    int steps = fours ? c << 8 | 2 * c << 16 | 3 * c << 24 : c << 16;

    if (c == 3) /* the last lane is left over */
        first = _mm512_maskz_mov_epi32(0x7fff, first);
    return _mm512_add_epi32(_mm512_mullo_epi32(first, _mm512_set1_epi32(0x01010101)),
                            _mm512_set1_epi32(steps));
}

/* One group's places and weights. */
AVX512_INLINE void fill_group(const struct mr_axis *axis, const struct table *t, int g, int c)
{
    const __m512i pixel = lane_pixels(c);
    int32_t first = g * t->size, left = axis->n - first, taps = axis->taps;
    __mmask16 real = (__mmask16)((1u << (left < t->size ? left : t->size)) - 1);
    uint8_t *to = t->body + (size_t)g * t->stride;
    _Alignas(64) int32_t k[BYTES][LANES];

    __m512i start = _mm512_maskz_loadu_epi32(real, axis->start + first);
    start = _mm512_mullo_epi32(_mm512_sub_epi32(start, _mm512_set1_epi32(t->at[g] / c)),
                               _mm512_set1_epi32(c * 0x01010101));
    start = _mm512_maskz_mov_epi32(real, start);
    _mm512_store_si512(
        to, _mm512_add_epi32(_mm512_permutexvar_epi32(pixel, start), lane_bytes(c, t->fours > 0)));
    memset(k, 0, sizeof k);
    for (int q = 0; q < (t->fours ? t->fours : 1); q++) {
        to += VECTOR;
        for (int i = 0; i < t->size && i < left; i++) {
            const int32_t *row = axis->k + (size_t)(first + i) * (size_t)taps + 4 * q;
            __mmask16 some = (__mmask16)(taps - 4 * q < 4 ? 3 : 15);
            __m512i w = _mm512_maskz_loadu_epi32(some, row);
            if (t->fours) {
                __m128i bytes[BYTES];
                split(w, bytes);
                for (int b = 0; b < BYTES; b++)
                    k[b][i] = _mm_cvtsi128_si32(bytes[b]);
            } else {
                k[0][i] =
                    (mr__coef_hi(row[0]) & 0xffff) | (int32_t)((uint32_t)mr__coef_hi(row[1]) << 16);
                k[1][i] =
                    (mr__coef_lo(row[0]) & 0xffff) | (int32_t)((uint32_t)mr__coef_lo(row[1]) << 16);
            }
        }
        for (int b = 0; b < (t->fours ? BYTES : 2); b++)
            _mm512_store_si512(to + VECTOR * b, _mm512_permutexvar_epi32(pixel, load(k[b])));
        to += VECTOR * (BYTES - 1);
    }
}

AVX512 static void fill_table(const struct mr_axis *axis, const struct table *t, int c)
{
    for (int g = 0; g < t->groups; g++) {
        if (c == 3)
            fill_group(axis, t, g, 3);
        else if (c == 4)
            fill_group(axis, t, g, 4);
        else
            fill_group(axis, t, g, 1);
    }
}

/* What is too far apart for one load goes the way of AVX2. */
static bool pack_across(struct mr_axis *axis, int c)
{
    struct table t = table_of(axis, c);
    size_t heads = VECTOR * ((size_t)t.groups / LANES + 1);

    if (!mr__scratch(&axis->packed, heads + (size_t)t.groups * t.stride))
        return false;
    place(&t, axis);
    axis->packing = t.fours ? FOURS : TWOS;
    for (int g = 0; g < t.groups; g++) {
        t.at[g] = group_start(axis, &t, g, c) * c;
        if (t.at[g] < 0) {
            axis->packing = FAR;
            return mr__pack_avx2(axis, c);
        }
    }
    fill_table(axis, &t, c);
    return true;
}

/* ---- across ---- */

struct across {
    const uint8_t *const *src;
    uint8_t *const *out;
};

AVX512_INLINE __m512i dot(__m512i sum, __m512i pixels, __m512i k)
{
    return _mm512_dpbusd_epi32(sum, pixels, k);
}

/* Lanes of four rows to 16 bytes of each. */
AVX512_INLINE void write_rows(const __m512i sum[MR_BAND], uint8_t *const out[MR_BAND], size_t at)
{
    const __m512i turn = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i all = _mm512_permutexvar_epi32(turn, pack_sums(sum));

    _mm_storeu_si128((void *)(out[0] + at), _mm512_castsi512_si128(all));
    _mm_storeu_si128((void *)(out[1] + at), _mm512_extracti32x4_epi32(all, 1));
    _mm_storeu_si128((void *)(out[2] + at), _mm512_extracti32x4_epi32(all, 2));
    _mm_storeu_si128((void *)(out[3] + at), _mm512_extracti32x4_epi32(all, 3));
}

AVX512_INLINE void group_twos(const uint8_t *const src[MR_BAND], size_t at, const uint8_t *body,
                              __m512i sum[MR_BAND])
{
    const __m512i pick = load(body), hi = load(body + VECTOR), lo = load(body + 2 * VECTOR);
    const __mmask64 low = 0x5555555555555555;

    for (int r = 0; r < MR_BAND; r++) {
        __m512i p = _mm512_maskz_permutexvar_epi8(low, pick, load(src[r] + at));
        __m512i s = _mm512_dpwssd_epi32(_mm512_set1_epi32(ROUND_BYTES), p, hi);
        sum[r] = _mm512_dpwssd_epi32(_mm512_slli_epi32(s, MR_COEF_LOW), p, lo);
    }
}

AVX512_INLINE void group_four(const uint8_t *const src[MR_BAND], size_t at, const uint8_t *body,
                              __m512i sum[MR_BAND])
{
    const __m512i pick = load(body), k2 = load(body + VECTOR), k1 = load(body + 2 * VECTOR);
    const __m512i k0 = load(body + 3 * VECTOR);

    for (int r = 0; r < MR_BAND; r++) {
        __m512i p = _mm512_permutexvar_epi8(pick, load(src[r] + at));
        __m512i s = dot(_mm512_set1_epi32(ROUND_BYTES), p, k2);
        s = dot(_mm512_slli_epi32(s, 8), p, k1);
        sum[r] = dot(_mm512_slli_epi32(s, 8), p, k0);
    }
}

AVX512_INLINE void group_fours(const uint8_t *const src[MR_BAND], size_t at, const uint8_t *body,
                               int fours, int c, __m512i sum[MR_BAND])
{
    const __m512i pick = load(body);
    __m512i s2[MR_BAND], s1[MR_BAND], s0[MR_BAND];

    for (int r = 0; r < MR_BAND; r++) {
        s2[r] = _mm512_set1_epi32(ROUND_BYTES);
        s1[r] = s0[r] = _mm512_setzero_si512();
    }
    for (int q = 0; q < fours; q++, at += 4 * (size_t)c, body += BYTES * VECTOR) {
        const __m512i k2 = load(body + VECTOR), k1 = load(body + 2 * VECTOR);
        const __m512i k0 = load(body + 3 * VECTOR);
        for (int r = 0; r < MR_BAND; r++) {
            __m512i p = _mm512_permutexvar_epi8(pick, load(src[r] + at));
            s2[r] = dot(s2[r], p, k2);
            s1[r] = dot(s1[r], p, k1);
            s0[r] = dot(s0[r], p, k0);
        }
    }
    for (int r = 0; r < MR_BAND; r++) {
        __m512i s = _mm512_add_epi32(_mm512_slli_epi32(s2[r], 8), s1[r]);
        sum[r] = _mm512_add_epi32(_mm512_slli_epi32(s, 8), s0[r]);
    }
}

/* The last group writes into the slack. */
AVX512_INLINE void across_groups(const struct mr_axis *axis, int c, int fours,
                                 const uint8_t *const src[MR_BAND], uint8_t *const out[MR_BAND])
{
    struct table t = table_of(axis, c);
    const size_t step = (size_t)(t.size * c);
    const uint8_t *body;

    place(&t, axis);
    body = t.body;
    for (int g = 0; g < t.groups; g++, body += t.stride) {
        __m512i sum[MR_BAND];
        if (fours == 0)
            group_twos(src, (size_t)t.at[g], body, sum);
        else if (fours == 1)
            group_four(src, (size_t)t.at[g], body, sum);
        else
            group_fours(src, (size_t)t.at[g], body, t.fours, c, sum);
        write_rows(sum, out, (size_t)g * step);
    }
}

AVX512_INLINE void across_channels(const struct mr_axis *axis, int c,
                                   const uint8_t *const src[MR_BAND], uint8_t *const out[MR_BAND])
{
    if (axis->packing == TWOS)
        across_groups(axis, c, 0, src, out);
    else if (axis->taps <= 4)
        across_groups(axis, c, 1, src, out);
    else
        across_groups(axis, c, 2, src, out);
}

AVX512 static void across(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                          uint8_t *const out[MR_BAND])
{
    if (axis->packing == FAR)
        mr__across_avx2(axis, c, src, out);
    else if (c == 3)
        across_channels(axis, 3, src, out);
    else if (c == 4)
        across_channels(axis, 4, src, out);
    else
        across_channels(axis, 1, src, out);
}

/* ---- down ---- */

/* axis->packed: for each output the weights of each four rows in three bytes; where two rows count,
 * in two halves. */
static size_t down_stride(const struct mr_axis *axis)
{
    return BYTES * (size_t)((axis->taps + 3) / 4);
}

static int32_t two_halves(int32_t a, int32_t b)
{
    return (int32_t)(((uint32_t)a & 0xffff) | (uint32_t)b << 16);
}

AVX512 static bool pack_down(struct mr_axis *axis)
{
    size_t stride = down_stride(axis), taps = (size_t)axis->taps;

    if (!mr__scratch(&axis->packed, (size_t)axis->n * stride * sizeof(int32_t)))
        return false;
    for (size_t y = 0; y < (size_t)axis->n; y++) {
        int32_t *to = (int32_t *)axis->packed.p + y * stride;
        const int32_t *k = axis->k + y * taps;
        if (axis->used[y] <= 2) {
            to[0] = two_halves(mr__coef_hi(k[0]), mr__coef_hi(k[1]));
            to[1] = two_halves(mr__coef_lo(k[0]), mr__coef_lo(k[1]));
            continue;
        }
        for (size_t j = 0; j < taps; j += 4, to += BYTES) {
            __m128i bytes[BYTES];
            split(_mm512_maskz_loadu_epi32((__mmask16)(taps - j < 4 ? 3 : 15), k + j), bytes);
            for (int b = 0; b < BYTES; b++)
                to[b] = _mm_cvtsi128_si32(bytes[b]);
        }
    }
    return true;
}

/* 64 bytes of two rows as pairs of 16 bits. In each 128 bits: columns 0-3, 4-7, 8-11, 12-15. */
AVX512_INLINE void pair_rows(const uint8_t *const *rows, size_t at, __m512i p[4])
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i a = load(rows[0] + at), b = load(rows[1] + at);
    __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);

    p[0] = _mm512_unpacklo_epi8(low, zero);
    p[1] = _mm512_unpackhi_epi8(low, zero);
    p[2] = _mm512_unpacklo_epi8(high, zero);
    p[3] = _mm512_unpackhi_epi8(high, zero);
}

/* The same of four rows, four bytes of a column side by side. */
AVX512_INLINE void zip_rows(const uint8_t *const *rows, size_t at, __m512i p[4])
{
    __m512i a = load(rows[0] + at), b = load(rows[1] + at);
    __m512i c = load(rows[2] + at), d = load(rows[3] + at);
    __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d);
    __m512i ef = _mm512_unpackhi_epi8(a, b), gh = _mm512_unpackhi_epi8(c, d);

    p[0] = _mm512_unpacklo_epi16(ab, cd);
    p[1] = _mm512_unpackhi_epi16(ab, cd);
    p[2] = _mm512_unpacklo_epi16(ef, gh);
    p[3] = _mm512_unpackhi_epi16(ef, gh);
}

AVX512_INLINE void down_two(const uint8_t *const *rows, const int32_t *k, size_t n, uint8_t *out)
{
    const __m512i hi = same(k), lo = same(k + 1);

    for (size_t at = 0; at < n; at += VECTOR) {
        __m512i s[4];
        pair_rows(rows, at, s);
        for (int i = 0; i < 4; i++) {
            __m512i sum = _mm512_dpwssd_epi32(_mm512_set1_epi32(ROUND_BYTES), s[i], hi);
            s[i] = _mm512_dpwssd_epi32(_mm512_slli_epi32(sum, MR_COEF_LOW), s[i], lo);
        }
        _mm512_storeu_si512(out + at, pack_sums(s));
    }
}

AVX512_INLINE void down_four(const uint8_t *const *rows, const int32_t *k, size_t n, uint8_t *out)
{
    const __m512i k2 = same(k), k1 = same(k + 1), k0 = same(k + 2);

    for (size_t at = 0; at < n; at += VECTOR) {
        __m512i s[4];
        zip_rows(rows, at, s);
        for (int i = 0; i < 4; i++) {
            __m512i sum = dot(_mm512_set1_epi32(ROUND_BYTES), s[i], k2);
            sum = dot(_mm512_slli_epi32(sum, 8), s[i], k1);
            s[i] = dot(_mm512_slli_epi32(sum, 8), s[i], k0);
        }
        _mm512_storeu_si512(out + at, pack_sums(s));
    }
}

AVX512_INLINE void down_fours(const uint8_t *const *rows, const int32_t *k, int used, size_t n,
                              uint8_t *out)
{
    for (size_t at = 0; at < n; at += VECTOR) {
        __m512i s[4], s2[4], s1[4], s0[4];
        for (int i = 0; i < 4; i++) {
            s2[i] = _mm512_set1_epi32(ROUND_BYTES);
            s1[i] = s0[i] = _mm512_setzero_si512();
        }
        for (int j = 0; j < used; j += 4) {
            const int32_t *kj = k + BYTES * (j / 4);
            zip_rows(rows + j, at, s);
            for (int i = 0; i < 4; i++) {
                s2[i] = dot(s2[i], s[i], same(kj));
                s1[i] = dot(s1[i], s[i], same(kj + 1));
                s0[i] = dot(s0[i], s[i], same(kj + 2));
            }
        }
        for (int i = 0; i < 4; i++) {
            __m512i sum = _mm512_add_epi32(_mm512_slli_epi32(s2[i], 8), s1[i]);
            s[i] = _mm512_add_epi32(_mm512_slli_epi32(sum, 8), s0[i]);
        }
        _mm512_storeu_si512(out + at, pack_sums(s));
    }
}

AVX512 static void down(const struct mr_axis *axis, int32_t y, const uint8_t *const *rows, int n,
                        uint8_t *out)
{
    const int32_t *k = (const int32_t *)axis->packed.p + (size_t)y * down_stride(axis);
    int used = axis->used[y];

    if (used <= 2)
        down_two(rows, k, (size_t)n, out);
    else if (used <= 4)
        down_four(rows, k, (size_t)n, out);
    else
        down_fours(rows, k, used, (size_t)n, out);
}

/* ---- the other way round ---- */

AVX512 static void turn(int c, size_t n, const uint8_t *src, uint8_t *out)
{
    static const uint8_t places[][VECTOR] = MR_TURN_PLACES_64;
    __m512i turned = load(places[c - 1]);
    size_t left = n * (size_t)c, step = (size_t)(VECTOR / c * c);

    for (; left >= VECTOR; left -= step, out += step)
        _mm512_storeu_si512(out, _mm512_permutexvar_epi8(turned, load(src + left - VECTOR)));
    __mmask64 some = ((__mmask64)1 << left) - 1;
    turned = _mm512_sub_epi8(turned, _mm512_set1_epi8((char)(VECTOR - left)));
    __m512i px = _mm512_maskz_loadu_epi8(some, src);
    _mm512_mask_storeu_epi8(out, some, _mm512_permutexvar_epi8(turned, px));
}

/* ---- the tables of an axis ---- */

AVX512 static int32_t heads(const struct mr_axis_line *line, int32_t *start, int32_t *used)
{
    return mr__axis_heads(line, start, used);
}

AVX512 static void few(const struct mr_axis_line *line, const int32_t *start, const int32_t *used,
                       int32_t taps, int32_t *k)
{
    mr__axis_few(line, start, used, taps, k);
}

static const struct mr_axis_loops loops = {heads, few};

const struct mr_kernel mr__kernel_avx512 = {
    .name = "avx512",
    .level = MR_CPU_AVX512,
    .flags = MR_CPU_VBMI | MR_CPU_VNNI,
    .loops = &loops,
    .pack_across = pack_across,
    .pack_down = pack_down,
    .across = across,
    .down = down,
    .turn = turn,
    .put = mr__put_avx512,
    .fence = mr__fence_avx512,
};
#endif
