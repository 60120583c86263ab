/* SPDX-License-Identifier: Apache-2.0
 *
 * Colour for AVX-512: 64 pixels at a time, even and odd ones apart as in colour_avx2.c. VBMI's byte
 * permutation takes any byte of a channel to where it belongs; a mask says which bytes of the
 * result are this channel's.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

enum { STEP = 64 };

AVX512_INLINE __m512i load(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

/* Bytes [at, at + 64) of `all`, as far as there are such. */
AVX512_INLINE void store(uint8_t *out, __m512i v, size_t at, size_t all)
{
    if (at + STEP <= all)
        _mm512_storeu_si512(out + at, v);
    else if (at < all)
        _mm512_mask_storeu_epi8(out + at, (UINT64_C(1) << (all - at)) - 1, v);
}

/* Of each lane's 16 pixels: 16 bits each of the even ones and of the odd ones. */
struct halves {
    __m512i even, odd;
};

AVX512_INLINE struct halves apart(__m512i v)
{
    return (struct halves){_mm512_and_si512(v, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(v, 8)};
}

/* 2 * (v - 128). */
AVX512_INLINE struct halves twice_centred(__m512i v)
{
    __m512i s = _mm512_xor_si512(v, _mm512_set1_epi8(-128));
    __m512i odd = _mm512_and_si512(s, _mm512_set1_epi16((short)0xff00));

    return (struct halves){_mm512_srai_epi16(_mm512_slli_epi16(s, 8), 7),
                           _mm512_srai_epi16(odd, 7)};
}

AVX512_INLINE __m512i plus_scaled(__m512i y, __m512i twice, int factor)
{
    return _mm512_add_epi16(y, _mm512_mulhrs_epi16(twice, _mm512_set1_epi16((short)factor)));
}

AVX512_INLINE __m512i green_part(__m512i pairs)
{
    __m512i half = _mm512_set1_epi32(1 << 15), k = _mm512_set1_epi32(MR_GREEN_PAIR);

    return _mm512_srai_epi32(_mm512_dpwssd_epi32(half, pairs, k), 16);
}

AVX512_INLINE __m512i green_of(__m512i y, __m512i cb2, __m512i cr2)
{
    __m512i low = green_part(_mm512_unpacklo_epi16(cb2, cr2));
    __m512i high = green_part(_mm512_unpackhi_epi16(cb2, cr2));

    return _mm512_add_epi16(y, _mm512_packs_epi32(low, high));
}

/* Bytes; each lane has its even pixels and then its odd ones. */
struct planes {
    __m512i r, g, b;
};

AVX512_INLINE struct planes convert(const uint8_t *y, const uint8_t *cb, const uint8_t *cr)
{
    struct halves l = apart(load(y)), b = twice_centred(load(cb)), r = twice_centred(load(cr));

    return (struct planes){
        _mm512_packus_epi16(plus_scaled(l.even, r.even, MR_CR_RED),
                            plus_scaled(l.odd, r.odd, MR_CR_RED)),
        _mm512_packus_epi16(green_of(l.even, b.even, r.even), green_of(l.odd, b.odd, r.odd)),
        _mm512_packus_epi16(plus_scaled(l.even, b.even, MR_CB_BLUE),
                            plus_scaled(l.odd, b.odd, MR_CB_BLUE)),
    };
}

/* Where in `planes` the pixel of byte k of the result is; where in a row of gray it is. */
#define IN_LANES(p) ((p) / 16 * 16 + (p) % 2 * 8 + (p) % 16 / 2)
#define THREE(k) IN_LANES((k) / 3)
#define FOUR(k) IN_LANES((k) / 4)
#define GRAY3(k) ((k) / 3)
#define GRAY4(k) ((k) / 4)
#define EIGHT(f, k) f(k), f(k + 1), f(k + 2), f(k + 3), f(k + 4), f(k + 5), f(k + 6), f(k + 7)
#define ALL(f, k)                                                                           \
    {                                                                                       \
        EIGHT(f, k), EIGHT(f, k + 8), EIGHT(f, k + 16), EIGHT(f, k + 24), EIGHT(f, k + 32), \
            EIGHT(f, k + 40), EIGHT(f, k + 48), EIGHT(f, k + 56),                           \
    }
static const _Alignas(64) uint8_t rgb_at[3][64] = {ALL(THREE, 0), ALL(THREE, 64), ALL(THREE, 128)};
static const _Alignas(64) uint8_t rgba_at[4][64] = {ALL(FOUR, 0), ALL(FOUR, 64), ALL(FOUR, 128),
                                                    ALL(FOUR, 192)};
static const _Alignas(64) uint8_t gray_at3[3][64] = {ALL(GRAY3, 0), ALL(GRAY3, 64),
                                                     ALL(GRAY3, 128)};
static const _Alignas(64) uint8_t gray_at4[4][64] = {ALL(GRAY4, 0), ALL(GRAY4, 64), ALL(GRAY4, 128),
                                                     ALL(GRAY4, 192)};

/* Of 64 bytes, every third from byte `first` on; the fourth of four. */
#define THIRD(first) (UINT64_C(0x9249249249249249) << (first))
#define FOURTH(first) (UINT64_C(0x1111111111111111) << (first))

/* 64 bytes of the result: green's and blue's lie in these masks, the rest is red's. */
AVX512_INLINE __m512i woven(const struct planes *p, const uint8_t *at, __mmask64 green,
                            __mmask64 blue)
{
    __m512i from = _mm512_load_si512(at);
    __m512i v = _mm512_permutexvar_epi8(from, p->r);

    v = _mm512_mask_permutexvar_epi8(v, green, from, p->g);
    return _mm512_mask_permutexvar_epi8(v, blue, from, p->b);
}

AVX512_INLINE void put_rgb(uint8_t *out, const struct planes *p, size_t left)
{
    store(out, woven(p, rgb_at[0], THIRD(1), THIRD(2)), 0, 3 * left);
    store(out, woven(p, rgb_at[1], THIRD(0), THIRD(1)), 64, 3 * left);
    store(out, woven(p, rgb_at[2], THIRD(2), THIRD(0)), 128, 3 * left);
}

AVX512_INLINE void put_rgba(uint8_t *out, const struct planes *p, size_t left)
{
    for (size_t m = 0; m < 4; m++) {
        __m512i v = woven(p, rgba_at[m], FOURTH(1), FOURTH(2));
        v = _mm512_mask_set1_epi8(v, FOURTH(3), -1);
        store(out, v, 64 * m, 4 * left);
    }
}

AVX512 void mr__rgb_avx512(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                           uint8_t *out)
{
    size_t i = 0;

    for (; i + STEP <= n; i += STEP) {
        struct planes p = convert(y + i, cb + i, cr + i);
        put_rgb(out + 3 * i, &p, STEP);
    }
    if (i < n) {
        struct planes p = convert(y + i, cb + i, cr + i);
        put_rgb(out + 3 * i, &p, n - i);
    }
}

AVX512 void mr__rgba_avx512(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                            uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        struct planes p = convert(y + i, cb + i, cr + i);
        put_rgba(out + 4 * i, &p, n - i);
    }
}

AVX512 void mr__gray_rgb_avx512(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        __m512i v = load(y + i);
        for (size_t m = 0; m < 3; m++)
            store(out + 3 * i, _mm512_permutexvar_epi8(_mm512_load_si512(gray_at3[m]), v), 64 * m,
                  3 * (n - i));
    }
}

AVX512 void mr__gray_rgba_avx512(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        __m512i v = load(y + i);
        for (size_t m = 0; m < 4; m++) {
            __m512i four = _mm512_permutexvar_epi8(_mm512_load_si512(gray_at4[m]), v);
            four = _mm512_mask_set1_epi8(four, FOURTH(3), -1);
            store(out + 4 * i, four, 64 * m, 4 * (n - i));
        }
    }
}
#endif
