/* SPDX-License-Identifier: Apache-2.0
 *
 * The specification of a warp's values. float32, each operation rounded by itself.
 */
#include "augment/kernel/warp.h"
#include "augment/kernel/warp_points.h"

#define ONE (1 << MR_WARP_BITS)

static bool inside(const struct mr_view *src, int32_t u, int32_t v)
{
    return u >= 0 && v >= 0 && u >> MR_WARP_BITS < src->w && v >> MR_WARP_BITS < src->h;
}

static const uint8_t *pixel(const struct mr_view *src, int32_t x, int32_t y)
{
    return (const uint8_t *)src->data + y * src->stride + (ptrdiff_t)x * src->c;
}

static void nearest(const struct mr_view *src, const int32_t *u, const int32_t *v, int n,
                    const uint8_t *fill, uint8_t *out)
{
    for (int i = 0; i < n; i++, out += src->c) {
        const uint8_t *p = fill;
        if (inside(src, u[i], v[i]))
            p = pixel(src, u[i] >> MR_WARP_BITS, v[i] >> MR_WARP_BITS);
        for (int ch = 0; ch < src->c; ch++)
            out[ch] = p[ch];
    }
}

/* The pixel before a point and how far behind its centre the point is. Beyond the first and the
 * last centre it is that pixel itself. */
struct place {
    int32_t at;
    float part;
};

static struct place place_of(int32_t point, int32_t size)
{
    int32_t at = (point - ONE / 2) >> MR_WARP_BITS;

    if (at < 0 || at >= size - 1)
        return (struct place){at < 0 ? 0 : size - 1, 0};
    return (struct place){at, (float)((point - ONE / 2) & (ONE - 1)) * (1.0f / ONE)};
}

static float between(uint8_t a, uint8_t b, float part)
{
    return (float)a + ((float)b - (float)a) * part;
}

static void bilinear(const struct mr_view *src, const int32_t *u, const int32_t *v, int n,
                     const uint8_t *fill, uint8_t *out)
{
    for (int i = 0; i < n; i++, out += src->c) {
        if (!inside(src, u[i], v[i])) {
            for (int ch = 0; ch < src->c; ch++)
                out[ch] = fill[ch];
            continue;
        }
        struct place x = place_of(u[i], src->w), y = place_of(v[i], src->h);
        const uint8_t *a = pixel(src, x.at, y.at);
        const uint8_t *b = pixel(src, x.at, y.at + (y.part > 0));
        int next = x.part > 0 ? src->c : 0;
        for (int ch = 0; ch < src->c; ch++) {
            float up = between(a[ch], a[ch + next], x.part);
            float low = between(b[ch], b[ch + next], x.part);
            out[ch] = (uint8_t)(up + (low - up) * y.part);
        }
    }
}

static void points(const struct mr_warp_line *line, const struct mr_view *src, int32_t x,
                   int32_t *u, int32_t *v)
{
    mr__warp_points(line, src, x, u, v);
}

const struct mr_warp_kernel mr__warp_scalar = {
    .name = "scalar",
    .level = MR_CPU_SCALAR,
    .points = points,
    .nearest = nearest,
    .bilinear = bilinear,
};
