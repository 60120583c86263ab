/* SPDX-License-Identifier: Apache-2.0
 *
 * warp.h: affine and perspective warps of 8-bit pixels, as Pillow's Image.transform(AFFINE) and
 * (PERSPECTIVE) do them: the value of an output pixel is that of the source at the point where the
 * matrix takes its centre, nearest or bilinear, cut down to a whole number; outside of the source
 * it is the fill. Nothing is antialiased: shrink by resampling first.
 *
 * Points are taken to 1/65536 of a pixel, so a bilinear value is one step off Pillow's now and
 * then. All versions give the same bits.
 */
#ifndef MR_KERNEL_WARP_H
#define MR_KERNEL_WARP_H

#include "base/cpu.h"
#include "base/error.h"
#include "base/image.h"

#define MR_WARP_SIDE 32766 /* the most pixels of a source's side */

struct mr_warp {
    /* The output's point (x, y), whose pixels have their centres at halves, comes from the source's
     * ((m[0] x + m[1] y + m[2]) / d, (m[3] x + m[4] y + m[5]) / d), d = m[6] x + m[7] y + m[8].
     * Affine: 0, 0, 1 last. */
    double m[9];
    bool bilinear; /* or nearest */
    uint8_t fill[4];
};

/* src to dst: 8 bits, the same 1, 3 or 4 channels, not the same memory. Reads and writes pixels
 * only. MR_E_USAGE: the sizes or kinds do not fit, or m is not finite. */
int mr__warp(const struct mr_cpu *cpu, const struct mr_view *src, const struct mr_warp *warp,
             const struct mr_view *dst, struct mr_errbuf *e);

/* ---- the versions ---- */

#define MR_WARP_BLOCK 64 /* pixels at a time */
#define MR_WARP_BITS 16  /* of a point's fraction */
#define MR_WARP_SLACK 64 /* bytes behind a block that a version may write */

/* A row of the output: its points are three straight lines in x, the third dividing the others. */
struct mr_warp_line {
    double u0, du, v0, dv, d0, dd;
    bool affine; /* nothing to divide by */
};

/* The points of MR_WARP_BLOCK pixels from x on, in 1/65536 pixel, cut to -1 and the source's size.
 */
typedef void mr_warp_points(const struct mr_warp_line *line, const struct mr_view *src, int32_t x,
                            int32_t *u, int32_t *v);

/* n <= MR_WARP_BLOCK points, in 1/65536 pixel, from -1 to the source's size; in `out` n pixels.
 * The source has at least one pixel. */
typedef void mr_warp_block(const struct mr_view *src, const int32_t *u, const int32_t *v, int n,
                           const uint8_t *fill, uint8_t *out);

struct mr_warp_kernel {
    const char *name;
    enum mr_cpu_level level;
    unsigned flags;
    mr_warp_points *points;
    mr_warp_block *nearest, *bilinear;
};

/* The best that runs. */
const struct mr_warp_kernel *mr__warp_kernel_for(const struct mr_cpu *cpu);
extern const struct mr_warp_kernel mr__warp_scalar;
extern const struct mr_warp_kernel mr__warp_avx2; /* x86-64 only */

#endif
