/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_image.h"

#include "loaders/codec/baseline/pixel_kernels.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* The sum of what the coefficients are when they are multiplied out, and a number that is not less
 * than the largest AC coefficient and has its highest bit: all without their signs. */
#ifdef __SSE2__
static int32_t weigh(const int16_t block[64], const uint16_t quant[64], int32_t *most)
{
    const __m128i zero = _mm_setzero_si128();
    __m128i sum = zero, all = zero;
    for (int k = 0; k < 64; k += 8) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(block + k));
        __m128i q = _mm_loadu_si128((const __m128i *)(const void *)(quant + k));
        v = _mm_max_epi16(v, _mm_subs_epi16(zero, v)); /* of -32768: 32767, too large as well */
        sum = _mm_add_epi32(sum, _mm_madd_epi16(v, q));
        all = _mm_or_si128(all, k ? v : _mm_insert_epi16(v, 0, 0));
    }
    int16_t lane[8];
    int32_t part[4];
    _mm_storeu_si128((__m128i *)(void *)lane, all);
    _mm_storeu_si128((__m128i *)(void *)part, sum);
    *most = 0;
    for (int i = 0; i < 8; i++)
        *most |= lane[i];
    return part[0] + part[1] + part[2] + part[3];
}
#else
static int32_t weigh(const int16_t block[64], const uint16_t quant[64], int32_t *most)
{
    int32_t sum = 0;
    *most = 0;
    for (int k = 0; k < 64; k++) {
        int32_t v = block[k] < 0 ? -block[k] : block[k];
        sum += v * quant[k];
        *most |= k ? v : 0;
    }
    return sum;
}
#endif

/* `block` in natural order. */
static bool good_block(const int16_t block[64], const uint16_t quant[64])
{
    int32_t most, sum = weigh(block, quant, &most);
    return block[0] >= DC_LEAST && block[0] <= DC_MOST && most <= AC_MOST &&
           (sum <= CERTAIN || agrees(block, quant));
}

static void turn(const int16_t from[64], int16_t to[64])
{
    for (int k = 0; k < 64; k++)
        to[k] = from[mr__packed_natural[k]];
}

/* A block that no picture has: the value of the one before costs least. */
static void empty(int16_t block[64], int16_t dc)
{
    memset(block, 0, 64 * sizeof *block);
    block[0] = dc;
}

/* The component's blocks in the order in which an MCU has them decide which one comes before. */
static bool component_row(const struct mr_packed_image *image, int32_t row, int number,
                          int16_t (*to)[64])
{
    const struct mr_packed_component *c = &image->body->component[number];
    struct jpeg_decompress_struct *cinfo = image->cinfo;
    const jpeg_component_info *info = &cinfo->comp_info[number];
    int32_t across = image->body->across * c->h, w = (int32_t)info->width_in_blocks;
    int32_t h = (int32_t)info->height_in_blocks;
    int16_t dc = 0;
    JBLOCKARRAY rows[2];
    for (int32_t y = 0; y < c->v && row * c->v + y < h; y++)
        rows[y] = cinfo->mem->access_virt_barray((j_common_ptr)cinfo, image->coefficients[number],
                                                 (JDIMENSION)(row * c->v + y), 1, FALSE);
    for (int32_t i = 0; i < across * c->v; i++) {
        int32_t mcu = i / (c->h * c->v), k = i % (c->h * c->v);
        int32_t x = mcu * c->h + k % c->h, y = k / c->h;
        int16_t *block = to[y * across + x];
        if (x >= w || row * c->v + y >= h) {
            empty(block, dc);
            continue;
        }
        const int16_t *from = rows[y][0][x];
        if (!good_block(from, image->body->quant[c->quant]))
            return false;
        turn(from, block);
        dc = block[0];
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
