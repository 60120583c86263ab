/* SPDX-License-Identifier: Apache-2.0
 *
 * Colour for AVX2: 32 pixels at a time. Even and odd pixels are worked on apart, since the two
 * bytes of 16 bits come apart without a shuffle; what puts them in order again is the shuffle that
 * interleaves the channels.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

enum { STEP = 32 };

/* Of each lane's 16 pixels: 16 bits each of the even ones and of the odd ones. */
struct halves {
    __m256i even, odd;
};

AVX2_INLINE struct halves apart(__m256i v)
{
    return (struct halves){_mm256_and_si256(v, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(v, 8)};
}

/* 2 * (v - 128). */
AVX2_INLINE struct halves twice_centred(__m256i v)
{
    __m256i s = _mm256_xor_si256(v, _mm256_set1_epi8(-128));
    __m256i odd = _mm256_and_si256(s, _mm256_set1_epi16((short)0xff00));

    return (struct halves){_mm256_srai_epi16(_mm256_slli_epi16(s, 8), 7),
                           _mm256_srai_epi16(odd, 7)};
}

AVX2_INLINE __m256i red_of(__m256i y, __m256i cr2)
{
    return _mm256_add_epi16(y, _mm256_mulhrs_epi16(cr2, _mm256_set1_epi16(MR_CR_RED)));
}

AVX2_INLINE __m256i blue_of(__m256i y, __m256i cb2)
{
    return _mm256_add_epi16(y, _mm256_mulhrs_epi16(cb2, _mm256_set1_epi16(MR_CB_BLUE)));
}

AVX2_INLINE __m256i green_part(__m256i pairs)
{
    __m256i k = _mm256_set1_epi32(MR_GREEN_PAIR);
    __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(pairs, k), _mm256_set1_epi32(1 << 15));

    return _mm256_srai_epi32(sum, 16);
}

AVX2_INLINE __m256i green_of(__m256i y, __m256i cb2, __m256i cr2)
{
    __m256i low = green_part(_mm256_unpacklo_epi16(cb2, cr2));
    __m256i high = green_part(_mm256_unpackhi_epi16(cb2, cr2));

    return _mm256_add_epi16(y, _mm256_packs_epi32(low, high));
}

/* Bytes; each lane has its even pixels and then its odd ones. */
struct planes {
    __m256i r, g, b;
};

AVX2_INLINE struct planes convert(const uint8_t *y, const uint8_t *cb, const uint8_t *cr)
{
    struct halves l = apart(load32(y)), b = twice_centred(load32(cb)),
                  r = twice_centred(load32(cr));

    return (struct planes){
        _mm256_packus_epi16(red_of(l.even, r.even), red_of(l.odd, r.odd)),
        _mm256_packus_epi16(green_of(l.even, b.even, r.even), green_of(l.odd, b.odd, r.odd)),
        _mm256_packus_epi16(blue_of(l.even, b.even), blue_of(l.odd, b.odd)),
    };
}

/* The first `left` pixels or more: 48 bytes of each lane. */
AVX2_INLINE void store_rgb(uint8_t *out, __m256i a, __m256i b, __m256i c, size_t left)
{
    __m256i second = _mm256_blend_epi32(c, a, 0xf0);

    store32(out, _mm256_permute2x128_si256(a, b, 0x20));
    if (left <= STEP / 2) {
        _mm_storeu_si128((void *)(out + 32), _mm256_castsi256_si128(second));
        return;
    }
    store32(out + 32, second);
    store32(out + 64, _mm256_permute2x128_si256(b, c, 0x31));
}

AVX2_INLINE __m256i mixed(__m256i a, __m256i b, __m256i c, __m256i take_b, __m256i take_c)
{
    return _mm256_blendv_epi8(_mm256_blendv_epi8(a, b, take_b), c, take_c);
}

/* The same 16 bytes in both lanes. */
#define BYTES(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))

/* Places 1, 4, 7 .. of a lane; 2, 5, 8 .. */
#define AT_1 BYTES(0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0)
#define AT_2 BYTES(0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0)

/* Each channel's byte of pixel p goes to place (3 p + channel) modulo 16, where one of the three
 * results wants it. */
AVX2_INLINE void put_rgb(uint8_t *out, const struct planes *p, size_t left)
{
    const __m256i red = BYTES(0, 13, 3, 8, 6, 11, 1, 14, 4, 9, 7, 12, 2, 15, 5, 10);
    const __m256i green = BYTES(10, 0, 13, 3, 8, 6, 11, 1, 14, 4, 9, 7, 12, 2, 15, 5);
    const __m256i blue = BYTES(5, 10, 0, 13, 3, 8, 6, 11, 1, 14, 4, 9, 7, 12, 2, 15);
    __m256i r = _mm256_shuffle_epi8(p->r, red), g = _mm256_shuffle_epi8(p->g, green);
    __m256i b = _mm256_shuffle_epi8(p->b, blue);

    store_rgb(out, mixed(r, g, b, AT_1, AT_2), mixed(g, b, r, AT_1, AT_2),
              mixed(b, r, g, AT_1, AT_2), left);
}

AVX2 void mr__rgb_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                       uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        struct planes p = convert(y + i, cb + i, cr + i);
        put_rgb(out + 3 * i, &p, n - i);
    }
}

/* Pixels in order, four bytes each: in each lane, a has the first four of 16, and so on. The first
 * `left` of them or more. */
AVX2_INLINE void put_rgba(uint8_t *out, __m256i r, __m256i g, __m256i b, size_t left)
{
    const __m256i opaque = _mm256_set1_epi8(-1);
    __m256i rg_low = _mm256_unpacklo_epi8(r, g), rg_high = _mm256_unpackhi_epi8(r, g);
    __m256i ba_low = _mm256_unpacklo_epi8(b, opaque), ba_high = _mm256_unpackhi_epi8(b, opaque);
    __m256i p0 = _mm256_unpacklo_epi16(rg_low, ba_low), p4 = _mm256_unpackhi_epi16(rg_low, ba_low);
    __m256i p8 = _mm256_unpacklo_epi16(rg_high, ba_high);
    __m256i p12 = _mm256_unpackhi_epi16(rg_high, ba_high);

    store32(out, _mm256_permute2x128_si256(p0, p4, 0x20));
    store32(out + 32, _mm256_permute2x128_si256(p8, p12, 0x20));
    if (left <= STEP / 2)
        return;
    store32(out + 64, _mm256_permute2x128_si256(p0, p4, 0x31));
    store32(out + 96, _mm256_permute2x128_si256(p8, p12, 0x31));
}

AVX2 void mr__rgba_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n,
                        uint8_t *out)
{
    const __m256i order = BYTES(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);

    for (size_t i = 0; i < n; i += STEP) {
        struct planes p = convert(y + i, cb + i, cr + i);
        put_rgba(out + 4 * i, _mm256_shuffle_epi8(p.r, order), _mm256_shuffle_epi8(p.g, order),
                 _mm256_shuffle_epi8(p.b, order), n - i);
    }
}

AVX2 void mr__gray_rgb_avx2(const uint8_t *y, size_t n, uint8_t *out)
{
    const __m256i first = BYTES(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5);
    const __m256i second = BYTES(5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10);
    const __m256i third = BYTES(10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15);

    for (size_t i = 0; i < n; i += STEP) {
        __m256i v = load32(y + i);
        store_rgb(out + 3 * i, _mm256_shuffle_epi8(v, first), _mm256_shuffle_epi8(v, second),
                  _mm256_shuffle_epi8(v, third), n - i);
    }
}

AVX2 void mr__gray_rgba_avx2(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i += STEP) {
        __m256i v = load32(y + i);
        put_rgba(out + 4 * i, v, v, v, n - i);
    }
}
#endif
