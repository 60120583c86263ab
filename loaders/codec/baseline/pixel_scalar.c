/* SPDX-License-Identifier: Apache-2.0
 *
 * The row kernels' specification: "fancy" upsampling, a triangle filter whose halves are rounded
 * up and down in turn, and JFIF's colour.
 */
#include "loaders/codec/baseline/pixel_scalar.h"

#include <string.h>

/* The two outputs of sample i lie a quarter before and behind it; beyond the ends the outermost
 * sample goes on. */
static void h2v1_sample(const uint8_t *in, size_t n, size_t i, uint8_t *out)
{
    int left = in[i > 0 ? i - 1 : i], right = in[i + 1 < n ? i + 1 : i];

    out[2 * i] = (uint8_t)((3 * in[i] + left + 1) >> 2);
    out[2 * i + 1] = (uint8_t)((3 * in[i] + right + 2) >> 2);
}

void mr__h2v1_ends(const uint8_t *in, size_t n, uint8_t *out)
{
    h2v1_sample(in, n, 0, out);
    h2v1_sample(in, n, n - 1, out);
}

static void h2v1(const uint8_t *in, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        h2v1_sample(in, n, i, out);
}

static void h2v2_sample(const uint8_t *near, const uint8_t *far, size_t n, size_t i, uint8_t *out)
{
    size_t l = i > 0 ? i - 1 : i, r = i + 1 < n ? i + 1 : i;
    int here = 3 * near[i] + far[i], left = 3 * near[l] + far[l], right = 3 * near[r] + far[r];

    out[2 * i] = (uint8_t)((3 * here + left + 8) >> 4);
    out[2 * i + 1] = (uint8_t)((3 * here + right + 7) >> 4);
}

void mr__h2v2_ends(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    h2v2_sample(near, far, n, 0, out);
    h2v2_sample(near, far, n, n - 1, out);
}

static void h2v2(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        h2v2_sample(near, far, n, i, out);
}

static void h1v2(const uint8_t *near, const uint8_t *far, size_t n, bool lower, uint8_t *out)
{
    int bias = lower ? 2 : 1;

    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)((3 * near[i] + far[i] + bias) >> 2);
}

void mr__repeat_scalar(const uint8_t *in, size_t n, int times, uint8_t *out)
{
    for (size_t i = 0; i < n; i++, out += times)
        memset(out, in[i], (size_t)times);
}

static uint8_t clamped(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* JFIF's factors times 2^16: 1.402, 0.71414, 0.34414, 1.772. */
enum { CR_RED = 91881, CR_GREEN = 46802, CB_GREEN = 22554, CB_BLUE = 116130, HALF = 32768 };

static void pixel(int y, int cb, int cr, uint8_t *out)
{
    cb -= 128;
    cr -= 128;
    out[0] = clamped(y + ((CR_RED * cr + HALF) >> 16));
    out[1] = clamped(y + ((-CB_GREEN * cb - CR_GREEN * cr + HALF) >> 16));
    out[2] = clamped(y + ((CB_BLUE * cb + HALF) >> 16));
}

static void rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        pixel(y[i], cb[i], cr[i], out + 3 * i);
}

static void rgba(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        pixel(y[i], cb[i], cr[i], out + 4 * i);
        out[4 * i + 3] = 255;
    }
}

static void gray_rgb(const uint8_t *y, size_t n, uint8_t *out)
{
    mr__repeat_scalar(y, n, 3, out);
}

static void gray_rgba(const uint8_t *y, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        memset(out + 4 * i, y[i], 3);
        out[4 * i + 3] = 255;
    }
}

const struct mr_pixel_kernels mr__pixels_scalar = {
    .level = MR_CPU_SCALAR,
    .idct = mr__idct_scalar,
    .h2v1 = h2v1,
    .h2v2 = h2v2,
    .h1v2 = h1v2,
    .repeat = mr__repeat_scalar,
    .rgb = rgb,
    .rgba = rgba,
    .gray_rgb = gray_rgb,
    .gray_rgba = gray_rgba,
};
