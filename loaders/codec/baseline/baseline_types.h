/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_types.h: the decoder's parts. For every component there are the slots of one row of
 * MCUs, and the samples of two: the row that was decoded last and the one above it, which
 * upsampling looks at as well. All of them hold the columns of MCUs that the crop needs, no others.
 */
#ifndef MR_BASELINE_TYPES_H
#define MR_BASELINE_TYPES_H

#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/baseline/feed.h"
#include "loaders/codec/baseline/mcu_run.h"

enum { MR_BASELINE_ROWS = 17 }; /* given at once: those of an MCU, and one that has waited */

/* How a component's row is made as wide, and its rows as many, as the image's. */
enum mr_up { MR_UP_NONE, MR_UP_H2V1, MR_UP_H2V2, MR_UP_H1V2, MR_UP_REPEAT };

struct mr_plane {
    int32_t h, v;         /* blocks of an MCU, across and down */
    int32_t across, down; /* pixels for each sample: 1 to 4; 1 or 2 */
    int32_t w, rows;      /* samples of the whole image */
    enum mr_up up;
    uint16_t quant[64];
    struct mr_slot *slot; /* [v][slots] */
    int32_t slots;        /* of a row of blocks */
    int32_t tile, tiles;  /* of them, [tile, tiles) are needed */
    uint8_t *samples;     /* [2][8 v] rows of `stride` bytes: row y of the image at y % (16 v) */
    int64_t stride;
    int32_t left;    /* the column of the first sample of a row */
    int32_t from, n; /* samples that the crop's pixels come of, counted in the whole row */
    uint8_t *wide;   /* these, upsampled */
};

struct mr_baseline {
    const struct mr_pixel_kernels *kernels;
    const struct mr_mcu_runs *runs;
    const struct mr_feed *feed; /* in place of the scan; NULL: none */
    struct mr_scan scan;
    struct mr_huff_dc dc[3];
    struct mr_huff_ac ac[3];
    struct mr_plane plane[3];
    int32_t planes;
    int32_t w, h; /* pixels of the image */
    struct mr_rect crop;
    int32_t c;                   /* channels that are asked for */
    int64_t restart, to_restart; /* MCUs; to_restart: until the next marker */
    uint32_t marker;             /* number of the next one */
    int32_t mcu_w, mcu_h;        /* pixels */
    int32_t across, down;        /* MCUs of the image */
    int32_t first, last;         /* columns of MCUs that are made: [first, last) */
    int32_t top, made, bottom;   /* rows of MCUs: [top, made) are made, [0, bottom) are read */
    int32_t context;             /* rows of an MCU that wait for the next one: 0 or 1 */
    int32_t row;                 /* of MCUs, the next one to be read */
    int32_t next;                /* row of the image, the next one to be given */
    int32_t ready;               /* rows from there on that may be given */
    bool dirty;                  /* slots may hold something */
    struct mr_slot *slots;       /* all zero between two images, unless dirty */
    size_t nslots;
    uint8_t *memory; /* samples and pixels */
    size_t memory_bytes;
    uint8_t *out; /* MR_BASELINE_ROWS rows of `pitch` bytes */
    int64_t pitch;
    uint8_t clean[MR_CLEAN_ALL];
};

/* Shapes of everything, and memory for it; b->crop and b->c are set. False: not mine. */
bool mr__baseline_shape(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg);
/* The crop's rows [y, y + n) of the image as pixels into b->out; the MCUs that they need have been
 * made. */
void mr__baseline_pixels(struct mr_baseline *b, int32_t y, int32_t n);

#endif
