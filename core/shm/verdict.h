/* SPDX-License-Identifier: Apache-2.0
 *
 * verdict.h: samples that are bad before anybody tries them: those that killed a producer twice, or
 * took too long, and those of a bad list or a saved state. A producer asks before each attempt, so
 * a verdict is obeyed by every process from the moment it is there, and by a rerun that is given
 * it.
 *
 * The table has three parts in the control memory, each with one writer:
 *   listed  `bad_list_in`, sorted; the warden's, complete before its first child starts
 *   given   from saved states; the trainer's, appended before it asks for the stream that needs
 * them met     in this run; the warden's, appended
 */
#ifndef MR_SHM_VERDICT_H
#define MR_SHM_VERDICT_H

#include "shm/arena.h"

#define MR_VERDICTS_MAX 1024 /* of `given` and of `met` */
#define MR_VERDICT_TEXT 160
#define MR_ANYWHERE UINT64_MAX /* position: the verdict is on the sample, wherever it is met */

enum mr_cause {                   /* what made the sample bad */
                MR_CAUSE_DATA,    /* its bytes: an error that reading or decoding reported */
                MR_CAUSE_SIGNAL,  /* detail: the signal that killed the producer */
                MR_CAUSE_TIMEOUT, /* detail: milliseconds of wall time it had */
                MR_CAUSE_CPU,     /* detail: milliseconds of CPU time it had */
                MR_CAUSE_OOM,     /* the memory limit: the kernel killed the producer */
                MR_CAUSE_LISTED,  /* somebody wrote it into a list, and no other cause */
                MR_CAUSES
};

struct mr_verdict {
    uint64_t epoch, position, sample; /* where the attempt stands in the run, and what it tried */
    uint32_t attempt;                 /* 0: the sample itself; n: the n-th substitute */
    int32_t reason;                   /* mr_err: MR_E_CRASHED, MR_E_SLOW, MR_E_MEMORY ... */
    uint32_t cause, detail;           /* enum mr_cause */
    uint32_t stage;                   /* enum mr_activity: what was being done to it */
    uint32_t forced; /* 1: wall time or memory made it so, and a rerun need not repeat it */
    uint32_t listed; /* n: the n-th sample of `bad_list_in`, from 1; 0: not from there */
};

/* Adds a verdict that the run has met; the warden, before it gives the row back. 1: added; 0: this
 * (epoch, position, attempt) has one already; MR_E_LIMIT: MR_VERDICTS_MAX are there. */
int mr__verdict_add(const struct mr_arena *a, const struct mr_verdict *v);
/* The same for a verdict of a saved state; the trainer. */
int mr__verdict_give(const struct mr_arena *a, const struct mr_verdict *v);
/* Sets the listed part: sorts and copies n <= shape.listed_max verdicts, those with the position
 * MR_ANYWHERE valid wherever the sample is met. The warden, before it starts anybody. */
void mr__verdict_list(const struct mr_arena *a, struct mr_verdict *v, uint32_t n);

/* Whether this attempt is bad; *v is the verdict (v may be NULL). A verdict about another sample at
 * the same place is none: the data set or the seed is another. One load when there are no verdicts.
 */
bool mr__verdict_find(const struct mr_arena *a, uint64_t epoch, uint64_t position, uint32_t attempt,
                      uint64_t sample, struct mr_verdict *v);

enum mr_verdict_part { MR_VERDICTS_LISTED, MR_VERDICTS_GIVEN, MR_VERDICTS_MET, MR_VERDICT_PARTS };
/* The verdicts of a part; *n how many. What is there does not change, more may come. */
const struct mr_verdict *mr__verdicts(const struct mr_arena *a, enum mr_verdict_part part,
                                      uint32_t *n);

/* What made it bad, as a sentence without the sample's name. Returns `text`. */
const char *mr__verdict_describe(const struct mr_verdict *v, char *text, size_t bytes);
/* "data", "signal", "timeout", "cpu", "memory", "listed": as in a bad list. */
const char *mr__cause_name(uint32_t cause);
/* -1: there is no such cause. */
int mr__cause_of(const char *name);
/* The mr_err that stands for a cause (of MR_CAUSES) where nothing more is known. */
int32_t mr__cause_reason(uint32_t cause);

#endif
