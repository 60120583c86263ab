/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse DCT's specification: the accurate integer one of Loeffler, Ligtenberg and Moschytz
 * (13 bits of constants, columns first, two bits kept between the passes), with the widths of
 * numbers that libjpeg-turbo's x86 code has. These matter only where a hostile file drives values
 * out of the range of pictures:
 * - coefficient times quant keeps its low 16 bits,
 * - the four sums that a pass begins with wrap around at 16 bits, the others at 32,
 * - what a pass gives is cut to -32768 .. 32767,
 * - a block with nothing but its first row skips the first pass, and there 4 * value wraps around.
 */
#include "loaders/codec/baseline/idct_factors.h"
#include "loaders/codec/baseline/pixel_scalar.h"

#include <stdlib.h>
#include <string.h>

static int16_t wrapped(int32_t v)
{
    return (int16_t)(uint16_t)v;
}

static int16_t cut(int32_t v)
{
    return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

static uint32_t two(int16_t a, int32_t ka, int16_t b, int32_t kb)
{
    return (uint32_t)(a * ka + b * kb);
}

static int16_t descaled(uint32_t sum, int bits)
{
    return cut((int32_t)(sum + (UINT32_C(1) << (bits - 1))) >> bits);
}

/* Eight values, `step` apart, in place. Factors are sums and differences of the algorithm's own,
 * because products are made in pairs, as a vector's multiply-add does it. */
static void pass(int16_t *p, int step, int bits)
{
    const int16_t i0 = p[0], i1 = p[step], i2 = p[2 * step], i3 = p[3 * step], i4 = p[4 * step];
    const int16_t i5 = p[5 * step], i6 = p[6 * step], i7 = p[7 * step];
    const int16_t z3 = wrapped(i7 + i3), z4 = wrapped(i5 + i1);
    const uint32_t sum = (uint32_t)(wrapped(i0 + i4) * 8192);
    const uint32_t difference = (uint32_t)(wrapped(i0 - i4) * 8192);
    const uint32_t e3 = two(i2, F_0_541 + F_0_765, i6, F_0_541);
    const uint32_t e2 = two(i2, F_0_541, i6, F_0_541 - F_1_847);
    const uint32_t even[4] = {sum + e3, difference + e2, difference - e2, sum - e3};
    const uint32_t o3 = two(z3, F_1_175 - F_1_961, z4, F_1_175);
    const uint32_t o4 = two(z3, F_1_175, z4, F_1_175 - F_0_390);
    const uint32_t odd[4] = {
        two(i7, -F_0_899, i1, F_1_501 - F_0_899) + o4,
        two(i5, -F_2_562, i3, F_3_072 - F_2_562) + o3,
        two(i5, F_2_053 - F_2_562, i3, -F_2_562) + o4,
        two(i7, F_0_298 - F_0_899, i1, -F_0_899) + o3,
    };

    for (int i = 0; i < 4; i++) {
        p[i * step] = descaled(even[i] + odd[i], bits);
        p[(7 - i) * step] = descaled(even[i] - odd[i], bits);
    }
}

static uint8_t sample(int16_t v)
{
    return (uint8_t)((v < -128 ? -128 : v > 127 ? 127 : v) + 128);
}

/* True when rows 1 to 7 were zero. */
static bool dequantise(const struct mr_tile *tile, int b, const uint16_t quant[64], int16_t w[64])
{
    int16_t below = 0;

    for (int r = 0; r < 8; r++) {
        for (int c = 0; c < 8; c++) {
            w[8 * r + c] = wrapped(tile->v[r][b][c] * quant[8 * r + c]);
            below |= r > 0 ? tile->v[r][b][c] : 0;
        }
    }
    return below == 0;
}

static void block(const struct mr_tile *tile, int b, const uint16_t quant[64], uint8_t *out,
                  ptrdiff_t stride)
{
    int16_t w[64];
    bool flat = dequantise(tile, b, quant, w);

    for (int c = 0; c < 8 && !flat; c++)
        pass(w + c, 8, BETWEEN);
    for (int i = 63; i >= 0 && flat; i--)
        w[i] = wrapped(w[i % 8] * 4);
    for (int r = 0; r < 8; r++) {
        pass(w + 8 * r, 1, OUTPUT);
        for (int c = 0; c < 8; c++)
            out[r * stride + c] = sample(w[8 * r + c]);
    }
}

void mr__idct_dc(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride)
{
    for (int b = 0; b < 4; b++) {
        int16_t w = wrapped(wrapped(tile->v[0][b][0] * quant[0]) * 4);
        uint8_t v = sample((int16_t)((w + 16) >> 5));
        for (int r = 0; r < 8; r++)
            memset(out + r * stride + 8 * b, v, 8);
        tile->v[0][b][0] = 0;
    }
}

void mr__idct_scalar(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                     int last)
{
    if (last == 0) {
        mr__idct_dc(tile, quant, out, stride);
        return;
    }
    for (int b = 0; b < 4; b++)
        block(tile, b, quant, out + 8 * b, stride);
    memset(tile, 0, sizeof *tile);
}

/* Twice the sum of a column's magnitudes bounds every 16-bit sum and, times 4 and the algorithm's
 * largest factor (1.3871), what the first pass gives; so below this nothing wraps or is cut in any
 * version. A block of 8-bit samples has at most 2897 before it is rounded to multiples of quant. */
enum { COLUMN_MOST = 2952 };

bool mr__tile_agrees(const struct mr_tile *tile, const uint16_t quant[64])
{
    for (int b = 0; b < 4; b++) {
        for (int c = 0; c < 8; c++) {
            int64_t sum = 0;
            for (int r = 0; r < 8; r++)
                sum += llabs((long long)tile->v[r][b][c] * quant[8 * r + c]);
            if (sum > COLUMN_MOST)
                return false;
        }
    }
    return true;
}
