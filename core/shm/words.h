/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h: the two kinds of 64-bit words that decide everything (core/README.md, "The slot
 * protocol").
 *
 *   slot word   seq:48 | flags:8 | state:8     who may fill, lease and reuse a slot
 *   row word    gen:32 | lease:24 | state:8    who holds a row (a task); gen = low half of the
 * slot's seq
 *
 * Every transition is one compare-and-swap of the whole word, so there is no moment at which a
 * claim, its owner and its generation could disagree. Builtin atomics: the header also compiles as
 * C++.
 */
#ifndef MR_SHM_WORDS_H
#define MR_SHM_WORDS_H

#include <stdbool.h>
#include <stdint.h>

enum mr_slot_state {                      /* concurrent-buffer's names, and two more */
                     MR_SLOT_FREE,        /* the commander may take it */
                     MR_SLOT_RESERVED,    /* planned; producers fill it */
                     MR_SLOT_AVAILABLE,   /* finished; the trainer may lease it */
                     MR_SLOT_PROCESSING,  /* leased by the trainer */
                     MR_SLOT_CANCELLED,   /* planned, no longer wanted; FREE when its last writer is
                                             done */
                     MR_SLOT_QUARANTINED, /* a writer that cannot be killed still holds it */
                     MR_SLOT_STATES
};

enum mr_row_state {
    MR_ROW_EMPTY, /* planned, nobody works on it */
    MR_ROW_BUSY,  /* the producer with this lease writes it */
    MR_ROW_DONE,  /* written */
    MR_ROW_BAD,   /* could not be made; the lease bits hold the reason */
    MR_ROW_STATES
};

#define MR_SEQ_BITS 48
#define MR_LEASE_BITS 24
#define MR_LEASE_MAX ((1u << MR_LEASE_BITS) - 1)

static inline uint64_t mr__slot_word(uint64_t seq, enum mr_slot_state state)
{
    return seq << 16 | (uint64_t)state;
}
static inline uint64_t mr__slot_seq(uint64_t word)
{
    return word >> 16;
}
static inline enum mr_slot_state mr__slot_state(uint64_t word)
{
    return (enum mr_slot_state)(word & 0xff);
}

static inline uint64_t mr__row_word(uint64_t seq, uint32_t lease, enum mr_row_state state)
{
    return (seq & 0xffffffff) << 32 | (uint64_t)lease << 8 | (uint64_t)state;
}
static inline uint32_t mr__row_gen(uint64_t word)
{
    return (uint32_t)(word >> 32);
}
static inline uint32_t mr__row_lease(uint64_t word)
{
    return (uint32_t)(word >> 8) & MR_LEASE_MAX;
}
static inline enum mr_row_state mr__row_state(uint64_t word)
{
    return (enum mr_row_state)(word & 0xff);
}

/* Sequentially consistent, for two reasons. Acquire and release: a row's pixels or a slot's
 * messages, written before a move, are seen by who sees the move. And store buffering: of two
 * producers that end the last two rows of a slot at the same time (each moves its own row, then
 * reads the other's) at least one must see both ended, or nobody publishes; likewise the warden
 * (moves a row, reads the slot) against a cancel (moves the slot, reads the rows). Free on x86. */
static inline uint64_t mr__word_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* The one way a word changes: from an exact old value, so that every step may be repeated. */
static inline bool mr__word_move(uint64_t *word, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

#endif
