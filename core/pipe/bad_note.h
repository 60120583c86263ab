/* SPDX-License-Identifier: Apache-2.0
 *
 * bad_note.h: what a producer leaves beside a row about the attempts that were bad: how many, and
 * why the first few were. The trainer reads it when the batch is delivered, so that what is counted
 * and listed follows from the delivered batches alone; events may get lost, notes cannot.
 */
#ifndef MR_PIPE_BAD_NOTE_H
#define MR_PIPE_BAD_NOTE_H

#include "pipe/session.h"

struct mr_bad_note {
    int32_t reason; /* mr_err */
    uint32_t stage; /* enum mr_activity */
    char text[120]; /* without the path, if possible; the end of a longer one */
};

struct mr_bad_row { /* a row in a producer's hands, and what is tried for it */
    struct mr_session *s;
    uint32_t lane;
    const struct mr_claim *claim;
    uint32_t row;
    struct mr_row_key key; /* the attempt's */
    uint64_t sample;
};

/* No attempt of the row was bad so far. */
void mr__bad_none(const struct mr_session *s, uint32_t slot, uint32_t row);
/* Whether a verdict says that the attempt is bad before it is made: its code, with the sentence in
 * *e and the stage; MR_OK: try it. */
int mr__bad_verdict(const struct mr_bad_row *r, uint32_t *stage, struct mr_errbuf *e);
/* The attempt was bad, as *e says: notes it beside the row. */
void mr__bad_keep(const struct mr_bad_row *r, uint32_t stage, const struct mr_errbuf *e);
/* Tells the trainer at once, for its log; `samples` is how many are counted. */
void mr__bad_report(const struct mr_bad_row *r, uint32_t samples, const struct mr_errbuf *e);

static inline uint16_t *mr__bad_counts(const struct mr_session *s, uint32_t slot)
{
    return (uint16_t *)(mr__slot_data(&s->arena, slot) + s->plan->bad);
}
/* NULL: so late an attempt has no note. */
static inline struct mr_bad_note *mr__bad_note(const struct mr_session *s, uint32_t slot,
                                               uint32_t row, uint32_t attempt)
{
    uint8_t *notes = mr__slot_data(&s->arena, slot) + s->plan->notes;
    uint64_t number = (uint64_t)row * s->plan->nnotes + attempt;
    return attempt < s->plan->nnotes ? (struct mr_bad_note *)notes + number : NULL;
}

#endif
