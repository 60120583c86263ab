/* SPDX-License-Identifier: Apache-2.0
 *
 * mcu_run.h: MCUs of one scan, from bits to coefficients.
 */
#ifndef MR_BASELINE_MCU_RUN_H
#define MR_BASELINE_MCU_RUN_H

#include "base/cpu.h"
#include "loaders/codec/baseline/pixel_kernels.h"
#include "loaders/codec/baseline/scan_bytes.h"

/* Four neighbouring blocks of a component and what belongs to them. What a damaged block has
 * beyond its 64th coefficient goes behind the tile, within the slot whichever of the four it is. */
struct mr_slot {
    struct mr_tile tile;
    int16_t beyond[28];
    uint8_t used; /* of the blocks, the most coefficients that one has in zigzag order; 0: none */
    uint8_t pad[7];
};

struct mr_mcu_block {
    const struct mr_huff_dc *dc;
    const struct mr_huff_ac *ac;
    struct mr_slot *row;  /* where blocks of its row of blocks go */
    uint32_t first, step; /* its number in `row` in MCU 0; from MCU to MCU */
    uint32_t component;
};

struct mr_scan {
    struct mr_scan_bytes bytes;
    struct mr_bits at;
    int32_t dc[3]; /* prediction of each component */
    uint32_t nblocks;
    struct mr_mcu_block block[MR_MCU_BLOCKS];
};

/* Decodes n MCUs without a restart marker between them: the first one's blocks to where MCU
 * `column` goes. False at anything that is not as it should be; slots then hold anything. */
typedef bool mr_mcu_run(struct mr_scan *s, uint32_t column, uint32_t n);

/* Stores the coefficients; or only goes past them. */
struct mr_mcu_runs {
    mr_mcu_run *store, *skip;
};
/* The fastest under `cpu`; all give the same. */
const struct mr_mcu_runs *mr__mcu_runs(const struct mr_cpu *cpu);

extern const struct mr_mcu_runs mr__mcu_runs_plain;
#if defined(__x86_64__)
extern const struct mr_mcu_runs mr__mcu_runs_bmi2;
#endif

#endif
