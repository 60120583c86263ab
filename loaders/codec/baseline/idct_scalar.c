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

/* a * ka + b * kb. Factors are sums and differences of the algorithm's own, because products are
 * made in pairs, as a vector's multiply-add does it. */
static uint32_t two(int16_t a, int16_t ka, int16_t b, int16_t kb)
{
    return (uint32_t)(a * ka + b * kb);
}

static int16_t descaled(uint32_t sum, int bits)
{
    return cut((int32_t)(sum + (UINT32_C(1) << (bits - 1))) >> bits);
}

/* Columns of eight numbers; a compiler makes vectors of the loop. */
static void pass(int16_t (*restrict in)[8], int16_t (*restrict out)[8], int bits)
{
    for (int c = 0; c < 8; c++) {
        int16_t i0 = in[0][c], i1 = in[1][c], i2 = in[2][c], i3 = in[3][c];
        int16_t i4 = in[4][c], i5 = in[5][c], i6 = in[6][c], i7 = in[7][c];
        int16_t z3 = wrapped(i7 + i3), z4 = wrapped(i5 + i1);
        uint32_t sum = (uint32_t)(wrapped(i0 + i4) * 8192);
        uint32_t difference = (uint32_t)(wrapped(i0 - i4) * 8192);
        uint32_t t3 = two(i2, F_0_541 + F_0_765, i6, F_0_541);
        uint32_t t2 = two(i2, F_0_541, i6, F_0_541 - F_1_847);
        uint32_t e0 = sum + t3, e1 = difference + t2, e2 = difference - t2, e3 = sum - t3;
        uint32_t s3 = two(z3, F_1_175 - F_1_961, z4, F_1_175);
        uint32_t s4 = two(z3, F_1_175, z4, F_1_175 - F_0_390);
        uint32_t o0 = two(i7, -F_0_899, i1, F_1_501 - F_0_899) + s4;
        uint32_t o1 = two(i5, -F_2_562, i3, F_3_072 - F_2_562) + s3;
        uint32_t o2 = two(i5, F_2_053 - F_2_562, i3, -F_2_562) + s4;
        uint32_t o3 = two(i7, F_0_298 - F_0_899, i1, -F_0_899) + s3;
        out[0][c] = descaled(e0 + o0, bits);
        out[1][c] = descaled(e1 + o1, bits);
        out[2][c] = descaled(e2 + o2, bits);
        out[3][c] = descaled(e3 + o3, bits);
        out[4][c] = descaled(e3 - o3, bits);
        out[5][c] = descaled(e2 - o2, bits);
        out[6][c] = descaled(e1 - o1, bits);
        out[7][c] = descaled(e0 - o0, bits);
    }
}

static void transpose(int16_t (*restrict in)[8], int16_t (*restrict out)[8])
{
    for (int r = 0; r < 8; r++) {
        for (int c = 0; c < 8; c++)
            out[c][r] = in[r][c];
    }
}

static uint8_t sample(int16_t v)
{
    return (uint8_t)((v < -128 ? -128 : v > 127 ? 127 : v) + 128);
}

/* True when rows 1 to 7 were zero. */
static bool dequantise(const struct mr_tile *tile, int b, const uint16_t quant[64], int16_t w[8][8])
{
    int16_t below = 0;

    for (int r = 0; r < 8; r++) {
        for (int c = 0; c < 8; c++) {
            w[r][c] = wrapped(tile->v[r][b][c] * quant[8 * r + c]);
            below |= r > 0 ? tile->v[r][b][c] : 0;
        }
    }
    return below == 0;
}

static void block(const struct mr_tile *tile, int b, const uint16_t quant[64], uint8_t *out,
                  ptrdiff_t stride)
{
    int16_t v[8][8], w[8][8];
    bool flat = dequantise(tile, b, quant, v);

    if (!flat)
        pass(v, w, BETWEEN);
    for (int i = 0; i < 64 && flat; i++)
        w[i / 8][i % 8] = wrapped(v[0][i % 8] * 4);
    transpose(w, v);
    pass(v, w, OUTPUT);
    for (int r = 0; r < 8; r++) {
        for (int c = 0; c < 8; c++)
            out[r * stride + c] = sample(w[c][r]);
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
