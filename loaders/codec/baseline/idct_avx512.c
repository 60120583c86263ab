/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse DCT for AVX-512: a register is a row of all four blocks.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

#define LANES AVX512_INLINE
#define V __m512i
#define ZERO _mm512_setzero_si512
#define ALL8 _mm512_set1_epi8
#define ALL32 _mm512_set1_epi32
#define ADD8 _mm512_add_epi8
#define ADD16 _mm512_add_epi16
#define SUB16 _mm512_sub_epi16
#define ADD32 _mm512_add_epi32
#define SUB32 _mm512_sub_epi32
#define SRA32(v, n) _mm512_srai_epi32(v, (unsigned)(n))
#define LO8 _mm512_unpacklo_epi8
#define HI8 _mm512_unpackhi_epi8
#define LO16 _mm512_unpacklo_epi16
#define HI16 _mm512_unpackhi_epi16
#define LO32 _mm512_unpacklo_epi32
#define HI32 _mm512_unpackhi_epi32
#define LO64 _mm512_unpacklo_epi64
#define HI64 _mm512_unpackhi_epi64
#define PACK16 _mm512_packs_epi32
#define PACK8 _mm512_packs_epi16
#define DOT _mm512_madd_epi16
#define ADD_DOT _mm512_dpwssd_epi32
#define SUB_DOT(sum, a, k) _mm512_dpwssd_epi32(sum, a, _mm512_sub_epi16(ZERO(), k))
#include "loaders/codec/baseline/idct_lanes.h"

/* Row r, dequantised; the tile's row becomes zero. */
AVX512_INLINE V take(struct mr_tile *tile, const uint16_t quant[64], int r)
{
    V q = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(quant + 8 * r)));
    V v = _mm512_mullo_epi16(_mm512_load_si512(tile->v[r]), q);

    _mm512_store_si512(tile->v[r], ZERO());
    return v;
}

/* Four times some number of row 0 does not fit in 16 bits: blocks with nothing but row 0 are
 * different then, and such tiles are nobody's pictures. */
AVX512_INLINE bool is_wild(const struct mr_tile *tile, const uint16_t quant[64])
{
    V q = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)quant));
    V v = _mm512_mullo_epi16(_mm512_load_si512(tile->v[0]), q);

    v = ADD16(v, _mm512_set1_epi16(0x2000));
    return _mm512_test_epi16_mask(v, _mm512_set1_epi16((short)0xc000)) != 0;
}

/* Rows 2i and 2i + 1 of all blocks. */
AVX512_INLINE void store_two(V left, V right, uint8_t *out, ptrdiff_t stride, int odd)
{
    const V rows01 = _mm512_setr_epi32(0, 16, 4, 20, 8, 24, 12, 28, 1, 17, 5, 21, 9, 25, 13, 29);
    const V rows23 = ADD32(rows01, ALL32(2));
    V two = _mm512_permutex2var_epi32(left, odd ? rows23 : rows01, right);

    _mm256_storeu_si256((void *)out, _mm512_castsi512_si256(two));
    _mm256_storeu_si256((void *)(out + stride), _mm512_extracti64x4_epi64(two, 1));
}

/* Row 0 holds all there is, one number for each block. */
AVX512_INLINE void dc_only(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                           ptrdiff_t stride)
{
    const V blocks = _mm512_setr_epi64(0, 0x1010101010101010, 0x2020202020202020,
                                       0x3030303030303030, 0, 0, 0, 0);
    V v = _mm512_slli_epi16(take(tile, quant, 0), 2);

    v = _mm512_srai_epi16(_mm512_adds_epi16(v, _mm512_set1_epi16(16)), 5);
    v = _mm512_permutexvar_epi8(blocks, ADD8(PACK8(v, v), ALL8(-128)));
    for (int r = 0; r < 8; r++)
        _mm256_storeu_si256((void *)(out + r * stride), _mm512_castsi512_si256(v));
}

AVX512 void mr__idct_avx512(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                            ptrdiff_t stride, int last)
{
    V v[8], left[2], right[2];

    if (last == 0) {
        dc_only(tile, quant, out, stride);
        return;
    }
    if (is_wild(tile, quant)) {
        mr__idct_scalar(tile, quant, out, stride, last);
        return;
    }
    for (int r = 0; r < 4; r++)
        v[r] = take(tile, quant, r);
    if (last <= MR_LAST_CORNER) {
        corner(v);
    } else {
        for (int r = 4; r < 8; r++)
            v[r] = take(tile, quant, r);
        full(v);
    }
    bytes(v, left, right);
    for (int r = 0; r < 8; r += 2)
        store_two(left[r / 4], right[r / 4], out + r * stride, stride, r / 2 % 2);
}
#endif
