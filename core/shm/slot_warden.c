/* SPDX-License-Identifier: Apache-2.0
 *
 * slot_warden.c: what the warden does to slots when a process has died, cannot be killed, or has
 * crashed and may have written where it should not. No other process takes these steps, and each
 * may be interrupted by all of the others'.
 */
#include "slot_steps.h"

#include "base/crash_point.h"

/* ---- a process has died ---- */

static uint32_t give_back_rows(const struct mr_arena *a, uint32_t slot, uint32_t lease)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t given = 0;
    for (uint32_t i = 0; i < a->shape.tasks; i++) { /* all: the head may be being rewritten */
        uint64_t w = mr__word_load(&rows[i]);
        if (mr__row_state(w) == MR_ROW_BUSY && mr__row_lease(w) == lease)
            given += mr__word_move(&rows[i], w, mr__row_given_back(w));
    }
    return given;
}

/* The steps that whoever was interrupted may have left undone. */
static void finish_steps(const struct mr_arena *a, uint32_t slot)
{
    uint64_t w = mr__word_load(&mr__slot(a, slot)->word);
    enum mr_slot_state state = mr__slot_state(w);
    MR_CRASH_POINT("warden.slot_looked_at");
    MR_SET(mr__slot(a, slot)->hint, 0); /* a hint of no generation: search from the start */
    if (state == MR_SLOT_CANCELLED || state == MR_SLOT_QUARANTINED)
        mr__slot_close(a, slot, w);
    else if (state != MR_SLOT_RESERVED)
        return;
    mr__slot_settle(a, slot, w);
}

uint32_t mr__warden_recover(const struct mr_arena *a, uint32_t lease)
{
    uint32_t given = 0;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        if (lease)
            given += give_back_rows(a, i, lease);
        MR_CRASH_POINT("warden.rows_given_back");
        finish_steps(a, i); /* after the rows: a cancel is seen here, or sees them EMPTY */
    }
    MR_CRASH_POINT("warden.slots_recovered");
    mr__warden_wake_all(a);
    return given;
}

/* ---- a process cannot be killed ---- */

static bool holds_rows(const struct mr_arena *a, uint32_t slot, uint64_t word, uint32_t lease)
{
    const uint64_t *rows = mr__slot_rows(a, slot);
    for (uint32_t i = 0; i < a->shape.tasks; i++)
        if (mr__word_load(&rows[i]) == mr__row_in(word, lease, MR_ROW_BUSY))
            return true;
    return false;
}

/* A slot that is RESERVED may become CANCELLED meanwhile, in that order. */
static bool quarantine_slot(const struct mr_arena *a, uint32_t slot, uint32_t lease)
{
    uint64_t *word = &mr__slot(a, slot)->word, w = mr__word_load(word);
    return holds_rows(a, slot, w, lease) &&
           (mr__word_move(word, mr__slot_with(w, MR_SLOT_RESERVED),
                          mr__slot_with(w, MR_SLOT_QUARANTINED)) ||
            mr__word_move(word, mr__slot_with(w, MR_SLOT_CANCELLED),
                          mr__slot_with_moved(w, MR_SLOT_QUARANTINED)));
}

int mr__warden_quarantine(const struct mr_arena *a, uint32_t lease)
{
    uint32_t now = 0, all = 0;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        now += quarantine_slot(a, i, lease);
        MR_CRASH_POINT("warden.slot_quarantined");
        finish_steps(a, i);
        all += mr__slot_state(mr__word_load(&mr__slot(a, i)->word)) == MR_SLOT_QUARANTINED;
    }
    mr__warden_wake_all(a);
    return all > a->shape.spares ? MR_E_LIMIT : (int)now;
}

/* ---- a process has crashed ---- */

/* Takes the slot first, so that nobody leases it any more; its rows' old round does not count. */
static bool empty_slot(const struct mr_arena *a, uint32_t slot, uint64_t w)
{
    uint64_t to = mr__slot_next_round(w), *rows = mr__slot_rows(a, slot);
    if (!mr__word_move(&mr__slot(a, slot)->word, w, to))
        return false;
    MR_CRASH_POINT("warden.slot_taken");
    for (uint32_t i = 0; i < a->shape.tasks; i++) {
        uint64_t row = mr__word_load(&rows[i]);
        if (mr__row_of(row, w))
            mr__word_move(&rows[i], row, mr__row_in(to, 0, MR_ROW_EMPTY));
    }
    return true;
}

enum { LEFT, EMPTIED, TAINTED };

static int refill_slot(const struct mr_arena *a, uint32_t slot)
{
    struct mr_slot *s = mr__slot(a, slot);
    for (;;) {
        uint64_t w = mr__word_load(&s->word);
        enum mr_slot_state state = mr__slot_state(w);
        if (state == MR_SLOT_PROCESSING) {
            __atomic_store_n(&s->tainted, mr__slot_seq(w), __ATOMIC_RELEASE);
            return TAINTED;
        }
        if ((state != MR_SLOT_RESERVED && state != MR_SLOT_AVAILABLE) || !mr__slot_tasks(a, slot))
            return LEFT;
        if (empty_slot(a, slot, w))
            return EMPTIED;
    }
}

uint32_t mr__warden_refill(const struct mr_arena *a, uint32_t *tainted)
{
    uint32_t emptied = 0;
    *tainted = 0;
    mr__bell_distrust(&a->control->work_bell);
    mr__bell_distrust(&a->control->free_bell);
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        int what = refill_slot(a, i);
        emptied += what == EMPTIED;
        *tainted += what == TAINTED;
        MR_CRASH_POINT("warden.slot_emptied");
        finish_steps(a, i); /* a cancel may have come, and closed fewer rows than are EMPTY now */
    }
    mr__warden_wake_all(a);
    return emptied;
}

/* ---- anything ---- */

void mr__warden_wake_all(const struct mr_arena *a)
{
    mr__bell_ring_hard(&a->control->work_bell);
    mr__bell_ring_hard(&a->control->free_bell);
    mr__signal_ready(a);
}
