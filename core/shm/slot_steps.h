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

#define MR_NONE_WAITS (-1)
#define MR_NO_PLACE (-2)
/* The first half of a move: the batch of a quarantined slot is published in a free one too. The
 * number of that slot, which is then to be marked, and its word; MR_NONE_WAITS: no batch has to
 * move; MR_NO_PLACE: no slot is free. */
int mr__slot_copy_waiting(const struct mr_arena *a, uint64_t last_seq, uint64_t *word);

#endif
