/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_image.h"

#include "loaders/codec/baseline/pixel_kernels.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <string.h>

enum { AC_MOST = 1023, DC_LEAST = -1024, DC_MOST = 1023 };
/* What a block may sum up to at most for all of libjpeg-turbo's versions to agree (idct_scalar.c);
 * a block with more is looked at column by column. */
enum { CERTAIN = 2952 };

size_t mr__packed_image_blocks(const struct mr_packed_body *body)
{
    size_t blocks = 0;
    for (int i = 0; i < body->components; i++)
        blocks += (size_t)(body->component[i].h * body->component[i].v);
    return blocks * (size_t)body->across;
}

static bool agrees(const int16_t block[64], const uint16_t quant[64])
{
    struct mr_tile tile = {0};
    for (int k = 0; k < 64; k++)
        tile.v[k / 8][0][k % 8] = block[k];
    return mr__tile_agrees(&tile, quant);
}

static bool in_range(const int16_t block[64])
{
    for (int k = 1; k < 64; k++) {
        if (block[k] < -AC_MOST || block[k] > AC_MOST)
            return false;
    }
    return block[0] >= DC_LEAST && block[0] <= DC_MOST;
}

/* `block` in natural order. Loops that become few instructions; numbers of 16 bits do, since what
 * has more is out of range. */
static bool good_block(const int16_t block[64], const uint16_t quant[64])
{
    int16_t magnitude[64], any = 0;
    int32_t sum = 0;
    for (int k = 0; k < 64; k++)
        any |= magnitude[k] = (int16_t)(block[k] < 0 ? -block[k] : block[k]);
    if ((any & ~AC_MOST) && !in_range(block))
        return false;
    for (int k = 0; k < 64; k++)
        sum += magnitude[k] * (int16_t)quant[k];
    return sum <= CERTAIN || agrees(block, quant);
}

/* Written out: each place is a constant. */
#define TURN(k) to[k] = from[mr__packed_natural[k]]
#define TURN_4(k) TURN(k), TURN((k) + 1), TURN((k) + 2), TURN((k) + 3)
#define TURN_16(k) TURN_4(k), TURN_4((k) + 4), TURN_4((k) + 8), TURN_4((k) + 12)
static void turn(const int16_t *restrict from, int16_t *restrict to)
{
    TURN_16(0), TURN_16(16), TURN_16(32), TURN_16(48);
}

/* A block that no picture has: the value of the one before costs least. */
static void empty(int16_t block[64], int16_t dc)
{
    memset(block, 0, 64 * sizeof *block);
    block[0] = dc;
}

/* Row y of a component's blocks, of the row of MCUs. */
struct line {
    JBLOCKROW blocks;            /* libjpeg's, or ... */
    const struct mr_slot *slots; /* ... our own */
};

static struct line line_of(const struct mr_packed_image *image, int32_t row, int number, int32_t y)
{
    struct jpeg_decompress_struct *cinfo = image->cinfo;
    JDIMENSION at = (JDIMENSION)(row * image->body->component[number].v + y);
    if (!image->coefficients) {
        const struct mr_feed_plane *p = &image->own.plane[number];
        return (struct line){.slots = p->slot + (ptrdiff_t)p->slots * y};
    }
    return (struct line){.blocks = cinfo->mem->access_virt_barray(
                             (j_common_ptr)cinfo, image->coefficients[number], at, 1, FALSE)[0]};
}

/* A block in natural order. */
static const int16_t *block_of(const struct line *line, int32_t x, int16_t room[64])
{
    if (line->blocks)
        return line->blocks[x];
    const struct mr_tile *tile = &line->slots[x / 4].tile;
    for (int r = 0; r < 8; r++)
        memcpy(room + 8 * r, tile->v[r][x % 4], 8 * sizeof *room);
    return room;
}

static bool take_block(const struct line *line, int32_t x, const uint16_t quant[64], int16_t to[64])
{
    int16_t room[64];
    const int16_t *from = block_of(line, x, room);
    turn(from, to);
    return good_block(from, quant);
}

/* The component's blocks in the order in which an MCU has them decide which one comes before. */
static bool component_row(const struct mr_packed_image *image, int32_t row, int number,
                          int16_t (*to)[64])
{
    const struct mr_packed_component *c = &image->body->component[number];
    const jpeg_component_info *info = &image->cinfo->comp_info[number];
    int32_t across = image->body->across * c->h, w = (int32_t)info->width_in_blocks;
    int32_t h = (int32_t)info->height_in_blocks;
    int16_t dc = 0;
    struct line lines[2];
    for (int32_t y = 0; y < c->v && row * c->v + y < h; y++)
        lines[y] = line_of(image, row, number, y);
    for (int32_t mcu = 0; mcu < image->body->across; mcu++) {
        for (int32_t y = 0; y < c->v; y++) {
            for (int32_t x = mcu * c->h; x < (mcu + 1) * c->h; x++) {
                int16_t *block = to[y * across + x];
                if (x >= w || row * c->v + y >= h)
                    empty(block, dc);
                else if (!take_block(&lines[y], x, image->body->quant[c->quant], block))
                    return false;
                dc = block[0];
            }
        }
    }
    return true;
}

bool mr__packed_image_row(const struct mr_packed_image *image, int32_t row,
                          struct mr_packed_blocks *to)
{
    const struct mr_packed_body *body = image->body;
    int16_t(*at)[64] = image->blocks;
    *to = (struct mr_packed_blocks){.mcus = body->across, .planes = body->components};
    for (int i = 0; i < body->components; i++) {
        const struct mr_packed_component *c = &body->component[i];
        to->plane[i] =
            (struct mr_packed_plane){c->h, c->v, body->across * c->h, (const int16_t(*)[64])at};
        if (!component_row(image, row, i, at))
            return false;
        at += (ptrdiff_t)body->across * c->h * c->v;
    }
    return true;
}
