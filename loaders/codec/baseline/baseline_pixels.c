/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_pixels.c: from planes of samples to rows of pixels.
 */
#include "loaders/codec/baseline/baseline_types.h"

#include <string.h>

/* Neither v nor down is anything but 1 or 2 (baseline_shape.c): no division is needed. */
static const uint8_t *sample_row(const struct mr_plane *p, int32_t y, int32_t x)
{
    return p->samples + p->stride * (y & (16 * p->v - 1)) + (x - p->left);
}

/* The row of the other side of pixel row y; the image's first and last row have themselves there.
 */
static int32_t far_row(const struct mr_plane *p, int32_t y)
{
    int32_t far = y / 2 + (y % 2 ? 1 : -1);
    return far < 0 ? 0 : far < p->rows ? far : p->rows - 1;
}

/* The samples of the crop's part of pixel row y. */
static const uint8_t *upsampled(const struct mr_baseline *b, const struct mr_plane *p, int32_t y)
{
    const struct mr_pixel_kernels *k = b->kernels;
    const uint8_t *near = sample_row(p, y >> (p->down - 1), p->from);
    size_t n = (size_t)p->n;
    switch (p->up) {
    case MR_UP_NONE: return near;
    case MR_UP_H2V1: k->h2v1(near, n, p->wide); break;
    case MR_UP_H2V2: k->h2v2(near, sample_row(p, far_row(p, y), p->from), n, p->wide); break;
    case MR_UP_H1V2: k->h1v2(near, sample_row(p, far_row(p, y), p->from), n, y % 2, p->wide); break;
    case MR_UP_REPEAT: k->repeat(near, n, p->across, p->wide); break;
    }
    return p->wide + (b->crop.x - p->from * p->across);
}

static void gray_row(const struct mr_baseline *b, int32_t y, uint8_t *to)
{
    const uint8_t *from = upsampled(b, &b->plane[0], y);
    size_t n = (size_t)b->crop.w;
    if (b->c == 1)
        memcpy(to, from, n);
    else if (b->c == 3)
        b->kernels->gray_rgb(from, n, to);
    else
        b->kernels->gray_rgba(from, n, to);
}

static void colour_row(const struct mr_baseline *b, int32_t y, uint8_t *to)
{
    const uint8_t *from[3];
    for (int i = 0; i < 3; i++)
        from[i] = upsampled(b, &b->plane[i], y);
    if (b->c == 3)
        b->kernels->rgb(from[0], from[1], from[2], (size_t)b->crop.w, to);
    else
        b->kernels->rgba(from[0], from[1], from[2], (size_t)b->crop.w, to);
}

void mr__baseline_pixels(struct mr_baseline *b, int32_t y, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        if (b->planes == 1)
            gray_row(b, y + i, b->out + b->pitch * i);
        else
            colour_row(b, y + i, b->out + b->pitch * i);
    }
}
