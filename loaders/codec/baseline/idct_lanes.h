/* SPDX-License-Identifier: Apache-2.0
 *
 * idct_lanes.h: the inverse DCT for x86 vectors of any width, whose 128-bit lanes hold a row of a
 * block each. There is one register for each row of the blocks, so the first pass (columns) takes
 * all columns at once; then every lane is transposed, and the second pass does the same with rows.
 * idct_scalar.c says what each step does to numbers that no picture has; its every wrap-around is
 * kept here.
 *
 * The includer defines V (a vector), LANES (attributes of an inline function), ZERO(), ALL16(i),
 * ALL32(i) and the operations ADD16 .. PACK8 that are used below (LO8 .. HI64 interleave, PACK
 * narrows and saturates), and DOT(a, k): the 32-bit sums of the products of neighbouring 16-bit
 * numbers of a and k; ADD_DOT(sum, a, k) and SUB_DOT add them to and take them from a sum.
 */
#include "loaders/codec/baseline/idct_factors.h"

/* Two factors for a pair of neighbouring numbers, times 2^13. */
#define PAIR(a, b) ALL32((int32_t)((uint32_t)(uint16_t)(a) | (uint32_t)(uint16_t)(b) << 16))

/* 16-bit numbers that were interleaved with zeros, zeros first: times 2^13, plus one half of what
 * `bits` drops. */
LANES V scaled(V interleaved, int bits)
{
    return ADD32(SRA32(interleaved, 3), ALL32(1 << (bits - 1)));
}

LANES void butterfly(const V even[4], const V odd[4], int bits, V out[8])
{
    for (int i = 0; i < 4; i++) {
        out[i] = SRA32(ADD32(even[i], odd[i]), bits);
        out[7 - i] = SRA32(SUB32(even[i], odd[i]), bits);
    }
}

/* Half of a pass, 32 bits for a number. What comes in are interleaved pairs: 0 and 0 + 4, 0 and
 * 0 - 4, 2 and 6, 7 + 3 and 5 + 1, 7 and 1, 5 and 3. */
LANES void half_pass(V sum, V difference, V i26, V z34, V i71, V i53, int bits, V out[8])
{
    V s = scaled(sum, bits), d = scaled(difference, bits);
    V o3 = DOT(z34, PAIR(F_1_175 - F_1_961, F_1_175));
    V o4 = DOT(z34, PAIR(F_1_175, F_1_175 - F_0_390));
    const V even[4] = {
        ADD_DOT(s, i26, PAIR(F_0_541 + F_0_765, F_0_541)),
        ADD_DOT(d, i26, PAIR(F_0_541, F_0_541 - F_1_847)),
        SUB_DOT(d, i26, PAIR(F_0_541, F_0_541 - F_1_847)),
        SUB_DOT(s, i26, PAIR(F_0_541 + F_0_765, F_0_541)),
    };
    const V odd[4] = {
        ADD_DOT(o4, i71, PAIR(-F_0_899, F_1_501 - F_0_899)),
        ADD_DOT(o3, i53, PAIR(-F_2_562, F_3_072 - F_2_562)),
        ADD_DOT(o4, i53, PAIR(F_2_053 - F_2_562, -F_2_562)),
        ADD_DOT(o3, i71, PAIR(F_0_298 - F_0_899, -F_0_899)),
    };

    butterfly(even, odd, bits, out);
}

LANES void full_pass(V v[8], int bits)
{
    V sum = ADD16(v[0], v[4]), difference = SUB16(v[0], v[4]);
    V z3 = ADD16(v[7], v[3]), z4 = ADD16(v[5], v[1]);
    V lo[8], hi[8];

    half_pass(LO16(ZERO(), sum), LO16(ZERO(), difference), LO16(v[2], v[6]), LO16(z3, z4),
              LO16(v[7], v[1]), LO16(v[5], v[3]), bits, lo);
    half_pass(HI16(ZERO(), sum), HI16(ZERO(), difference), HI16(v[2], v[6]), HI16(z3, z4),
              HI16(v[7], v[1]), HI16(v[5], v[3]), bits, hi);
    for (int i = 0; i < 8; i++)
        v[i] = PACK16(lo[i], hi[i]);
}

/* The same where 4 to 7 are zero: no sum of two 16-bit numbers is left, so all factors of a number
 * come together. In are 0, 2 with 0, 3 and 1. */
LANES void half_corner(V i0, V i2, V i31, int bits, V out[8])
{
    V s = scaled(i0, bits);
    const V even[4] = {
        ADD_DOT(s, i2, PAIR(F_0_541 + F_0_765, 0)),
        ADD_DOT(s, i2, PAIR(F_0_541, 0)),
        SUB_DOT(s, i2, PAIR(F_0_541, 0)),
        SUB_DOT(s, i2, PAIR(F_0_541 + F_0_765, 0)),
    };
    const V odd[4] = {
        DOT(i31, PAIR(F_1_175, F_1_501 - F_0_899 + F_1_175 - F_0_390)),
        DOT(i31, PAIR(F_3_072 - F_2_562 + F_1_175 - F_1_961, F_1_175)),
        DOT(i31, PAIR(F_1_175 - F_2_562, F_1_175 - F_0_390)),
        DOT(i31, PAIR(F_1_175 - F_1_961, F_1_175 - F_0_899)),
    };

    butterfly(even, odd, bits, out);
}

LANES void transpose(V v[8])
{
    V a[8], b[8];

    for (int i = 0; i < 4; i++) {
        a[2 * i] = LO16(v[2 * i], v[2 * i + 1]);
        a[2 * i + 1] = HI16(v[2 * i], v[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        b[4 * i] = LO32(a[4 * i], a[4 * i + 2]);
        b[4 * i + 1] = HI32(a[4 * i], a[4 * i + 2]);
        b[4 * i + 2] = LO32(a[4 * i + 1], a[4 * i + 3]);
        b[4 * i + 3] = HI32(a[4 * i + 1], a[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        v[2 * i] = LO64(b[i], b[i + 4]);
        v[2 * i + 1] = HI64(b[i], b[i + 4]);
    }
}

/* Both passes; v becomes the columns of the samples, less 128. */
LANES void full(V v[8])
{
    full_pass(v, BETWEEN);
    transpose(v);
    full_pass(v, OUTPUT);
}

/* Only rows and columns 0 to 3 hold anything; v[4] to v[7] are not read. The first pass makes four
 * columns, which fit into the low halves of the lanes. */
LANES void corner(V v[8])
{
    V lo[8], hi[8], a[8];

    half_corner(LO16(ZERO(), v[0]), LO16(v[2], ZERO()), LO16(v[3], v[1]), BETWEEN, lo);
    for (int i = 0; i < 8; i += 4) {
        V even = PACK16(lo[i], lo[i + 2]), odd = PACK16(lo[i + 1], lo[i + 3]);
        V low = LO16(even, odd), high = HI16(even, odd);
        a[i] = LO32(low, high);
        a[i + 1] = HI32(low, high);
    }
    v[0] = LO64(a[0], a[4]);
    v[1] = HI64(a[0], a[4]);
    v[2] = LO64(a[1], a[5]);
    v[3] = HI64(a[1], a[5]);
    half_corner(LO16(ZERO(), v[0]), LO16(v[2], ZERO()), LO16(v[3], v[1]), OUTPUT, lo);
    half_corner(HI16(ZERO(), v[0]), HI16(v[2], ZERO()), HI16(v[3], v[1]), OUTPUT, hi);
    for (int i = 0; i < 8; i++)
        v[i] = PACK16(lo[i], hi[i]);
}

/* Columns of 16 bits to bytes: left[0] has columns 0 to 3 of rows 0 to 3, left[1] of 4 to 7;
 * right has columns 4 to 7; four bytes for each row. */
LANES void bytes(const V v[8], V left[2], V right[2])
{
    V p[4], low[2], high[2];

    for (int i = 0; i < 4; i++)
        p[i] = ADD8(PACK8(v[i], v[i + 4]), ALL8(-128));
    for (int i = 0; i < 2; i++) {
        low[i] = LO8(p[2 * i], p[2 * i + 1]);
        high[i] = HI8(p[2 * i], p[2 * i + 1]);
    }
    left[0] = LO16(low[0], low[1]);
    left[1] = HI16(low[0], low[1]);
    right[0] = LO16(high[0], high[1]);
    right[1] = HI16(high[0], high[1]);
}
