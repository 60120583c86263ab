/* SPDX-License-Identifier: Apache-2.0
 *
 * slot_move.c: the commander's part in a quarantine: the batch of a slot that a process writes to
 * which cannot be killed is planned once more, under the same seq, in a slot that is free.
 */
#include "slot_steps.h"

#include "base/crash_point.h"

#include <string.h>

static bool waits_to_move(uint64_t word)
{
    return mr__slot_state(word) == MR_SLOT_QUARANTINED && !mr__slot_moved(word);
}

/* Whether the batch of `slot` has moved, by a commander that died before it could say so. The copy
 * may be in any state, FREE after its release and QUARANTINED itself too; its round is later. */
static bool is_elsewhere(const struct mr_arena *a, uint32_t slot, uint64_t word)
{
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        uint32_t later = (mr__slot_round(w) - mr__slot_round(word)) % MR_ROUNDS;
        if (i != slot && mr__slot_seq(w) == mr__slot_seq(word) && later && later < MR_ROUNDS / 2)
            return true;
    }
    return false;
}

static void mark_moved(const struct mr_arena *a, uint32_t slot, uint64_t word)
{
    mr__word_move(&mr__slot(a, slot)->word, word, mr__slot_with_moved(word, MR_SLOT_QUARANTINED));
    MR_CRASH_POINT("commander.marked_moved");
    mr__slot_settle(a, slot, word);
}

static void copy_plan(const struct mr_arena *a, uint32_t to, uint32_t from)
{
    mr__plan_write_head(mr__plan_head(a, to), mr__plan_head(a, from));
    memcpy(mr__plan_message(a, to, 0), mr__plan_message(a, from, 0),
           a->shape.rows * a->shape.message_bytes + a->shape.state_bytes);
}

static int find_free(const struct mr_arena *a, uint64_t *word)
{
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        *word = mr__word_load(&mr__slot(a, i)->word);
        if (mr__slot_state(*word) == MR_SLOT_FREE)
            return (int)i;
    }
    return -1;
}

/* Marks what has moved; the number of a slot that still waits to, -1: none does. */
static int first_waiting(const struct mr_arena *a, uint64_t *word)
{
    int found = -1;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        if (!waits_to_move(w))
            continue;
        if (is_elsewhere(a, i, w)) {
            mark_moved(a, i, w);
        } else if (found < 0) {
            found = (int)i;
            *word = w;
        }
    }
    return found;
}

int mr__slot_copy_waiting(const struct mr_arena *a, uint64_t last_seq, uint64_t *word)
{
    uint64_t from;
    int slot = first_waiting(a, word);
    if (slot < 0)
        return MR_NONE_WAITS;
    int to = find_free(a, &from);
    if (to < 0)
        return MR_NO_PLACE;
    /* In completion order the free slot may be the one with the largest seq. */
    __atomic_store_n(&a->control->planned, last_seq, __ATOMIC_SEQ_CST);
    MR_CRASH_POINT("commander.moving");
    copy_plan(a, (uint32_t)to, (uint32_t)slot);
    MR_CRASH_POINT("commander.plan_copied");
    mr__slot_publish(a, (uint32_t)to, from, mr__slot_next_round(*word));
    return slot;
}

/* Only when the copy is published is the old slot marked, since a commander may die between the
 * two; and all that has moved is marked before anything else moves, since the slot that it has
 * moved to may be free again by then, and must be found before it is written over. */
bool mr__commander_move(const struct mr_arena *a, uint64_t last_seq)
{
    for (;;) {
        uint64_t word;
        int slot = mr__slot_copy_waiting(a, last_seq, &word);
        if (slot < 0)
            return slot == MR_NONE_WAITS;
        MR_CRASH_POINT("commander.moved");
        mark_moved(a, (uint32_t)slot, word);
    }
}
