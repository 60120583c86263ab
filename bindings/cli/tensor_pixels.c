/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor_pixels.h"

#include <math.h>
#include <string.h>

static bool is_channels(int64_t n)
{
    return n == 1 || n == 3 || n == 4;
}

bool tensor_image_shape(const mr_tensor *t, struct image_shape *s)
{
    const int64_t *n = t->shape, *d = t->strides;
    if (t->ndim == 3)
        *s = (struct image_shape){n[0], n[1], n[2], 1, d[0], d[1], d[2], 0};
    else if (t->ndim == 4 && is_channels(n[3]) && (!is_channels(n[1]) || n[1] > n[3]))
        *s = (struct image_shape){n[0], n[1], n[2], n[3], d[0], d[1], d[2], d[3]};
    else if (t->ndim == 4 && is_channels(n[1]))
        *s = (struct image_shape){n[0], n[2], n[3], n[1], d[0], d[2], d[3], d[1]};
    else
        return false;
    return s->h > 0 && s->w > 0;
}

static double half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 0    ? ldexp(fraction, -24)
                  : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -size : size;
}

static double brain(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

#define READ(type)                        \
    {                                     \
        type value;                       \
        memcpy(&value, at, sizeof value); \
        return (double)value;             \
    }

static double read_u8(const void *at) READ(uint8_t) static double read_i16(const void *at)
    READ(int16_t) static double read_u16(const void *at)
        READ(uint16_t) static double read_i32(const void *at)
            READ(int32_t) static double read_i64(const void *at)
                READ(int64_t) static double read_f32(const void *at)
                    READ(float) static double read_f64(const void *at) READ(double)

                        static double read_f16(const void *at)
{
    return half((uint16_t)read_u16(at));
}

static double read_bf16(const void *at)
{
    return brain((uint16_t)read_u16(at));
}

static double (*const readers[MR_DTYPE_COUNT])(const void *) = {
    [MR_U8] = read_u8,     [MR_I16] = read_i16, [MR_U16] = read_u16,
    [MR_I32] = read_i32,   [MR_I64] = read_i64, [MR_F16] = read_f16,
    [MR_BF16] = read_bf16, [MR_F32] = read_f32, [MR_F64] = read_f64,
};

double tensor_number(mr_dtype dtype, const void *at)
{
    return readers[dtype](at);
}

static const char *element(const mr_tensor *t, const struct image_shape *s, int64_t row, int64_t x,
                           int64_t y, int64_t c)
{
    return (const char *)t->data + row * s->row_stride + y * s->y_stride + x * s->x_stride +
           c * s->c_stride;
}

struct tensor_range tensor_image_range(const mr_tensor *t, const struct image_shape *s, int64_t row)
{
    double lo = INFINITY, hi = -INFINITY;
    if (t->dtype == MR_U8)
        return (struct tensor_range){0, 1};
    if (t->dtype == MR_U16)
        return (struct tensor_range){0, 255.0 / 65535};
    for (int64_t c = 0; c < s->c; c++) {
        for (int64_t y = 0; y < s->h; y++) {
            for (int64_t x = 0; x < s->w; x++) {
                double v = tensor_number(t->dtype, element(t, s, row, x, y, c));
                lo = v < lo ? v : lo;
                hi = v > hi ? v : hi;
            }
        }
    }
    if (lo >= 0 && hi <= 1)
        return (struct tensor_range){0, 255};
    if (lo >= 0 && hi <= 255)
        return (struct tensor_range){0, 1};
    return (struct tensor_range){lo, hi > lo ? 255 / (hi - lo) : 0};
}

static uint8_t to_byte(double v)
{
    return v >= 255 ? 255 : v > 0 ? (uint8_t)(v + 0.5) : 0; /* what is no number is 0 */
}

static double mean(const mr_tensor *t, const struct image_shape *s, int64_t row, int64_t x0,
                   int64_t y0, int64_t step, int64_t c)
{
    double sum = 0;
    int64_t x1 = x0 + step < s->w ? x0 + step : s->w;
    int64_t y1 = y0 + step < s->h ? y0 + step : s->h;
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0; x < x1; x++)
            sum += tensor_number(t->dtype, element(t, s, row, x, y, c));
    return sum / (double)((x1 - x0) * (y1 - y0));
}

void tensor_pixel(const mr_tensor *t, const struct image_shape *s, int64_t row, int64_t x,
                  int64_t y, int64_t step, const struct tensor_range *range, uint8_t rgb[3])
{
    for (int c = 0; c < 3; c++) {
        if (c < s->c)
            rgb[c] = to_byte((mean(t, s, row, x, y, step, c) - range->lo) * range->scale);
        else
            rgb[c] = rgb[0];
    }
}
