/* SPDX-License-Identifier: Apache-2.0
 *
 * pixel_kernels.h: from quantised coefficients to pixels, the part of a JPEG decoder that has no
 * branches: inverse DCT, chroma upsampling, colour. All versions write the same bytes, and those
 * are libjpeg-turbo 2.1's with its defaults (JDCT_ISLOW, fancy upsampling) on x86; the C version is
 * the specification.
 *
 * Rows of samples are plain bytes. Every row that a kernel writes has MR_PIXEL_SLACK bytes behind
 * its last sample that may be overwritten with anything, and every row that one reads has as many
 * that may be read (and change nothing). Nothing before a row is touched. Rows need no alignment.
 * Input and output never overlap.
 */
#ifndef MR_PIXEL_KERNELS_H
#define MR_PIXEL_KERNELS_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_PIXEL_SLACK 64

/* Four horizontally neighbouring blocks of one component, coefficients as they are in the file:
 * v[row][block][column], not yet dequantised. Coefficient k (zigzag) of block b belongs to
 * v[r][b][c], where r * 8 + c = the natural position of k. */
struct mr_tile {
    int16_t v[8][4][8] __attribute__((aligned(64)));
};

enum {
    MR_LAST_ALL = 63,   /* nothing is known about the coefficients */
    MR_LAST_CORNER = 9, /* up to here they lie in rows and columns 0 to 3 */
};

struct mr_pixel_kernels {
    enum mr_cpu_level level; /* what the CPU must have, */
    unsigned flags;          /* and enum mr_cpu_flag besides */

    /* Four blocks to 8 rows of 32 samples: row r begins at out + r * stride. `quant` is the
     * component's table in natural order (not zigzag). `last`, 0 to 63: no block of the tile has a
     * coefficient other than 0 behind zigzag position `last` (0: none has an AC coefficient; a
     * number that is too large only costs time). Leaves the tile all zero. Writes no slack.
     * Any values of coefficients and quant are defined; see idct_scalar.c. */
    void (*idct)(struct mr_tile *tile, const uint16_t quant[64], uint8_t *out, ptrdiff_t stride,
                 int last);

    /* Upsampling of a component's row of n >= 1 samples, the first and the last of which are the
     * component's first and last (downsampled_width in libjpeg; what lies beyond is padding). In
     * the middle of a row, give at least one sample more on each side and drop the two outputs that
     * come of it. libjpeg itself only does the first two where the component is wider than 2
     * samples, and repeats them otherwise.
     * h2v1: n to 2 n. */
    void (*h2v1)(const uint8_t *in, size_t n, uint8_t *out);
    /* h2v2: n to 2 n; `near` is the row that the output row lies in, `far` is the one on the other
     * side of the output row: above it for the upper of two output rows, below for the lower. At
     * the image's top and bottom they are the same row. */
    void (*h2v2)(const uint8_t *near, const uint8_t *far, size_t n, uint8_t *out);
    /* h1v2: n to n, near and far as above. Halves are rounded up in the lower output row and down
     * in the upper. */
    void (*h1v2)(const uint8_t *near, const uint8_t *far, size_t n, bool lower, uint8_t *out);
    /* Any other factor: each sample `times` (1 to 4) times. */
    void (*repeat)(const uint8_t *in, size_t n, int times, uint8_t *out);

    /* n pixels of JFIF's YCbCr to R, G, B (or R, G, B, 255). */
    void (*rgb)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out);
    void (*rgba)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *out);
    /* n gray pixels to R = G = B (and 255). */
    void (*gray_rgb)(const uint8_t *y, size_t n, uint8_t *out);
    void (*gray_rgba)(const uint8_t *y, size_t n, uint8_t *out);
};

/* Best first, ends with the C version, then NULL. */
extern const struct mr_pixel_kernels *const mr__pixel_kernels[];
/* The best version for `cpu`, never NULL. */
const struct mr_pixel_kernels *mr__pixel_kernels_for(const struct mr_cpu *cpu);

extern const struct mr_pixel_kernels mr__pixels_scalar;
extern const struct mr_pixel_kernels mr__pixels_avx2;   /* x86-64 only */
extern const struct mr_pixel_kernels mr__pixels_avx512; /* x86-64 only */
extern const struct mr_pixel_kernels mr__pixels_neon;   /* aarch64 only */

/* Do libjpeg-turbo's versions for all CPUs give the same samples for this tile? False only for
 * coefficients that no picture of 8 bits has. On x86 there is no need to ask: what libjpeg-turbo
 * does there is what the kernels do, always. */
bool mr__tile_agrees(const struct mr_tile *tile, const uint16_t quant[64]);

#endif
