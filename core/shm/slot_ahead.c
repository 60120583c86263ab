/* SPDX-License-Identifier: Apache-2.0
 *
 * slot_ahead.c: which of the planned rows is the next whose files nobody has asked the kernel for.
 * One word says up to where that was done, for everybody; who moves it on asks. It decides nothing:
 * a row is asked for twice or not at all when a process dies or has written over the word.
 */
#include "slot_steps.h"

#define ROW_BITS                                                                             \
    17          /* the word: seq:47 | row:17, the row being the first that was not asked for \
                 */
#define TRIES 4 /* who loses more often leaves it to the winners */

/* The slot of a batch, -1 when it is not planned yet; its word. Of a batch that has moved, the slot
 * that is being filled. */
static int slot_of(const struct mr_arena *a, uint64_t seq, uint64_t *word)
{
    int found = -1;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        if (mr__slot_seq(w) != seq)
            continue;
        *word = w;
        found = (int)i;
        if (mr__slot_state(w) == MR_SLOT_RESERVED)
            break;
    }
    return found;
}

/* Rows that are not to be asked for count as far as any other. */
static bool find(const struct mr_arena *a, const struct mr_claim *claim, uint64_t asked,
                 uint32_t rows, struct mr_upcoming *next)
{
    uint64_t asked_seq = asked >> ROW_BITS, seq = claim->seq, word = claim->word;
    uint32_t asked_row = (uint32_t)asked & ((1u << ROW_BITS) - 1), row = claim->task + 1;
    bool nonsense = asked_seq > seq + a->shape.slots; /* somebody has written over it */
    for (int slot = (int)claim->slot; slot >= 0; slot = slot_of(a, ++seq, &word), row = 0) {
        uint32_t tasks = mr__slot_tasks(a, (uint32_t)slot), first = row;
        if (mr__slot_state(word) != MR_SLOT_RESERVED || (asked_seq > seq && !nonsense))
            first = tasks;
        else if (asked_seq == seq && asked_row > row)
            first = asked_row;
        while (first < tasks && mr__word_load(&mr__slot_rows(a, (uint32_t)slot)[first]) !=
                                    mr__row_in(word, 0, MR_ROW_EMPTY))
            first++; /* somebody reads it already */
        if (first < tasks) {
            *next = (struct mr_upcoming){(uint32_t)slot, first, word};
            return first - row < rows;
        }
        uint32_t passed = tasks > row ? tasks - row : 0;
        if (passed >= rows)
            return false;
        rows -= passed;
    }
    return false;
}

bool mr__producer_upcoming(const struct mr_arena *a, const struct mr_claim *claim, uint32_t rows,
                           struct mr_upcoming *next)
{
    uint64_t *asked = &a->control->ahead;
    for (int i = 0; i < TRIES; i++) {
        uint64_t from = mr__word_load(asked);
        if (!find(a, claim, from, rows, next))
            return false;
        if (mr__word_move(asked, from, mr__slot_seq(next->word) << ROW_BITS | (next->row + 1)))
            return true;
    }
    return false;
}

bool mr__upcoming_stays(const struct mr_arena *a, const struct mr_upcoming *next)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* what was read of the plan, before the word */
    return mr__word_load(&mr__slot(a, next->slot)->word) == next->word;
}
