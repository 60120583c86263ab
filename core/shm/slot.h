/* SPDX-License-Identifier: Apache-2.0
 *
 * slot.h: the protocol's transitions, each a function: who may call it is in its name. The rules,
 * and why there are no others, are in core/README.md; slot.pml is their model.
 */
#ifndef MR_SHM_SLOT_H
#define MR_SHM_SLOT_H

#include "shm/arena.h"

/* A task in a producer's hands. */
struct mr_claim {
    uint32_t slot, task;
    uint64_t seq;
    uint32_t lease;
    uint64_t word; /* the slot's when it was claimed: seq and round count */
};

/* ---- commander ---- */

/* Takes any FREE slot: its number, and the word it has (for publish). -1: none is free, but for the
 * spares. */
int mr__commander_take(const struct mr_arena *a, uint64_t *word);
/* Largest seq that was published, 0 when there is none. Seqs start at 1. */
uint64_t mr__commander_last_seq(const struct mr_arena *a);
/* Publishes a taken slot whose plan head and messages are written: rows EMPTY, word (seq,
 * RESERVED), producers woken; a slot without tasks becomes AVAILABLE. `from` is the word that
 * mr__commander_take gave. */
void mr__commander_publish(const struct mr_arena *a, uint32_t slot, uint64_t from, uint64_t seq);
/* Sees to it that every batch in a QUARANTINED slot is planned in another one. To be called before
 * anything is planned, with the largest seq published. False: a batch has to move and no slot is
 * free. */
bool mr__commander_move(const struct mr_arena *a, uint64_t last_seq);
/* Gives back all work that is not leased, of streams before `stream`. Called until it is done:
 * RESERVED to CANCELLED with its EMPTY rows closed, AVAILABLE to FREE; QUARANTINED ones are not to
 * move. Slots whose rows are still being written become FREE by themselves. */
void mr__commander_cancel(const struct mr_arena *a, uint64_t stream);

/* ---- producers ---- */

/* Takes the first EMPTY task of the oldest RESERVED slot. False: there is none now. */
bool mr__producer_claim(const struct mr_arena *a, uint32_t lease, struct mr_claim *claim);
/* Ends a task whose row is written (or could not be: bad = reason > 0). False: the row was taken
 * away meanwhile, which can only follow a fence and so is never seen by a live producer. */
bool mr__producer_finish(const struct mr_arena *a, const struct mr_claim *claim, uint32_t bad);

/* A planned row that is yet to be claimed, and its slot's word. */
struct mr_upcoming {
    uint32_t slot, row;
    uint64_t word;
};

/* Finds the next row whose files are to be asked for, at most `rows` behind the claimed one, and
 * notes it for everybody: each row is given once. False: there is none now. */
bool mr__producer_upcoming(const struct mr_arena *a, const struct mr_claim *claim, uint32_t rows,
                           struct mr_upcoming *next);
/* Whether what was read of its plan meanwhile is the plan of this row. */
bool mr__upcoming_stays(const struct mr_arena *a, const struct mr_upcoming *next);

/* ---- trainer ---- */

/* Leases an AVAILABLE slot: (seq, AVAILABLE) to (seq, PROCESSING). False: the word has moved. */
bool mr__trainer_lease(const struct mr_arena *a, uint32_t slot, uint64_t seq);
/* Gives a leased slot back. False: it is not leased under this seq (nothing changes). */
bool mr__trainer_release(const struct mr_arena *a, uint32_t slot, uint64_t seq);
/* The same without ringing for the commander: the caller rings the free bell later, at the latest
 * before it waits. */
bool mr__trainer_release_quietly(const struct mr_arena *a, uint32_t slot, uint64_t seq);
/* Slots that may be leased at a time: all but the spares. */
static inline uint32_t mr__trainer_slots(const struct mr_arena *a)
{
    return a->shape.slots - a->shape.spares;
}
/* Slots that are planned and not yet leased. */
uint32_t mr__trainer_ahead(const struct mr_arena *a);
/* Whether a process crashed, and was seen to, while this slot was leased. */
static inline bool mr__trainer_tainted(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    return __atomic_load_n(&mr__slot(a, slot)->tainted, __ATOMIC_ACQUIRE) == seq;
}
/* Frees an AVAILABLE slot unread: an older stream's. */
bool mr__trainer_drop(const struct mr_arena *a, uint32_t slot, uint64_t seq);

/* ---- warden ---- */

/* After the death of the process with this lease is certain (its pidfd is readable): gives its
 * tasks back, settles every slot, wakes everybody. Returns how many tasks were given back. May be
 * interrupted and repeated. lease 0: none to give back (a commander died). */
uint32_t mr__warden_recover(const struct mr_arena *a, uint32_t lease);
/* For a process that was killed and does not die: slots in which it holds rows become QUARANTINED
 * and are FREE again when it has died (mr__warden_recover) and their batches have moved or are not
 * wanted. Settles every slot, wakes everybody. Returns how many became QUARANTINED; MR_E_LIMIT when
 * now more are than there are spares: then a batch may have no place to move to. */
int mr__warden_quarantine(const struct mr_arena *a, uint32_t lease);
/* After a crash that may have been preceded by stray stores, while no producer lives and all were
 * recovered: every planned slot that is not leased is to be filled again; *tainted: how many leased
 * ones were marked. Wakes everybody. Returns how many are filled again. */
uint32_t mr__warden_refill(const struct mr_arena *a, uint32_t *tainted);
/* Wakes everybody without trusting any hint. */
void mr__warden_wake_all(const struct mr_arena *a);

/* ---- anyone ---- */

/* Tells the trainer to look again. */
void mr__signal_ready(const struct mr_arena *a);

#endif
