/* SPDX-License-Identifier: Apache-2.0
 *
 * plain_png.c: PNG (ISO/IEC 15948) around deflate's stored blocks (RFC 1951, 3.2.4), one per row,
 * so that rows are written where they stay.
 */
#include "plain_png.h"

#include <string.h>

#include <zlib.h>

#define SIGNATURE 8
#define CHUNK 12 /* length, type and CRC around a chunk's data */
#define HEADER 13
#define BLOCK 5    /* last or not, length, its complement */
#define ZLIB 2     /* method and level, before the blocks */
#define CHECKSUM 4 /* behind them */
#define FILTER 1   /* 0 before each row: bytes as they are */

static uint8_t *put_big32(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 24);
    to[1] = (uint8_t)(v >> 16);
    to[2] = (uint8_t)(v >> 8);
    to[3] = (uint8_t)v;
    return to + 4;
}

/* `data` is where a chunk's n bytes of data lie, with room for what goes around them. */
static uint8_t *close_chunk(uint8_t *data, const char *type, uint32_t n)
{
    memcpy(data - 4, type, 4);
    put_big32(data - 8, n);
    return put_big32(data + n, (uint32_t)crc32_z(0, data - 4, 4 + (size_t)n));
}

static size_t row_bytes(uint32_t w)
{
    return FILTER + 3 * (size_t)w;
}

static size_t pixel_bytes(uint32_t w, uint32_t h)
{
    return ZLIB + h * (BLOCK + row_bytes(w)) + CHECKSUM;
}

size_t mr__plain_png_bytes(uint32_t w, uint32_t h)
{
    return SIGNATURE + (CHUNK + HEADER) + (CHUNK + pixel_bytes(w, h)) + CHUNK;
}

static uint8_t *put_header(uint8_t *data, uint32_t w, uint32_t h)
{
    static const uint8_t kind[5] = {8, 2, 0, 0,
                                    0}; /* bits, RGB, deflate, filters, not interlaced */
    memcpy(put_big32(put_big32(data, w), h), kind, sizeof kind);
    return close_chunk(data, "IHDR", HEADER);
}

static uint8_t *put_pixels(uint8_t *data, uint32_t w, uint32_t h, mr_plain_png_row *row,
                           const void *ctx)
{
    uint32_t n = (uint32_t)row_bytes(w), sum = (uint32_t)adler32(0, NULL, 0);
    uint8_t *to = data;
    *to++ = 0x78;
    *to++ = 0x01;
    for (uint32_t y = 0; y < h; y++) {
        *to++ = y + 1 == h;
        *to++ = (uint8_t)n;
        *to++ = (uint8_t)(n >> 8);
        *to++ = (uint8_t)~n;
        *to++ = (uint8_t)(~n >> 8);
        *to = 0;
        row(ctx, y, to + FILTER);
        sum = (uint32_t)adler32(sum, to, n);
        to += n;
    }
    put_big32(to, sum);
    return close_chunk(data, "IDAT", (uint32_t)pixel_bytes(w, h));
}

void mr__plain_png_write(uint8_t *to, uint32_t w, uint32_t h, mr_plain_png_row *row,
                         const void *ctx)
{
    static const uint8_t signature[SIGNATURE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    memcpy(to, signature, SIGNATURE);
    to = put_header(to + SIGNATURE + 8, w, h);
    to = put_pixels(to + 8, w, h, row, ctx);
    close_chunk(to + 8, "IEND", 0);
}
