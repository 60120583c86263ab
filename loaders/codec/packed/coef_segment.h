/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_segment.h: a segment's quantised coefficients as streams of bytes that wide registers read:
 * no bit of one block has to be known to find the next but sums of numbers that stand in front.
 * docs/packed_coef.md has every byte. The C version of decoding (coef_scalar.c) is the
 * specification; all versions give the same coefficients and the same verdict for any bytes.
 */
#ifndef MR_PACKED_COEF_SEGMENT_H
#define MR_PACKED_COEF_SEGMENT_H

#include "base/cpu.h"
#include "loaders/codec/baseline/mcu_run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MR_COEF_BLOCKS = 96, /* of a segment, at most */
    MR_COEF_RUNS = 12,
    MR_COEF_BEHIND = 64, /* bytes behind a segment that may be read, and change nothing */
    /* Bytes of the longest block and what goes with it: kind, DC, map, 63 coefficients, each with
     * an escape. */
    MR_COEF_LONGEST = 1 + 2 + 8 + 63 + 2 * 64,
};

/* Neighbouring blocks of one row of blocks of a component. */
struct mr_coef_run {
    struct mr_slot *row; /* where blocks of that row go */
    int32_t first;       /* number in `row` of the run's first block; may be negative */
    uint32_t n;          /* blocks */
    uint32_t from, to;   /* [from, to) of them are made, the others gone past */
    bool begins;         /* a component; if not, the row of blocks lies below the last run's */
};

struct mr_coef_segment {
    const uint8_t *data;
    size_t bytes;
    uint32_t nruns;
    struct mr_coef_run run[MR_COEF_RUNS]; /* MR_COEF_BLOCKS blocks at most, together */
};

/* Decodes a segment: coefficients into tiles, which must be all zero where blocks are made, and
 * `used` of their slots, raised to what was found. False: the bytes are not a segment of this
 * shape; slots then hold anything. */
typedef bool mr_coef_decode(const struct mr_coef_segment *s);

struct mr_coef_version {
    enum mr_cpu_level level; /* what the CPU must have, */
    unsigned flags;          /* and enum mr_cpu_flag besides */
    mr_coef_decode *decode;
};

/* Best first, ends with the C version, then NULL. */
extern const struct mr_coef_version *const mr__coef_versions[];
/* The best for `cpu`, never NULL. */
const struct mr_coef_version *mr__coef_version_for(const struct mr_cpu *cpu);

extern const struct mr_coef_version mr__coef_scalar;
extern const struct mr_coef_version mr__coef_sse4;   /* x86-64 only */
extern const struct mr_coef_version mr__coef_avx2;   /* x86-64 only */
extern const struct mr_coef_version mr__coef_avx512; /* x86-64 only */
extern const struct mr_coef_version mr__coef_neon;   /* aarch64 only */

/* Encodes a segment of the shape of `s` (of its runs, only n and begins count): the runs' blocks,
 * one behind the other, coefficients in zigzag order. `to` has room for MR_COEF_LONGEST bytes a
 * block. How many bytes it has become. */
size_t mr__coef_encode(const struct mr_coef_segment *s, const int16_t (*zigzag)[64], uint8_t *to);

#endif
