/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/columns.h"

#include <math.h>
#include <string.h>

/* A number on its way: integers stay exact beyond 2^53. */
struct number {
    int64_t i;
    double f;
    int is_float;
};

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 0)
        return (sign ? -1.0f : 1.0f) * ldexpf((float)fraction, -24);
    uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static uint16_t float_to_half(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float a = fabsf(f);
    if (isnan(f))
        return sign | 0x7e00;
    if (a >= 65520.0f) /* rounds to more than the largest half */
        return sign | 0x7c00;
    if (a < 0x1p-14f) /* subnormal: units of 2^-24; rintf rounds to nearest even */
        return sign | (uint16_t)rintf(a * 0x1p24f);
    memcpy(&bits, &a, 4);
    bits += 0xfff + (bits >> 13 & 1);
    return sign | (uint16_t)((bits >> 13) - (112u << 10));
}

static uint16_t float_to_bfloat(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if (isnan(f))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static struct number load(const void *from, mr_dtype type, uint64_t k)
{
    struct number x = {0, 0, 0};
    uint32_t bits;
    float f = 0;
    switch (type) {
    case MR_U8: x.i = ((const uint8_t *)from)[k]; return x;
    case MR_I16: x.i = ((const int16_t *)from)[k]; return x;
    case MR_U16: x.i = ((const uint16_t *)from)[k]; return x;
    case MR_I32: x.i = ((const int32_t *)from)[k]; return x;
    case MR_I64: x.i = ((const int64_t *)from)[k]; return x;
    case MR_F16: f = half_to_float(((const uint16_t *)from)[k]); break;
    case MR_BF16:
        bits = (uint32_t)((const uint16_t *)from)[k] << 16;
        memcpy(&f, &bits, 4);
        break;
    case MR_F32: f = ((const float *)from)[k]; break;
    default: return (struct number){0, ((const double *)from)[k], 1};
    }
    return (struct number){0, f, 1};
}

static int64_t to_integer(struct number x, int64_t lo, int64_t hi)
{
    if (x.is_float) {
        if (isnan(x.f))
            return 0;
        if (x.f <= (double)lo)
            return lo;
        return x.f >= (double)hi ? hi : (int64_t)x.f;
    }
    return x.i < lo ? lo : x.i > hi ? hi : x.i;
}

static void store(void *to, mr_dtype type, uint64_t k, struct number x)
{
    double f = x.is_float ? x.f : (double)x.i;
    switch (type) {
    case MR_U8: ((uint8_t *)to)[k] = (uint8_t)to_integer(x, 0, UINT8_MAX); break;
    case MR_I16: ((int16_t *)to)[k] = (int16_t)to_integer(x, INT16_MIN, INT16_MAX); break;
    case MR_U16: ((uint16_t *)to)[k] = (uint16_t)to_integer(x, 0, UINT16_MAX); break;
    case MR_I32: ((int32_t *)to)[k] = (int32_t)to_integer(x, INT32_MIN, INT32_MAX); break;
    case MR_I64: ((int64_t *)to)[k] = to_integer(x, INT64_MIN, INT64_MAX); break;
    case MR_F16: ((uint16_t *)to)[k] = float_to_half((float)f); break;
    case MR_BF16: ((uint16_t *)to)[k] = float_to_bfloat((float)f); break;
    case MR_F32: ((float *)to)[k] = x.is_float ? (float)x.f : (float)x.i; break;
    default: ((double *)to)[k] = f; break;
    }
}

/* ---- pairs that a compiler makes wide loops of; the numbers are those of `store` ---- */

#define LOOP(from_type, to_type)                                                 \
    static void from_type##_to_##to_type(void *to, const void *from, uint64_t n) \
    {                                                                            \
        const from_type *a = from;                                               \
        to_type *b = to;                                                         \
        for (uint64_t k = 0; k < n; k++)                                         \
            b[k] = (to_type)a[k];                                                \
    }
LOOP(uint8_t, float)
LOOP(int16_t, float)
LOOP(uint16_t, float)
LOOP(int32_t, float)
LOOP(int64_t, float)
LOOP(double, float)
LOOP(float, double)
LOOP(uint8_t, int64_t)
LOOP(int32_t, int64_t)

static const struct {
    mr_dtype from, to;
    void (*loop)(void *to, const void *from, uint64_t n);
} loops[] = {
    {MR_U8, MR_F32, uint8_t_to_float},    {MR_I16, MR_F32, int16_t_to_float},
    {MR_U16, MR_F32, uint16_t_to_float},  {MR_I32, MR_F32, int32_t_to_float},
    {MR_I64, MR_F32, int64_t_to_float},   {MR_F64, MR_F32, double_to_float},
    {MR_F32, MR_F64, float_to_double},    {MR_U8, MR_I64, uint8_t_to_int64_t},
    {MR_I32, MR_I64, int32_t_to_int64_t},
};

void mr__convert_numbers(void *to, mr_dtype to_type, const void *from, mr_dtype from_type,
                         uint64_t n)
{
    if (to_type == from_type) {
        memcpy(to, from, n * mr_dtype_size(to_type));
        return;
    }
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
        if (loops[i].from == from_type && loops[i].to == to_type) {
            loops[i].loop(to, from, n);
            return;
        }
    for (uint64_t k = 0; k < n; k++)
        store(to, to_type, k, load(from, from_type, k));
}
