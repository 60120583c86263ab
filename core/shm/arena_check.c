/* SPDX-License-Identifier: Apache-2.0
 *
 * arena_check.c: does the control region still look as if only this library had written to it? A
 * crashed process may have stored anywhere in it; what is found here cannot be repaired, since
 * nobody knows what else was hit.
 */
#include "slot.h"

#include <string.h>

static int corrupt(struct mr_errbuf *e, const char *what, uint32_t slot, uint64_t word)
{
    return mr__fail(e, MR_E_CORRUPT,
                    "slot %u of the shared memory has %s (word %016llx): a process wrote over it "
                    "before it crashed; a plug-in that stores out of bounds does that",
                    slot, what, (unsigned long long)word);
}

static int check_slot(const struct mr_arena *a, uint32_t slot, uint64_t word, struct mr_errbuf *e)
{
    enum mr_slot_state state = mr__slot_state(word);
    if (state >= MR_SLOT_STATES)
        return corrupt(e, "a state that there is not", slot, word);
    if (mr__slot_moved(word) && state != MR_SLOT_QUARANTINED)
        return corrupt(e, "a flag that its state cannot have", slot, word);
    if (word >> 13 & 7)
        return corrupt(e, "a flag that there is not", slot, word);
    if (state != MR_SLOT_FREE && mr__slot_seq(word) == 0)
        return corrupt(e, "a state without a batch", slot, word);
    const struct mr_plan_head *head = mr__plan_head(a, slot);
    if (state != MR_SLOT_FREE &&
        (MR_GET(head->tasks) > a->shape.tasks || MR_GET(head->rows) > a->shape.rows ||
         MR_GET(head->state_bytes) > a->shape.state_bytes))
        return corrupt(e, "a plan that is larger than itself", slot, word);
    return MR_OK;
}

/* The words of a slot's own filling: of the others nobody believes anything. */
static int check_row(uint32_t slot, uint64_t slot_word, uint64_t row, struct mr_errbuf *e)
{
    enum mr_row_state state = mr__row_state(row);
    uint32_t lease = mr__row_lease(row);
    if (state >= MR_ROW_STATES)
        return corrupt(e, "a row in a state that there is not", slot, row);
    if (state == MR_ROW_EMPTY && lease)
        return corrupt(e, "an empty row that belongs to somebody", slot, row);
    if (state == MR_ROW_BUSY && !lease)
        return corrupt(e, "a busy row that belongs to nobody", slot, row);
    if (!mr__row_of(row, slot_word))
        return corrupt(e, "a row of another batch", slot, row);
    return MR_OK;
}

static int check_rows(const struct mr_arena *a, uint32_t slot, uint64_t word, struct mr_errbuf *e)
{
    const uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = MR_GET(mr__plan_head(a, slot)->tasks);
    int rc = MR_OK;
    for (uint32_t i = 0; rc >= 0 && i < tasks && i < a->shape.tasks; i++)
        rc = check_row(slot, word, mr__word_load(&rows[i]), e);
    return rc;
}

/* The trainer asks for one thing at a time. */
static int check_requests(const struct mr_arena *a, struct mr_errbuf *e)
{
    uint64_t done, asked;
    do { /* of one moment: both may move while we look */
        done = __atomic_load_n(&a->control->request_done, __ATOMIC_ACQUIRE);
        asked = __atomic_load_n(&a->control->request_id, __ATOMIC_ACQUIRE);
    } while (done != __atomic_load_n(&a->control->request_done, __ATOMIC_ACQUIRE));
    if (asked - done <= 1)
        return MR_OK;
    return mr__fail(
        e, MR_E_CORRUPT,
        "the trainer's requests (%llu, of which %llu are done) make no sense: a process "
        "wrote over them before it crashed; a plug-in that stores out of bounds does "
        "that",
        (unsigned long long)asked, (unsigned long long)done);
}

static int check_shape(const struct mr_arena *a, struct mr_errbuf *e)
{
    const uint8_t *shared = (const uint8_t *)a->control, *own = (const uint8_t *)&a->shape;
    for (size_t i = 0; i < offsetof(struct mr_control, max_restarts); i++)
        if (shared[i] != own[i])
            return mr__fail(e, MR_E_CORRUPT,
                            "byte %zu of the shared memory's layout has changed: a process wrote "
                            "over it before it crashed; a plug-in that stores out of bounds does "
                            "that",
                            i);
    return MR_OK;
}

int mr__arena_check_words(const struct mr_arena *a, struct mr_errbuf *e)
{
    int rc = check_shape(a, e);
    rc = rc < 0 ? rc : check_requests(a, e);
    for (uint32_t i = 0; rc >= 0 && i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        enum mr_slot_state state = mr__slot_state(w);
        rc = check_slot(a, i, w, e);
        if (rc >= 0 && state != MR_SLOT_FREE)
            rc = check_rows(a, i, w, e);
        if (rc < 0 && mr__word_load(&mr__slot(a, i)->word) != w)
            rc = MR_OK; /* the trainer or the commander has just given the slot another batch */
    }
    return rc;
}
