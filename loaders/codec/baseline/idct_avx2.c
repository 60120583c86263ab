/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse DCT for AVX2: a register is a row of two blocks.
 */
#include "loaders/codec/baseline/pixel_scalar.h" /* what lies below may be for another CPU */

#if defined(__x86_64__)
#include "loaders/codec/baseline/pixel_x86.h"

#define LANES AVX2_INLINE
#define V __m256i
#define ZERO _mm256_setzero_si256
#define ALL8 _mm256_set1_epi8
#define ALL32 _mm256_set1_epi32
#define ADD8 _mm256_add_epi8
#define ADD16 _mm256_add_epi16
#define SUB16 _mm256_sub_epi16
#define ADD32 _mm256_add_epi32
#define SUB32 _mm256_sub_epi32
#define SRA32 _mm256_srai_epi32
#define LO8 _mm256_unpacklo_epi8
#define HI8 _mm256_unpackhi_epi8
#define LO16 _mm256_unpacklo_epi16
#define HI16 _mm256_unpackhi_epi16
#define LO32 _mm256_unpacklo_epi32
#define HI32 _mm256_unpackhi_epi32
#define LO64 _mm256_unpacklo_epi64
#define HI64 _mm256_unpackhi_epi64
#define PACK16 _mm256_packs_epi32
#define PACK8 _mm256_packs_epi16
#define DOT _mm256_madd_epi16
#define ADD_DOT(sum, a, k) ADD32(sum, DOT(a, k))
#define SUB_DOT(sum, a, k) SUB32(sum, DOT(a, k))
#include "loaders/codec/baseline/idct_lanes.h"

/* Row r of blocks 2 * pair and the next, dequantised. */
AVX2_INLINE V row(const struct mr_tile *tile, const uint16_t quant[64], int r, int pair)
{
    V q = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(quant + 8 * r)));

    return _mm256_mullo_epi16(_mm256_load_si256((const void *)tile->v[r][2 * pair]), q);
}

AVX2_INLINE V take(struct mr_tile *tile, const uint16_t quant[64], int r, int pair)
{
    V v = row(tile, quant, r, pair);

    _mm256_store_si256((void *)tile->v[r][2 * pair], ZERO());
    return v;
}

/* Four times some number of row 0 does not fit in 16 bits: blocks with nothing but row 0 are
 * different then, and such tiles are nobody's pictures. */
AVX2_INLINE bool is_wild(const struct mr_tile *tile, const uint16_t quant[64])
{
    V bias = _mm256_set1_epi16(0x2000);
    V a = ADD16(row(tile, quant, 0, 0), bias), b = ADD16(row(tile, quant, 0, 1), bias);

    return !_mm256_testz_si256(_mm256_or_si256(a, b), _mm256_set1_epi16((short)0xc000));
}

/* Four bytes for each of four rows from both, to two blocks' rows. */
AVX2_INLINE void store_four(V left, V right, uint8_t *out, ptrdiff_t stride)
{
    V rows01 = _mm256_permute4x64_epi64(LO32(left, right), 0xd8);
    V rows23 = _mm256_permute4x64_epi64(HI32(left, right), 0xd8);

    _mm_storeu_si128((void *)out, _mm256_castsi256_si128(rows01));
    _mm_storeu_si128((void *)(out + stride), _mm256_extracti128_si256(rows01, 1));
    _mm_storeu_si128((void *)(out + 2 * stride), _mm256_castsi256_si128(rows23));
    _mm_storeu_si128((void *)(out + 3 * stride), _mm256_extracti128_si256(rows23, 1));
}

AVX2_INLINE void two_blocks(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                            ptrdiff_t stride, int last, int pair)
{
    V v[8], left[2], right[2];

    for (int r = 0; r < 4; r++)
        v[r] = take(tile, quant, r, pair);
    if (last <= MR_LAST_CORNER) {
        corner(v);
    } else {
        for (int r = 4; r < 8; r++)
            v[r] = take(tile, quant, r, pair);
        full(v);
    }
    bytes(v, left, right);
    store_four(left[0], right[0], out, stride);
    store_four(left[1], right[1], out + 4 * stride, stride);
}

/* A pair's samples, in all the bytes of a lane. */
AVX2_INLINE V dc_of(struct mr_tile *tile, const uint16_t quant[64], int pair)
{
    V v = _mm256_slli_epi16(take(tile, quant, 0, pair), 2);

    v = _mm256_srai_epi16(_mm256_adds_epi16(v, _mm256_set1_epi16(16)), 5);
    return _mm256_shuffle_epi8(ADD8(PACK8(v, v), ALL8(-128)), ZERO());
}

/* Row 0 holds all there is, one number for each block. */
AVX2_INLINE void dc_only(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                         ptrdiff_t stride)
{
    V v = LO64(dc_of(tile, quant, 0), dc_of(tile, quant, 1));

    v = _mm256_permute4x64_epi64(v, 0xd8);
    for (int r = 0; r < 8; r++)
        _mm256_storeu_si256((void *)(out + r * stride), v);
}

AVX2 void mr__idct_avx2(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out,
                        ptrdiff_t stride, int last)
{
    if (last == 0) {
        dc_only(tile, quant, out, stride);
        return;
    }
    if (is_wild(tile, quant)) {
        mr__idct_scalar(tile, quant, out, stride, last);
        return;
    }
    for (int pair = 0; pair < 2; pair++)
        two_blocks(tile, quant, out + 16 * pair, stride, last, pair);
}
#endif
