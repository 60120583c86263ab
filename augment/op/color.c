/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/op/color.h"

#include <math.h>

static uint8_t *row_of(const struct mr_view *image, int32_t y)
{
    return (uint8_t *)image->data + (int64_t)y * image->stride;
}

/* Pillow's integer luma (ITU-R 601-2). */
static uint8_t luma(const uint8_t *p)
{
    return (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

/* From `zero` (factor 0) to `v` (factor 1) and beyond, cut to 0 .. 255, fractions dropped. In
 * float, as in Pillow: its rounding errors are part of the result. */
static uint8_t blend(int zero, int v, float factor)
{
    float r = (float)zero + factor * (float)(v - zero);
    return (uint8_t)(r <= 0 ? 0 : r >= 255 ? 255 : r);
}

static void apply_table(const struct mr_view *image, const uint8_t table[256])
{
    int32_t colours = image->c == 4 ? 3 : image->c;
    for (int32_t y = 0; y < image->h; y++) {
        uint8_t *p = row_of(image, y);
        for (int32_t x = 0; x < image->w; x++, p += image->c) {
            for (int32_t c = 0; c < colours; c++)
                p[c] = table[p[c]];
        }
    }
}

static void blend_with(const struct mr_view *image, int zero, double factor)
{
    uint8_t table[256];
    if (factor == 1)
        return;
    for (int v = 0; v < 256; v++)
        table[v] = blend(zero, v, (float)factor);
    apply_table(image, table);
}

void mr__color_brightness(const struct mr_view *image, double factor)
{
    blend_with(image, 0, factor);
}

static int mean_luma(const struct mr_view *image)
{
    uint64_t sum = 0;
    for (int32_t y = 0; y < image->h; y++) {
        const uint8_t *p = row_of(image, y);
        uint32_t row = 0; /* at most 65535 pixels of 255 */
        for (int32_t x = 0; x < image->w; x++, p += image->c)
            row += image->c == 1 ? p[0] : luma(p);
        sum += row;
    }
    return (int)((double)sum / ((double)image->w * image->h) + 0.5);
}

void mr__color_contrast(const struct mr_view *image, double factor)
{
    blend_with(image, mean_luma(image), factor);
}

void mr__color_saturation(const struct mr_view *image, double factor)
{
    float f = (float)factor;
    if (image->c == 1 || factor == 1)
        return;
    for (int32_t y = 0; y < image->h; y++) {
        uint8_t *p = row_of(image, y);
        for (int32_t x = 0; x < image->w; x++, p += image->c) {
            int gray = luma(p);
            for (int c = 0; c < 3; c++)
                p[c] = blend(gray, p[c], f);
        }
    }
}

/* ---- hue ------------------------------------------------------------------------------------ */

struct hsv {
    uint8_t h, s, v;
};

static struct hsv to_hsv(const uint8_t *p)
{
    int max = p[0] > p[1] ? p[0] : p[1], min = p[0] < p[1] ? p[0] : p[1];
    max = max > p[2] ? max : p[2];
    min = min < p[2] ? min : p[2];
    if (max == min)
        return (struct hsv){0, 0, (uint8_t)max};
    float range = (float)(max - min), h;
    float r = (float)(max - p[0]) / range, g = (float)(max - p[1]) / range;
    float b = (float)(max - p[2]) / range;
    if (p[0] == max)
        h = b - g;
    else if (p[1] == max)
        h = (float)(2.0 + (double)r - (double)b);
    else
        h = (float)(4.0 + (double)g - (double)r);
    double turn = (double)h / 6.0 + 1.0; /* 5/6 .. 11/6 */
    h = (float)(turn >= 1.0 ? turn - 1.0 : turn);
    float s = range / (float)max;
    return (struct hsv){(uint8_t)((double)h * 255.0), (uint8_t)((double)s * 255.0), (uint8_t)max};
}

static void to_rgb(struct hsv c, uint8_t *out)
{
    /* Which of v, p, q, t each channel takes in the six sectors of the circle. */
    static const uint8_t pick[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                       {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
    double turn = (double)(float)c.h * 6.0 / 255.0;
    int sector = (int)turn;
    float f = (float)(turn - (double)(float)sector), s = (float)((float)c.s / 255.0);
    double v = (double)(float)c.v;
    uint8_t value[4] = {c.v, (uint8_t)(v * (1.0 - (double)s) + 0.5),
                        (uint8_t)(v * (1.0 - (double)(s * f)) + 0.5),
                        (uint8_t)(v * (1.0 - (double)s * (1.0 - (double)f)) + 0.5)};
    for (int i = 0; i < 3; i++)
        out[i] = value[pick[sector % 6][i]];
}

void mr__color_hue(const struct mr_view *image, double shift)
{
    uint8_t add = (uint8_t)(int)(shift * 255);
    if (image->c == 1)
        return;
    for (int32_t y = 0; y < image->h; y++) {
        uint8_t *p = row_of(image, y);
        for (int32_t x = 0; x < image->w; x++, p += image->c) {
            struct hsv c = to_hsv(p);
            c.h = (uint8_t)(c.h + add);
            if (c.s == 0)
                p[0] = p[1] = p[2] = c.v;
            else
                to_rgb(c, p);
        }
    }
}
