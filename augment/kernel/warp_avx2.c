/* SPDX-License-Identifier: Apache-2.0
 *
 * The warp for AVX2: eight points at a time. A pixel and the one beside it are fetched by one
 * gather of 64 bits; near the end of the source, where these would not all be its own, from further
 * in front and shifted. Lanes are in the order 0 1 4 5 2 3 6 7 from the gathers on.
 */
#include "augment/kernel/warp.h"
#include "augment/kernel/warp_points.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target(MR_TARGET_AVX2)))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

#define ONE (1 << MR_WARP_BITS)

struct source {
    const uint8_t *data;
    __m256i w, h, stride, c, last; /* last: where a gather may begin at the latest */
    __m256i fill;
    int channels;
};

/* Offsets have to fit into 32 bits, and a gather into the source. */
static bool fits(const struct mr_view *src)
{
    int64_t bytes = (src->h - 1) * src->stride + (int64_t)src->w * src->c;

    return src->stride > 0 && bytes >= 8 && bytes <= INT32_MAX;
}

AVX2_INLINE struct source source_of(const struct mr_view *src, int c, const uint8_t *fill)
{
    int64_t bytes = (src->h - 1) * src->stride + (int64_t)src->w * c;
    uint32_t all = 0;

    for (int ch = 0; ch < c; ch++)
        all |= (uint32_t)fill[ch] << 8 * ch;
    return (struct source){.data = src->data,
                           .w = _mm256_set1_epi32(src->w),
                           .h = _mm256_set1_epi32(src->h),
                           .stride = _mm256_set1_epi32((int)src->stride),
                           .c = _mm256_set1_epi32(c),
                           .last = _mm256_set1_epi32((int)bytes - 8),
                           .fill = _mm256_set1_epi32((int)all),
                           .channels = c};
}

/* Points of which at least one coordinate is outside. */
AVX2_INLINE __m256i outside(const struct source *s, __m256i u, __m256i v)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i x = _mm256_srai_epi32(u, MR_WARP_BITS), y = _mm256_srai_epi32(v, MR_WARP_BITS);
    __m256i low = _mm256_cmpgt_epi32(zero, _mm256_or_si256(x, y));
    __m256i in = _mm256_and_si256(_mm256_cmpgt_epi32(s->w, x), _mm256_cmpgt_epi32(s->h, y));

    return _mm256_or_si256(low, _mm256_xor_si256(in, _mm256_set1_epi32(-1)));
}

AVX2_INLINE __m256i clamped(__m256i at, __m256i size)
{
    __m256i most = _mm256_sub_epi32(size, _mm256_set1_epi32(1));

    return _mm256_max_epi32(_mm256_min_epi32(at, most), _mm256_setzero_si256());
}

/* Eight bytes from each offset on: the first four of the eight points, and the last four. */
struct sixteen {
    __m256i low, high; /* in the order of the lanes */
};

AVX2_INLINE struct sixteen fetch(const struct source *s, __m256i offset)
{
    __m256i from = _mm256_min_epi32(offset, s->last);
    __m256i late = _mm256_slli_epi32(_mm256_sub_epi32(offset, from), 3);
    __m128i a = _mm256_castsi256_si128(from), b = _mm256_extracti128_si256(from, 1);
    __m256i p = _mm256_i32gather_epi64((const void *)s->data, a, 1);
    __m256i q = _mm256_i32gather_epi64((const void *)s->data, b, 1);

    p = _mm256_srlv_epi64(p, _mm256_cvtepu32_epi64(_mm256_castsi256_si128(late)));
    q = _mm256_srlv_epi64(q, _mm256_cvtepu32_epi64(_mm256_extracti128_si256(late, 1)));
    __m256 l = _mm256_shuffle_ps(_mm256_castsi256_ps(p), _mm256_castsi256_ps(q), 0x88);
    __m256 h = _mm256_shuffle_ps(_mm256_castsi256_ps(p), _mm256_castsi256_ps(q), 0xdd);
    return (struct sixteen){_mm256_castps_si256(l), _mm256_castps_si256(h)};
}

/* Eights in order to the lanes of a fetch, and back: the same exchange. */
AVX2_INLINE __m256i swapped(__m256i v)
{
    return _mm256_permute4x64_epi64(v, 0xd8);
}

/* Byte k of the eight as float32. */
AVX2_INLINE __m256 byte_of(struct sixteen p, int k)
{
    __m256i v = k < 4 ? p.low : p.high;
    __m256i shifted = _mm256_srli_epi32(v, 8 * (k % 4));

    return _mm256_cvtepi32_ps(_mm256_and_si256(shifted, _mm256_set1_epi32(255)));
}

AVX2_INLINE __m256 between(__m256 a, __m256 b, __m256 part)
{
    return _mm256_add_ps(a, _mm256_mul_ps(_mm256_sub_ps(b, a), part));
}

/* Eight pixels, 32 bits each, to `out`; bytes behind them are written as well. */
AVX2_INLINE void write_pixels(uint8_t *out, __m256i px, int c)
{
    const __m256i squeeze = _mm256_broadcastsi128_si256(
        c == 3 ? _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)
               : _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));

    if (c == 4) {
        _mm256_storeu_si256((void *)out, px);
        return;
    }
    px = _mm256_shuffle_epi8(px, squeeze);
    _mm_storeu_si128((void *)out, _mm256_castsi256_si128(px));
    _mm_storeu_si128((void *)(out + 4 * c), _mm256_extracti128_si256(px, 1));
}

/* The pixel before a point and how far behind it the point is. */
AVX2_INLINE __m256 place(__m256i point, __m256i size, __m256i *at)
{
    __m256i moved = _mm256_sub_epi32(point, _mm256_set1_epi32(ONE / 2));
    __m256i whole = _mm256_srai_epi32(moved, MR_WARP_BITS);
    __m256i part = _mm256_and_si256(moved, _mm256_set1_epi32(ONE - 1));
    __m256i most = _mm256_sub_epi32(size, _mm256_set1_epi32(1));

    *at = clamped(whole, size); /* beyond the first and the last centre, there is no part */
    __m256i real = _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_setzero_si256(), whole),
                                       _mm256_cmpgt_epi32(most, whole));
    part = _mm256_and_si256(part, real);
    return _mm256_mul_ps(_mm256_cvtepi32_ps(part), _mm256_set1_ps(1.0f / ONE));
}

AVX2_INLINE __m256i eight_bilinear(const struct source *s, __m256i u, __m256i v)
{
    __m256i x, y, sum = _mm256_setzero_si256();
    __m256 xpart = place(u, s->w, &x), ypart = place(v, s->h, &y);
    __m256i down = _mm256_and_si256(
        _mm256_castps_si256(_mm256_cmp_ps(ypart, _mm256_setzero_ps(), _CMP_GT_OQ)), s->stride);
    __m256i offset =
        _mm256_add_epi32(_mm256_mullo_epi32(y, s->stride), _mm256_mullo_epi32(x, s->c));
    struct sixteen a = fetch(s, offset), b = fetch(s, _mm256_add_epi32(offset, down));

    xpart = _mm256_castsi256_ps(swapped(_mm256_castps_si256(xpart)));
    ypart = _mm256_castsi256_ps(swapped(_mm256_castps_si256(ypart)));
    for (int ch = 0; ch < s->channels; ch++) {
        __m256 up = between(byte_of(a, ch), byte_of(a, ch + s->channels), xpart);
        __m256 low = between(byte_of(b, ch), byte_of(b, ch + s->channels), xpart);
        __m256i value = _mm256_cvttps_epi32(between(up, low, ypart));
        sum = _mm256_or_si256(sum, _mm256_slli_epi32(value, 8 * ch));
    }
    return swapped(sum);
}

AVX2_INLINE __m256i eight_nearest(const struct source *s, __m256i u, __m256i v)
{
    __m256i x = clamped(_mm256_srai_epi32(u, MR_WARP_BITS), s->w);
    __m256i y = clamped(_mm256_srai_epi32(v, MR_WARP_BITS), s->h);
    __m256i offset =
        _mm256_add_epi32(_mm256_mullo_epi32(y, s->stride), _mm256_mullo_epi32(x, s->c));
    __m256i from = _mm256_min_epi32(offset, s->last);
    __m256i p = _mm256_i32gather_epi32((const void *)s->data, from, 1);

    /* Those that begin too late: `last` leaves eight bytes, four behind these four. */
    __m256i q = _mm256_i32gather_epi32((const void *)(s->data + 4), from, 1);
    __m256i late = _mm256_slli_epi32(_mm256_sub_epi32(offset, from), 3);
    __m256i over = _mm256_sub_epi32(_mm256_set1_epi32(32), late);
    __m256i much = _mm256_sub_epi32(late, _mm256_set1_epi32(32));
    p = _mm256_or_si256(_mm256_srlv_epi32(p, late), _mm256_sllv_epi32(q, over));
    return _mm256_or_si256(p, _mm256_srlv_epi32(q, much));
}

AVX2_INLINE void block(const struct mr_view *src, int c, const int32_t *u, const int32_t *v, int n,
                       const uint8_t *fill, uint8_t *out, bool bilinear)
{
    const struct source s = source_of(src, c, fill);

    for (int i = 0; i < n; i += 8) {
        __m256i ui = _mm256_loadu_si256((const void *)(u + i));
        __m256i vi = _mm256_loadu_si256((const void *)(v + i));
        __m256i px = bilinear ? eight_bilinear(&s, ui, vi) : eight_nearest(&s, ui, vi);
        px = _mm256_blendv_epi8(px, s.fill, outside(&s, ui, vi));
        write_pixels(out + i * c, px, c);
    }
}

AVX2 static void nearest(const struct mr_view *src, const int32_t *u, const int32_t *v, int n,
                         const uint8_t *fill, uint8_t *out)
{
    if (!fits(src))
        mr__warp_scalar.nearest(src, u, v, n, fill, out);
    else if (src->c == 3)
        block(src, 3, u, v, n, fill, out, false);
    else if (src->c == 4)
        block(src, 4, u, v, n, fill, out, false);
    else
        block(src, 1, u, v, n, fill, out, false);
}

AVX2 static void bilinear(const struct mr_view *src, const int32_t *u, const int32_t *v, int n,
                          const uint8_t *fill, uint8_t *out)
{
    if (!fits(src))
        mr__warp_scalar.bilinear(src, u, v, n, fill, out);
    else if (src->c == 3)
        block(src, 3, u, v, n, fill, out, true);
    else if (src->c == 4)
        block(src, 4, u, v, n, fill, out, true);
    else
        block(src, 1, u, v, n, fill, out, true);
}

AVX2 static void points(const struct mr_warp_line *line, const struct mr_view *src, int32_t x,
                        int32_t *u, int32_t *v)
{
    mr__warp_points(line, src, x, u, v);
}

const struct mr_warp_kernel mr__warp_avx2 = {
    .name = "avx2",
    .level = MR_CPU_AVX2,
    .points = points,
    .nearest = nearest,
    .bilinear = bilinear,
};
#endif
