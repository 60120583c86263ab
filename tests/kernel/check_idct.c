/* SPDX-License-Identifier: Apache-2.0
 *
 * The inverse DCT, for pictures and for coefficients and tables that no picture has.
 */
#include "check.h"

#include "loaders/codec/baseline/pixel_kernels.h"

#include <string.h>

static const uint8_t natural[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

enum kind { PICTURE, LARGE, ANY, EXTREME, KINDS };

static int coefficient(struct check *c, enum kind kind, int k)
{
    static const int extremes[] = {0, 1, -1, 2047, -2048, 8191, 8192, -8192, -8193, 32767, -32768};

    switch (kind) {
    case PICTURE: return check_between(c, -1000, 1000) / (1 + k * k);
    case LARGE: return check_between(c, -2047, 2047);
    case ANY: return check_between(c, -32768, 32767);
    default: return extremes[check_between(c, 0, 10)];
    }
}

static uint16_t factor(struct check *c, enum kind kind)
{
    static const uint16_t extremes[] = {0, 1, 2, 255, 32767, 32768, 65535};

    switch (kind) {
    case PICTURE: return (uint16_t)check_between(c, 1, 16);
    case LARGE: return (uint16_t)check_between(c, 1, 255);
    case ANY: return (uint16_t)check_between(c, 0, 65535);
    default: return extremes[check_between(c, 0, 6)];
    }
}

/* Each block ends at a place of its own, `last` at most; some hold one coefficient or two. */
static void fill(struct check *c, struct mr_tile *tile, enum kind kind, int last)
{
    memset(tile, 0, sizeof *tile);
    for (int b = 0; b < 4; b++) {
        int end = check_between(c, 0, 1) ? last : check_between(c, 0, last);
        int sparse = check_between(c, 0, 2) == 0, first_row = check_between(c, 0, 7) == 0;
        for (int k = 0; k <= end; k++) {
            int at = natural[k];
            if ((sparse && check_between(c, 0, 9) > 0) || (first_row && at > 7))
                continue;
            tile->v[at / 8][b][at % 8] = (int16_t)coefficient(c, kind, k);
        }
    }
}

/* Vectors leave tiles whose row 0 is out of 16 bits after the first pass to the C version: here it
 * is not, so that what the other rows do is seen. */
static void tame(struct check *c, struct mr_tile *tile, uint16_t *quant)
{
    for (int i = 0; i < 8; i++) {
        quant[i] = 1;
        for (int b = 0; b < 4; b++) {
            if (tile->v[0][b][i])
                tile->v[0][b][i] = (int16_t)check_between(c, -8192, 8191);
        }
    }
}

static void test(struct check *c)
{
    enum kind kind = (enum kind)check_between(c, 0, KINDS - 1);
    enum kind table = check_between(c, 0, 1) ? kind : (enum kind)check_between(c, 0, KINDS - 1);
    int ends[] = {0, MR_LAST_CORNER, MR_LAST_ALL, check_between(c, 0, 63)};
    int last = ends[check_between(c, 0, 3)], told = check_between(c, 0, 1) ? last : MR_LAST_ALL;
    ptrdiff_t stride = 32 + check_between(c, 0, 40);
    size_t bytes = (size_t)(7 * stride) + 32;
    struct mr_tile empty = {0};
    void *tile[2], *out[2];

    if (!check_case(c, "idct, kinds %d and %d, last %d (%d)", kind, table, last, told))
        return;
    uint16_t *quant = check_room(c, 64 * sizeof *quant, 2);
    for (int i = 0; i < 64; i++)
        quant[i] = factor(c, table);
    check_rooms(c, sizeof(struct mr_tile), 64, tile);
    check_rooms(c, bytes, 1, out);
    fill(c, tile[0], kind, last);
    if (check_between(c, 0, 1))
        tame(c, tile[0], quant);
    memcpy(tile[1], tile[0], sizeof(struct mr_tile));
    mr__pixels_scalar.idct(tile[0], quant, out[0], stride, MR_LAST_ALL);
    mr__pixel_kernels_for(check_cpu(c))->idct(tile[1], quant, out[1], stride, told);
    check_same(c, "the samples and what lies between", out[0], out[1], bytes);
    check_same(c, "the C version's tile, cleared", &empty, tile[0], sizeof empty);
    check_same(c, "the tile, cleared", &empty, tile[1], sizeof empty);
}

/* Time does not depend on what the coefficients are, so the tile may stay as empty as it gets. */
static void bench(struct check *c)
{
    static const struct {
        int last;
        const char *what;
    } cases[] = {{MR_LAST_ALL, "all"}, {MR_LAST_CORNER, "corner of 4 x 4"}, {0, "DC only"}};
    const struct mr_pixel_kernels *k = mr__pixel_kernels_for(check_cpu(c));

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case(c, "idct %s", cases[i].what);
        struct mr_tile *tile = check_room(c, sizeof *tile, 64);
        uint16_t *quant = check_room(c, 64 * sizeof *quant, 64);
        uint8_t *out = check_room(c, 8 * 512, 64);
        memset(tile, 0, sizeof *tile);
        CHECK_BENCH(c, 4, "idct, %s, per block", cases[i].what)
        k->idct(tile, quant, out, 512, cases[i].last);
    }
}

const struct check_kernel check_idct = {"idct", test, bench};
