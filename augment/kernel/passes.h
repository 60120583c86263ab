/* SPDX-License-Identifier: Apache-2.0
 *
 * passes.h: the inner loops of a resampling stage and the table of their versions. All
 * versions of a loop write the same bits; the C one is the specification.
 *
 * Rows of pixels are interleaved. Rows that a stage owns (not the user's source) have MR_SLACK
 * bytes behind their pixels, which loops may read and write.
 */
#ifndef MR_KERNEL_PASSES_H
#define MR_KERNEL_PASSES_H

#include "augment/kernel/axis.h"
#include "base/cpu.h"

#define MR_SLACK 64    /* bytes behind an own row */
#define MR_BAND 4      /* rows that go across at once */
#define MR_OVERREAD 64 /* across() may read that far behind pixel axis->reach of a source row */
#define MR_ROW_GROUP 4 /* down() gets rows in a multiple of it */

/* What becomes of the finished rows: the array that they are stored into. */
struct mr_put {
    int32_t n, c; /* pixels per row, channels */
    enum mr_dtype dtype;
    size_t size;                   /* bytes of an element */
    ptrdiff_t pixel, channel, row; /* distances of neighbours in bytes */
    bool chw, affine;
    float scale[4], bias[4]; /* 1 and 0 without affine */
    const void *table;       /* [c][256] elements: what each 8-bit value becomes */
};

/* Puts a row of n x c pixels to `to` (its first element). Reads MR_SLACK bytes behind, writes
 * only elements. */
typedef void mr_put_row(const struct mr_put *put, const void *pixels, void *to);

struct mr_kernel {
    const char *name;
    enum mr_cpu_level level; /* and flags: where it runs */
    unsigned flags;
    const struct mr_axis_loops *loops; /* NULL: plain C */
    /* Make axis->packed for across() and down(). false: memory is out. NULL: nothing to make. */
    bool (*pack_across)(struct mr_axis *axis, int c);
    bool (*pack_down)(struct mr_axis *axis);
    /* Rows of 8-bit pixels across: out[i] = round(sum k[i][j] * src[start[i] + j]), to 0..255.
     * Sums are exact: 32 bits, in which whatever overflows on the way comes back. Where there are
     * fewer rows than MR_BAND, the last one is given again. */
    void (*across)(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                   uint8_t *const out[MR_BAND]);
    /* Rows of n bytes down to output y: out[i] = round(sum k[y][j] * rows[j][i]). The used[y] rows
     * are followed by the last one again, up to a multiple of MR_ROW_GROUP. */
    void (*down)(const struct mr_axis *axis, int32_t y, const uint8_t *const *rows, int n,
                 uint8_t *out);
    /* The n pixels of a row the other way round. Touches nothing beyond the two rows. */
    void (*turn)(int c, size_t n, const uint8_t *src, uint8_t *out);
    /* A version for this store of 8-bit pixels; NULL: use the C one, which needs the table. */
    mr_put_row *(*put)(const struct mr_put *put);
    /* After the last row: what was stored past the caches comes before whatever follows. NULL: all
     * stores of this version are ordinary ones. */
    void (*fence)(void);
};

/* Best first, ends with "scalar". */
extern const struct mr_kernel *const mr__kernels[];
/* The first of them that runs; never NULL. */
const struct mr_kernel *mr__kernel_for(const struct mr_cpu *cpu);

extern const struct mr_kernel mr__kernel_scalar;
extern const struct mr_kernel mr__kernel_avx2, mr__kernel_avx512; /* x86-64 only */
extern const struct mr_kernel mr__kernel_neon;                    /* 64-bit ARM only */

/* The C stores: as they are (pixels become the same pixels), 8-bit pixels through the table, and
 * 16-bit pixels one by one. */
void mr__put_same(const struct mr_put *put, const void *pixels, void *to);
mr_put_row *mr__put8(const struct mr_put *put);
void mr__put16(const struct mr_put *put, const void *pixels, void *to);
/* Fills a table of [c][256] elements. */
void mr__put_table(const struct mr_put *put, void *table);

/* A row of 8-bit pixels across, by the axis's start: without weights. */
void mr__pick(const struct mr_axis *axis, int c, const uint8_t *src, uint8_t *out);

/* 16-bit pixels: float32 between the passes, sums in double. across16 takes all kinds of axes. */
void mr__across16(const struct mr_axis *axis, int c, const uint16_t *src, float *out);
void mr__down16(const float *const *rows, const float *k, int taps, int n, uint16_t *out);

#endif
