/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include <unistd.h>

void mr__signal_ready(const struct mr_arena *a)
{
    uint64_t one = 1;
    if (a->ready_fd >= 0 && write(a->ready_fd, &one, sizeof one) < 0)
        return; /* EAGAIN: the counter is full, so it is readable, which is all that matters */
}

/* Tasks in use of a slot; a scribbled head cannot make anybody read past the row words. */
static uint32_t task_count(const struct mr_arena *a, uint32_t slot)
{
    uint32_t tasks = MR_GET(mr__plan_head(a, slot)->tasks);
    return tasks < a->control->tasks ? tasks : a->control->tasks;
}

/* True if every task of the slot has ended under this seq. */
static bool all_ended(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    const uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = task_count(a, slot);
    for (uint32_t i = 0; i < tasks; i++) {
        uint64_t w = mr__word_load(&rows[i]); /* acquire: pairs with the finisher's release */
        if (mr__row_gen(w) != (uint32_t)seq || mr__row_state(w) < MR_ROW_DONE)
            return false;
    }
    return true;
}

/* The rule that is safe for anyone to apply at any time: a slot whose tasks have all ended moves
 * on. The seq in the CAS keeps a late settler from publishing the slot's next batch. */
static void settle(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    if (!all_ended(a, slot, seq))
        return;
    uint64_t *word = &mr__slot(a, slot)->word;
    if (mr__word_move(word, mr__slot_word(seq, MR_SLOT_RESERVED),
                      mr__slot_word(seq, MR_SLOT_AVAILABLE)))
        mr__signal_ready(a);
    else if (mr__word_move(word, mr__slot_word(seq, MR_SLOT_CANCELLED),
                           mr__slot_word(seq, MR_SLOT_FREE)))
        mr__bell_ring(&a->control->free_bell);
}

/* ---- commander ---- */

int mr__commander_take(const struct mr_arena *a, uint64_t *word)
{
    for (uint32_t i = 0; i < a->control->slots; i++) {
        *word = mr__word_load(&mr__slot(a, i)->word);
        if (mr__slot_state(*word) == MR_SLOT_FREE)
            return (int)i;
    }
    return -1;
}

uint64_t mr__commander_last_seq(const struct mr_arena *a, uint32_t *slot)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < a->control->slots; i++) {
        uint64_t seq = mr__slot_seq(mr__word_load(&mr__slot(a, i)->word));
        if (seq > last) {
            last = seq;
            *slot = i;
        }
    }
    return last;
}

void mr__commander_publish(const struct mr_arena *a, uint32_t slot, uint64_t from, uint64_t seq)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t tasks = task_count(a, slot);
    for (uint32_t i = 0; i < tasks; i++)
        __atomic_store_n(&rows[i], mr__row_word(seq, 0, MR_ROW_EMPTY), __ATOMIC_RELAXED);
    MR_SET(mr__slot(a, slot)->hint, seq << 32);
    /* Release: head, messages and row words before the word that shows them. */
    mr__word_move(&mr__slot(a, slot)->word, from, mr__slot_word(seq, MR_SLOT_RESERVED));
    if (tasks == 0)
        settle(a, slot, seq);
    else
        mr__bell_ring(&a->control->work_bell);
}

/* Nobody can claim a closed row, so a slot whose BUSY rows have ended is really still. */
static void close_empty_rows(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    for (uint32_t i = 0; i < task_count(a, slot); i++)
        mr__word_move(&rows[i], mr__row_word(seq, 0, MR_ROW_EMPTY),
                      mr__row_word(seq, 0, MR_ROW_DONE));
}

static void cancel_slot(const struct mr_arena *a, uint32_t slot, uint64_t stream)
{
    uint64_t *word = &mr__slot(a, slot)->word;
    for (;;) {
        uint64_t w = mr__word_load(word);
        uint64_t seq = mr__slot_seq(w);
        if (MR_GET(mr__plan_head(a, slot)->stream) >= stream)
            return;
        switch (mr__slot_state(w)) {
        case MR_SLOT_RESERVED: /* may become AVAILABLE under our hands: then once more */
            mr__word_move(word, w, mr__slot_word(seq, MR_SLOT_CANCELLED));
            continue;
        case MR_SLOT_CANCELLED: /* just now, or by a commander that died here */
            close_empty_rows(a, slot, seq);
            settle(a, slot, seq);
            return;
        case MR_SLOT_AVAILABLE:
            if (mr__word_move(word, w, mr__slot_word(seq, MR_SLOT_FREE)))
                mr__bell_ring(&a->control->free_bell);
            continue;
        default: return;
        }
    }
}

void mr__commander_cancel(const struct mr_arena *a, uint64_t stream)
{
    for (uint32_t i = 0; i < a->control->slots; i++)
        cancel_slot(a, i, stream);
}

/* ---- producers ---- */

static bool claim_row(const struct mr_arena *a, uint32_t slot, uint64_t seq, uint32_t task,
                      uint32_t lease, struct mr_claim *claim)
{
    uint64_t *row = &mr__slot_rows(a, slot)[task];
    if (!mr__word_move(row, mr__row_word(seq, 0, MR_ROW_EMPTY),
                       mr__row_word(seq, lease, MR_ROW_BUSY)))
        return false;
    *claim = (struct mr_claim){slot, task, seq, lease};
    return true;
}

/* The first EMPTY row from `first` on. */
static bool claim_in_slot(const struct mr_arena *a, uint32_t slot, uint64_t seq, uint32_t first,
                          uint32_t lease, struct mr_claim *claim)
{
    uint32_t tasks = task_count(a, slot);
    for (uint32_t i = first; i < tasks; i++)
        if (claim_row(a, slot, seq, i, lease, claim))
            return true;
    return false;
}

/* The RESERVED slot with the smallest seq above `after`, -1 when there is none. */
static int next_reserved(const struct mr_arena *a, uint64_t after, uint64_t *seq)
{
    int best = -1;
    for (uint32_t i = 0; i < a->control->slots; i++) {
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        uint64_t s = mr__slot_seq(w);
        if (mr__slot_state(w) != MR_SLOT_RESERVED || s <= after || (best >= 0 && s >= *seq))
            continue;
        best = (int)i;
        *seq = s;
    }
    return best;
}

/* One pass over the RESERVED slots, oldest first. `hinted`: begin where the hint says; such a pass
 * may miss a row that was given back, so the caller makes a full one before it believes that there
 * is nothing. */
static bool claim_pass(const struct mr_arena *a, uint32_t lease, bool hinted,
                       struct mr_claim *claim)
{
    uint64_t seq = 0;
    for (int slot; (slot = next_reserved(a, seq, &seq)) >= 0;) {
        uint64_t *hint = &mr__slot(a, (uint32_t)slot)->hint, h = MR_GET(*hint);
        uint32_t first = hinted && (uint32_t)(h >> 32) == (uint32_t)seq ? (uint32_t)h : 0;
        if (!claim_in_slot(a, (uint32_t)slot, seq, first, lease, claim))
            continue;
        if (claim->task >= first)
            MR_SET(*hint, (seq << 32) | (claim->task + 1));
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
        bad ? mr__row_word(c->seq, bad, MR_ROW_BAD) : mr__row_word(c->seq, c->lease, MR_ROW_DONE);
    if (!mr__word_move(row, mr__row_word(c->seq, c->lease, MR_ROW_BUSY), ended))
        return false;
    settle(a, c->slot, c->seq);
    return true;
}

/* ---- trainer ---- */

bool mr__trainer_lease(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    return mr__word_move(&mr__slot(a, slot)->word, mr__slot_word(seq, MR_SLOT_AVAILABLE),
                         mr__slot_word(seq, MR_SLOT_PROCESSING));
}

static bool free_slot(const struct mr_arena *a, uint32_t slot, uint64_t seq,
                      enum mr_slot_state from)
{
    return mr__word_move(&mr__slot(a, slot)->word, mr__slot_word(seq, from),
                         mr__slot_word(seq, MR_SLOT_FREE));
}

bool mr__trainer_release_quietly(const struct mr_arena *a, uint32_t slot, uint64_t seq)
{
    return free_slot(a, slot, seq, MR_SLOT_PROCESSING);
}

uint32_t mr__trainer_ahead(const struct mr_arena *a)
{
    uint32_t ahead = 0;
    for (uint32_t i = 0; i < a->control->slots; i++) {
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

/* ---- warden ---- */

static uint32_t give_back_rows(const struct mr_arena *a, uint32_t slot, uint32_t lease)
{
    uint64_t *rows = mr__slot_rows(a, slot);
    uint32_t given = 0;
    for (uint32_t i = 0; i < a->control->tasks; i++) { /* all: the head may be being rewritten */
        uint64_t w = mr__word_load(&rows[i]);
        if (mr__row_state(w) == MR_ROW_BUSY && mr__row_lease(w) == lease)
            given += mr__word_move(&rows[i], w, mr__row_word(w >> 32, 0, MR_ROW_EMPTY));
    }
    return given;
}

uint32_t mr__warden_recover(const struct mr_arena *a, uint32_t lease)
{
    uint32_t given = 0;
    for (uint32_t i = 0; i < a->control->slots; i++) {
        if (lease)
            given += give_back_rows(a, i, lease);
        MR_SET(mr__slot(a, i)->hint, 0); /* a hint of no generation: search from the start */
        uint64_t w = mr__word_load(&mr__slot(a, i)->word);
        if (mr__slot_state(w) == MR_SLOT_CANCELLED)
            close_empty_rows(a, i, mr__slot_seq(w));
        if (mr__slot_state(w) == MR_SLOT_RESERVED || mr__slot_state(w) == MR_SLOT_CANCELLED)
            settle(a, i, mr__slot_seq(w));
    }
    mr__warden_wake_all(a);
    return given;
}

void mr__warden_wake_all(const struct mr_arena *a)
{
    mr__bell_ring_hard(&a->control->work_bell);
    mr__bell_ring_hard(&a->control->free_bell);
    mr__signal_ready(a);
}
