/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_shape.c: what of an image is read, what of it is made, and where that goes.
 */
#include "loaders/codec/baseline/baseline_types.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 65500, MAX_ACROSS = 4, MAX_DOWN = 2, LINE = 64 };

static int32_t ceil_div(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* libjpeg-turbo's choice (jinit_upsampler). */
static enum mr_up choose_up(const struct mr_plane *p)
{
    if (p->across == 1 && p->down == 1)
        return MR_UP_NONE;
    if (p->across == 1 && p->down == 2)
        return MR_UP_H1V2;
    if (p->across == 2 && p->w > 2)
        return p->down == 1 ? MR_UP_H2V1 : MR_UP_H2V2;
    return MR_UP_REPEAT;
}

static bool plane_of(struct mr_plane *p, const struct mr_plain_component *c,
                     const struct mr_baseline *b, int32_t max_h, int32_t max_v)
{
    if (max_h % c->h || max_v % c->v || !c->quant)
        return false;
    p->h = c->h;
    p->v = c->v;
    p->across = max_h / c->h;
    p->down = max_v / c->v;
    p->w = ceil_div(b->w, p->across);
    p->rows = ceil_div(b->h, p->down);
    p->up = choose_up(p);
    for (int k = 0; k < 64; k++) {
        if (c->quant[k] > 255) /* tables of 16 bits are none of baseline's */
            return false;
        p->quant[k] = c->quant[k];
    }
    return true;
}

/* The samples that pixels [b->crop.x, + w) come of. Those at the ends of a row of "fancy"
 * upsampling are right only at the image's own ends, so one more on each side is taken. */
static void choose_samples(struct mr_plane *p, const struct mr_baseline *b)
{
    bool fancy = p->up == MR_UP_H2V1 || p->up == MR_UP_H2V2;
    int32_t to = ceil_div(b->crop.x + b->crop.w, p->across) + fancy;
    p->from = most(b->crop.x / p->across - fancy, 0);
    p->n = least(to, p->w) - p->from;
}

static bool planes_of(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg)
{
    int32_t max_h = 0, max_v = 0, blocks = 0;
    b->planes = jpeg->components;
    for (int i = 0; i < b->planes; i++) {
        const struct mr_plain_component *c = &jpeg->component[i];
        if (c->h < 1 || c->h > MAX_ACROSS || c->v < 1 || c->v > 4)
            return false;
        max_h = most(max_h, c->h);
        max_v = most(max_v, c->v);
        blocks += c->h * c->v;
    }
    if (b->planes == 1) { /* an MCU of a single component is a block, whatever its factors */
        struct mr_plain_component gray = jpeg->component[0];
        gray.h = gray.v = 1;
        return plane_of(&b->plane[0], &gray, b, 1, 1);
    }
    if (max_v > MAX_DOWN || blocks > MR_MCU_BLOCKS)
        return false;
    for (int i = 0; i < b->planes; i++) {
        if (!plane_of(&b->plane[i], &jpeg->component[i], b, max_h, max_v))
            return false;
    }
    return true;
}

/* Rows of MCUs. libjpeg-turbo reads the row below the crop where a component's neighbouring rows
 * count and the crop ends in the last group of rows of an MCU, and gray MCUs in groups; damage
 * there has to be met here, too. */
static void choose_rows(struct mr_baseline *b, int32_t gray_rows)
{
    int32_t end = b->crop.y + b->crop.h, group = b->mcu_h / 8;
    b->context = 0;
    for (int i = 0; i < b->planes; i++)
        b->context |= b->plane[i].up == MR_UP_H2V2 || b->plane[i].up == MR_UP_H1V2;
    b->down = ceil_div(b->h, b->mcu_h);
    b->top = most(b->crop.y - b->context, 0) / b->mcu_h;
    b->made = least(end - 1 + b->context, b->h - 1) / b->mcu_h + 1;
    b->bottom = (end - 1 + (b->context ? group : 0)) / b->mcu_h + 1;
    b->bottom = least(ceil_div(b->bottom, gray_rows) * gray_rows, b->down);
}

/* Tiles that nobody looks at are left out where MCUs were added to begin at a multiple of some; the
 * others lie within the first and last MCU. */
static void choose_columns(struct mr_baseline *b)
{
    b->across = ceil_div(b->w, b->mcu_w);
    b->first = b->across;
    b->last = 0;
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        choose_samples(p, b);
        b->first = least(b->first, p->from / (8 * p->h));
        b->last = most(b->last, ceil_div(p->from + p->n, 8 * p->h));
    }
    if (b->feed && b->feed->align)
        b->first -= b->first % b->feed->align;
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        p->left = b->first * 8 * p->h;
        p->slots = ceil_div((b->last - b->first) * p->h, 4);
        p->tile = (p->from - p->left) / 32;
        p->tiles = ceil_div(p->from + p->n - p->left, 32);
        if (!b->feed || !b->feed->align) {
            p->tile = 0;
            p->tiles = p->slots;
        }
    }
}

static int64_t padded(int64_t bytes)
{
    return (bytes + MR_PIXEL_SLACK + LINE - 1) / LINE * LINE;
}

/* Memory whose contents may be lost. */
static bool grow(uint8_t **memory, size_t *have, size_t bytes)
{
    if (bytes <= *have)
        return true;
    free(*memory);
    *memory = aligned_alloc(LINE, bytes);
    *have = *memory ? bytes : 0;
    return *memory != NULL;
}

static bool place_slots(struct mr_baseline *b)
{
    size_t n = 0, bytes = b->nslots * sizeof *b->slots;
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        n += (size_t)p->slots * (size_t)p->v;
    }
    if (n > b->nslots) {
        uint8_t *memory = (uint8_t *)b->slots;
        bool good = grow(&memory, &bytes, n * sizeof *b->slots);
        b->slots = (struct mr_slot *)(void *)memory;
        b->nslots = good ? n : 0;
        b->dirty = true;
        if (!good)
            return false;
    }
    if (b->dirty)
        memset(b->slots, 0, b->nslots * sizeof *b->slots);
    b->dirty = false;
    n = 0;
    for (int i = 0; i < b->planes; i++) {
        b->plane[i].slot = b->slots + n;
        n += (size_t)b->plane[i].slots * (size_t)b->plane[i].v;
    }
    return true;
}

static bool place_rows(struct mr_baseline *b)
{
    size_t bytes = 0;
    b->pitch = padded((int64_t)b->crop.w * b->c);
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        p->stride = padded((int64_t)p->slots * 32);
        bytes += (size_t)p->stride * 16 * (size_t)p->v;
        bytes += (size_t)padded((int64_t)p->n * p->across);
    }
    if (!grow(&b->memory, &b->memory_bytes, bytes + (size_t)b->pitch * MR_BASELINE_ROWS))
        return false;
    uint8_t *at = b->memory;
    b->out = at;
    at += b->pitch * MR_BASELINE_ROWS;
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        p->samples = at;
        at += p->stride * 16 * p->v;
        p->wide = at;
        at += padded((int64_t)p->n * p->across);
    }
    return true;
}

bool mr__baseline_shape(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg)
{
    int32_t gray_rows = 1;
    b->w = jpeg->w;
    b->h = jpeg->h;
    if ((jpeg->components != 1 && jpeg->components != 3) || b->w < 1 || b->h < 1 ||
        b->w > MAX_SIDE || b->h > MAX_SIDE || !planes_of(b, jpeg))
        return false;
    b->mcu_w = 8 * b->plane[0].h * b->plane[0].across;
    b->mcu_h = 8 * b->plane[0].v * b->plane[0].down;
    if (b->planes == 1)
        gray_rows = jpeg->component[0].v;
    choose_rows(b, gray_rows);
    choose_columns(b);
    return place_slots(b) && place_rows(b);
}
