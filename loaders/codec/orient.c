/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/orient.h"

#include <string.h>

struct mr_turn mr__orient_turn(int32_t orientation)
{
    static const struct mr_turn turns[9] = {
        [2] = {.flip_x = true},
        [3] = {.flip_x = true, .flip_y = true},
        [4] = {.flip_y = true},
        [5] = {.swap = true},
        [6] = {.swap = true, .flip_y = true},
        [7] = {.swap = true, .flip_x = true, .flip_y = true},
        [8] = {.swap = true, .flip_x = true},
    };
    return turns[orientation >= 1 && orientation <= 8 ? orientation : 1];
}

struct mr_rect mr__orient_stored(int32_t orientation, const struct mr_rect *shown,
                                 int32_t stored_w, int32_t stored_h)
{
    struct mr_turn t = mr__orient_turn(orientation);
    struct mr_rect r = *shown;
    if (t.swap)
        r = (struct mr_rect){shown->y, shown->x, shown->h, shown->w};
    if (t.flip_x)
        r.x = stored_w - r.x - r.w;
    if (t.flip_y)
        r.y = stored_h - r.y - r.h;
    return r;
}

/* Bytes of a pixel as a constant, so that the copies become moves. */
static inline void copy_pixel(uint8_t *to, const uint8_t *from, int size)
{
    switch (size) {
    case 1: memcpy(to, from, 1); break;
    case 2: memcpy(to, from, 2); break;
    case 3: memcpy(to, from, 3); break;
    case 4: memcpy(to, from, 4); break;
    case 6: memcpy(to, from, 6); break;
    default: memcpy(to, from, 8); break;
    }
}

void mr__orient_rows(int32_t orientation, const uint8_t *rows, int64_t stride, int32_t first,
                     int32_t n, const struct mr_view *dst)
{
    struct mr_turn t = mr__orient_turn(orientation);
    int size = dst->c * (dst->bits / 8);
    int32_t w = t.swap ? dst->h : dst->w, h = t.swap ? dst->w : dst->h;
    /* One step along a stored row, and one down, as bytes in dst. */
    int64_t across = t.swap ? dst->stride : size, down = t.swap ? size : dst->stride;
    uint8_t *origin = dst->data;
    if (t.flip_x) {
        origin += (w - 1) * across;
        across = -across;
    }
    if (t.flip_y) {
        origin += (h - 1) * down;
        down = -down;
    }
    /* Columns outside: with swapped axes the n pixels of a column are neighbours in dst. */
    for (int32_t x = 0; x < w; x++) {
        uint8_t *to = origin + x * across + first * down;
        const uint8_t *from = rows + (int64_t)x * size;
        for (int32_t y = 0; y < n; y++)
            copy_pixel(to + y * down, from + y * stride, size);
    }
}
