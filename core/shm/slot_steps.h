/* SPDX-License-Identifier: Apache-2.0
 *
 * slot_steps.h: the steps that several of the protocol's transitions are made of. Only for the
 * slot*.c files. A slot is named by its number and the word that it had: of which seq and round
 * count.
 */
#ifndef MR_SHM_SLOT_STEPS_H
#define MR_SHM_SLOT_STEPS_H

#include "slot.h"

/* Tasks in use of a slot; a scribbled head cannot make anybody read past the row words. */
uint32_t mr__slot_tasks(const struct mr_arena *a, uint32_t slot);

/* The rule that is safe for anyone to apply at any time: a slot whose tasks have all ended moves
 * on. RESERVED to AVAILABLE, CANCELLED to FREE, QUARANTINED and moved to FREE. */
void mr__slot_settle(const struct mr_arena *a, uint32_t slot, uint64_t word);

/* Nobody can claim a closed row, so a slot whose BUSY rows have ended is really still. */
void mr__slot_close(const struct mr_arena *a, uint32_t slot, uint64_t word);

/* The commander's: rows EMPTY, the slot from one word to the other, producers woken. */
void mr__slot_publish(const struct mr_arena *a, uint32_t slot, uint64_t from, uint64_t to);

#endif
