/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule_table.h: one period of a schedule, made with care, for shares with a small common
 * denominator.
 */
#ifndef MR_MIXTURE_SCHEDULE_TABLE_H
#define MR_MIXTURE_SCHEDULE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct mr_turns {
    const uint64_t *weights; /* n of them, without a common factor */
    uint64_t total;          /* their sum */
    int n;
    uint64_t batch;
    uint32_t period; /* turns: a multiple of total and of batch */
};

/* Fills part[period] with numbers of parts. In every beginning each part is less than one turn away
 * from its share, and, where that can be had beside it, every window of whole batches in which a
 * part's share is a whole number has just that. Never fails. */
void mr__schedule_fill(const struct mr_turns *t, uint8_t *part);

#endif
