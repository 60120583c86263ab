/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/convert.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint16_t mr__bfloat16(float value)
{
    uint32_t bits = bits_of(value);

    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* Shifts right, rounding to nearest even; 1 <= by <= 31. */
static uint32_t rounded_shift(uint32_t value, int by)
{
    uint32_t half = 1u << (by - 1), rest = value & (2 * half - 1), whole = value >> by;

    return whole + (rest > half || (rest == half && (whole & 1)));
}

uint16_t mr__float16(float value)
{
    uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    int exponent = (int)(magnitude >> 23) - 127;

    if (magnitude >= 0x477ff000) /* 65520 and up round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (exponent >= -14) /* a carry out of the mantissa goes into the exponent, as it should */
        return (uint16_t)(sign | rounded_shift(magnitude - (112u << 23), 13));
    if (exponent < -25)
        return (uint16_t)sign;
    uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
    return (uint16_t)(sign | rounded_shift(mantissa, -exponent - 1));
}

/* Any bound is exact in double. */
static int64_t saturated(float value, double low, double high, int64_t max)
{
    double v = (double)value;

    return v >= high ? max : v <= low ? (int64_t)low : (int64_t)llrintf(value);
}

#define PUT_INTEGER(name, type, low, high)                     \
    static void name(float value, void *to)                    \
    {                                                          \
        *(type *)to = (type)saturated(value, low, high, high); \
    }
PUT_INTEGER(put_u8, uint8_t, 0, UINT8_MAX)
PUT_INTEGER(put_i16, int16_t, INT16_MIN, INT16_MAX)
PUT_INTEGER(put_u16, uint16_t, 0, UINT16_MAX)
PUT_INTEGER(put_i32, int32_t, INT32_MIN, INT32_MAX)

static void put_i64(float value, void *to)
{
    *(int64_t *)to = saturated(value, -0x1p63, 0x1p63, INT64_MAX);
}

static void put_f16(float value, void *to)
{
    *(uint16_t *)to = mr__float16(value);
}

static void put_bf16(float value, void *to)
{
    *(uint16_t *)to = mr__bfloat16(value);
}

static void put_f32(float value, void *to)
{
    *(float *)to = value;
}

static void put_f64(float value, void *to)
{
    *(double *)to = (double)value;
}

void mr__convert(enum mr_dtype dtype, float value, void *to)
{
    static void (*const put[MR_DTYPE_COUNT])(float, void *) = {
        [MR_U8] = put_u8,     [MR_I16] = put_i16, [MR_U16] = put_u16,
        [MR_I32] = put_i32,   [MR_I64] = put_i64, [MR_F16] = put_f16,
        [MR_BF16] = put_bf16, [MR_F32] = put_f32, [MR_F64] = put_f64,
    };

    put[dtype](value, to);
}
