/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h: the two kinds of 64-bit words that decide everything (core/README.md, "The slot
 * protocol").
 *
 *   slot word   seq:48 | flags:8 | state:8               who may fill, lease and reuse a slot
 *   row word    gen:32 | lease:24 | round:4 | state:4    who holds a row (a task)
 *
 * A slot and its rows agree in seq (gen is its low half) and *round*, which is in the slot's flags:
 * how often the batch was moved or filled again. So a row is claimed, ended and counted in one
 * filling of one slot only.
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

/* Flags of a slot word. */
#define MR_SLOT_MOVED 1u /* QUARANTINED: its batch is elsewhere, or not wanted any more */
#define MR_ROUNDS 16u    /* flags / 2 % MR_ROUNDS: the round */

#define MR_SEQ_BITS 48
#define MR_LEASE_BITS 24
#define MR_LEASE_MAX ((1u << MR_LEASE_BITS) - 1)

static inline uint64_t mr__slot_word(uint64_t seq, enum mr_slot_state state) /* round 0 */
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
static inline uint32_t mr__slot_round(uint64_t word)
{
    return (uint32_t)(word >> 9) % MR_ROUNDS;
}
static inline bool mr__slot_moved(uint64_t word)
{
    return (word >> 8 & MR_SLOT_MOVED) != 0;
}
/* The same seq and round in another state, not moved. */
static inline uint64_t mr__slot_with(uint64_t word, enum mr_slot_state state)
{
    return (word & ~(uint64_t)0x1ff) | (uint64_t)state;
}
static inline uint64_t mr__slot_with_moved(uint64_t word, enum mr_slot_state state)
{
    return mr__slot_with(word, state) | MR_SLOT_MOVED << 8;
}
/* The same seq, to be filled once more. */
static inline uint64_t mr__slot_next_round(uint64_t word)
{
    uint64_t round = (mr__slot_round(word) + 1) % MR_ROUNDS;
    return mr__slot_word(mr__slot_seq(word), MR_SLOT_RESERVED) | round << 9;
}

/* `slot`: the word of the slot, of which seq and round count. */
static inline uint64_t mr__row_in(uint64_t slot, uint32_t lease, enum mr_row_state state)
{
    return (mr__slot_seq(slot) & 0xffffffff) << 32 | (uint64_t)lease << 8 |
           (uint64_t)mr__slot_round(slot) << 4 | (uint64_t)state;
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
    return (enum mr_row_state)(word & 0x0f);
}
/* Whether the row belongs to this filling of the slot. */
static inline bool mr__row_of(uint64_t row, uint64_t slot)
{
    return (row & ~(uint64_t)0xffffff0f) == mr__row_in(slot, 0, MR_ROW_EMPTY);
}
/* Whether it is held by this lease under this seq, in whatever round. */
static inline bool mr__row_held(uint64_t row, uint64_t seq, uint32_t lease)
{
    return mr__row_state(row) == MR_ROW_BUSY && mr__row_lease(row) == lease &&
           mr__row_gen(row) == (uint32_t)seq;
}
/* What is left of a row word whose holder is dead. */
static inline uint64_t mr__row_given_back(uint64_t row)
{
    return (row & ~(uint64_t)0xffffff0f) | MR_ROW_EMPTY;
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
