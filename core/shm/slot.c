/* SPDX-License-Identifier: Apache-2.0 */
#include "slot_steps.h"

#include "base/crash_point.h"

#include <unistd.h>

void mr__signal_ready(const struct mr_arena *a)
{
    uint64_t one = 1;
    if (a->ready_fd >= 0 && write(a->ready_fd, &one, sizeof one) < 0)
        return; /* EAGAIN: the counter is full, so it is readable, which is all that matters */
}

uint32_t mr__slot_tasks(const struct mr_arena *a, uint32_t slot)
{
    uint32_t tasks = MR_GET(mr__plan_head(a, slot)->tasks);
    return tasks < a->shape.tasks ? tasks : a->shape.tasks;
}

/* True if every task of the slot has ended in this filling of it. */
static bool all_ended(const struct mr_arena *a, uint32_t slot, uint64_t word)
{
    const uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = mr__slot_tasks(a, slot);
    for (uint32_t i = 0; i < tasks; i++) {
        uint64_t w = mr__word_load(&rows[i]); /* acquire: pairs with the finisher's release */
        if (!mr__row_of(w, word) || mr__row_state(w) < MR_ROW_DONE)
            return false;
    }
    return true;
}

/* The seq and the round in the CAS keep a late settler from publishing what the slot holds next. */
void mr__slot_settle(const struct mr_arena *a, uint32_t slot, uint64_t w)
{
    if (!all_ended(a, slot, w))
        return;
    MR_CRASH_POINT("settle.all_ended");
    uint64_t *word = &mr__slot(a, slot)->word;
    if (mr__word_move(word, mr__slot_with(w, MR_SLOT_RESERVED),
                      mr__slot_with(w, MR_SLOT_AVAILABLE))) {
        MR_CRASH_POINT("settle.published");
        mr__signal_ready(a);
    } else if (mr__word_move(word, mr__slot_with(w, MR_SLOT_CANCELLED),
                             mr__slot_with(w, MR_SLOT_FREE)) ||
               mr__word_move(word, mr__slot_with_moved(w, MR_SLOT_QUARANTINED),
                             mr__slot_with(w, MR_SLOT_FREE))) {
        MR_CRASH_POINT("settle.freed");
        mr__bell_ring(&a->control->free_bell);
    }
}

void mr__slot_close(const struct mr_arena *a, uint32_t slot, uint64_t word)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = mr__slot_tasks(a, slot);
    for (uint32_t i = 0; i < tasks; i++)
        mr__word_move(&rows[i], mr__row_in(word, 0, MR_ROW_EMPTY),
                      mr__row_in(word, 0, MR_ROW_DONE));
}

/* ---- commander ---- */

/* As many slots stay free as there are spares that no quarantined slot has used up. */
int mr__commander_take(const struct mr_arena *a, uint64_t *word)
{
    uint32_t free = 0, used = 0;
    int slot = -1;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        used += mr__slot_state(w) == MR_SLOT_QUARANTINED;
        if (mr__slot_state(w) != MR_SLOT_FREE || free++)
            continue;
        *word = w;
        slot = (int)i;
    }
    return free + used > a->shape.spares ? slot : -1;
}

uint64_t mr__commander_last_seq(const struct mr_arena *a)
{
    uint64_t last = MR_GET(a->control->planned);
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t seq = mr__slot_seq(mr__word_load(&mr__slot(a, i)->word));
        last = seq > last ? seq : last;
    }
    return last;
}

void mr__slot_publish(const struct mr_arena *a, uint32_t slot, uint64_t from, uint64_t to)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = mr__slot_tasks(a, slot);
    for (uint32_t i = 0; i < tasks; i++)
        __atomic_store_n(&rows[i], mr__row_in(to, 0, MR_ROW_EMPTY), __ATOMIC_RELAXED);
    MR_CRASH_POINT("commander.rows_emptied");
    MR_SET(mr__slot(a, slot)->hint, mr__slot_seq(to) << 32);
    /* Release: head, messages and row words before the word that shows them. */
    MR_CRASH_POINT("commander.publishing");
    mr__word_move(&mr__slot(a, slot)->word, from, to);
    MR_CRASH_POINT("commander.published");
    if (tasks == 0) {
        mr__slot_settle(a, slot, to);
    } else {
        mr__bell_ring(&a->control->work_bell);
        MR_CRASH_POINT("commander.work_rung");
    }
}

void mr__commander_publish(const struct mr_arena *a, uint32_t slot, uint64_t from, uint64_t seq)
{
    mr__slot_publish(a, slot, from, mr__slot_word(seq, MR_SLOT_RESERVED));
}

static void cancel_slot(const struct mr_arena *a, uint32_t slot, uint64_t stream)
{
    uint64_t *word = &mr__slot(a, slot)->word;
    for (;;) {
        uint64_t w = mr__word_load(word);
        if (MR_GET(mr__plan_head(a, slot)->stream) >= stream)
            return;
        switch (mr__slot_state(w)) {
        case MR_SLOT_RESERVED: /* may become AVAILABLE under our hands: then once more */
            mr__word_move(word, w, mr__slot_with(w, MR_SLOT_CANCELLED));
            MR_CRASH_POINT("commander.slot_cancelled");
            continue;
        case MR_SLOT_CANCELLED: /* just now, or by a commander that died here */
            mr__slot_close(a, slot, w);
            MR_CRASH_POINT("commander.rows_closed");
            mr__slot_settle(a, slot, w);
            MR_CRASH_POINT("commander.cancelled_settled");
            return;
        case MR_SLOT_QUARANTINED: /* not wanted: nothing to move */
            mr__word_move(word, w, mr__slot_with_moved(w, MR_SLOT_QUARANTINED));
            mr__slot_settle(a, slot, w);
            return;
        case MR_SLOT_AVAILABLE:
            if (mr__word_move(word, w, mr__slot_with(w, MR_SLOT_FREE))) {
                MR_CRASH_POINT("commander.available_freed");
                mr__bell_ring(&a->control->free_bell);
            }
            continue;
        default: return;
        }
    }
}

void mr__commander_cancel(const struct mr_arena *a, uint64_t stream)
{
    for (uint32_t i = 0; i < a->shape.slots; i++)
        cancel_slot(a, i, stream);
}

/* ---- producers ---- */

static bool claim_row(const struct mr_arena *a, uint32_t slot, uint64_t word, uint32_t task,
                      uint32_t lease, struct mr_claim *claim)
{
    uint64_t *row = &mr__slot_rows(a, slot)[task];
    if (!mr__word_move(row, mr__row_in(word, 0, MR_ROW_EMPTY),
                       mr__row_in(word, lease, MR_ROW_BUSY)))
        return false;
    MR_CRASH_POINT("producer.claimed");
    *claim = (struct mr_claim){slot, task, mr__slot_seq(word), lease, word};
    return true;
}

/* The first EMPTY row from `first` on. */
static bool claim_in_slot(const struct mr_arena *a, uint32_t slot, uint64_t word, uint32_t first,
                          uint32_t lease, struct mr_claim *claim)
{
    uint32_t tasks = mr__slot_tasks(a, slot);
    for (uint32_t i = first; i < tasks; i++)
        if (claim_row(a, slot, word, i, lease, claim))
            return true;
    return false;
}

/* The RESERVED slot with the smallest seq above that of *word, -1 when there is none; its word. */
static int next_reserved(const struct mr_arena *a, uint64_t *word)
{
    uint64_t after = mr__slot_seq(*word);
    int best = -1;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        uint64_t s = mr__slot_seq(w);
        if (mr__slot_state(w) != MR_SLOT_RESERVED || s <= after ||
            (best >= 0 && s >= mr__slot_seq(*word)))
            continue;
        best = (int)i;
        *word = w;
    }
    return best;
}

/* One pass over the RESERVED slots, oldest first. `hinted`: begin where the hint says; such a pass
 * may miss a row that was given back, so the caller makes a full one before it believes that there
 * is nothing. */
static bool claim_pass(const struct mr_arena *a, uint32_t lease, bool hinted,
                       struct mr_claim *claim)
{
    uint64_t word = 0;
    for (int slot; (slot = next_reserved(a, &word)) >= 0;) {
        uint64_t seq = mr__slot_seq(word);
        uint64_t *hint = &mr__slot(a, (uint32_t)slot)->hint, h = MR_GET(*hint);
        uint32_t first = hinted && (uint32_t)(h >> 32) == (uint32_t)seq ? (uint32_t)h : 0;
        if (!claim_in_slot(a, (uint32_t)slot, word, first, lease, claim))
            continue;
        if (claim->task >= first)
            MR_SET(*hint, (seq << 32) | (claim->task + 1));
        MR_CRASH_POINT("producer.hinted");
        return true;
    }
    return false;
}

bool mr__producer_claim(const struct mr_arena *a, uint32_t lease, struct mr_claim *claim)
{
    return claim_pass(a, lease, true, claim) || claim_pass(a, lease, false, claim);
}

bool mr__producer_finish(const struct mr_arena *a, const struct mr_claim *c, uint32_t bad)
{
    uint64_t *row = &mr__slot_rows(a, c->slot)[c->task];
    uint64_t ended =
        bad ? mr__row_in(c->word, bad, MR_ROW_BAD) : mr__row_in(c->word, c->lease, MR_ROW_DONE);
    MR_CRASH_POINT("producer.finishing");
    if (!mr__word_move(row, mr__row_in(c->word, c->lease, MR_ROW_BUSY), ended))
        return false;
    MR_CRASH_POINT("producer.finished");
    mr__slot_settle(a, c->slot, c->word);
    return true;
}

/* ---- trainer ---- */

/* From one state of a seq to the next, whatever its round. */
static bool advance(const struct mr_arena *a, uint32_t slot, uint64_t seq, enum mr_slot_state from,
                    enum mr_slot_state to)
{
    uint64_t *word = &mr__slot(a, slot)->word, w = mr__word_load(word);
    return mr__slot_seq(w) == seq && mr__slot_state(w) == from &&
           mr__word_move(word, w, mr__slot_with(w, to));
}

bool mr__trainer_lease(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    return advance(a, slot, seq, MR_SLOT_AVAILABLE, MR_SLOT_PROCESSING);
}

static bool free_slot(const struct mr_arena *a, uint32_t slot, uint64_t seq,
                      enum mr_slot_state from)
{
    return advance(a, slot, seq, from, MR_SLOT_FREE);
}

bool mr__trainer_release_quietly(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    return free_slot(a, slot, seq, MR_SLOT_PROCESSING);
}

uint32_t mr__trainer_ahead(const struct mr_arena *a)
{
    uint32_t ahead = 0;
    for (uint32_t i = 0; i < a->shape.slots; i++) {
        enum mr_slot_state state = mr__slot_state(mr__word_load(&mr__slot(a, i)->word));
        ahead += state == MR_SLOT_RESERVED || state == MR_SLOT_AVAILABLE;
    }
    return ahead;
}

bool mr__trainer_release(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    if (!free_slot(a, slot, seq, MR_SLOT_PROCESSING))
        return false;
    mr__bell_ring(&a->control->free_bell);
    return true;
}

bool mr__trainer_drop(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    if (!free_slot(a, slot, seq, MR_SLOT_AVAILABLE))
        return false;
    mr__bell_ring(&a->control->free_bell);
    return true;
}
