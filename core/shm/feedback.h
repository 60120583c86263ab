/* SPDX-License-Identifier: Apache-2.0
 *
 * feedback.h: what the trainer says of its rows, on the way to the commander, and the weights that
 * come of it: a memfd of its own, which only a loader has whose sampler learns. Batches of a rank
 * are counted by *ordinals* from 1, through epochs and saved states.
 *
 *     head | ring: an entry per batch | weights (base/weights.h) | weights that a state brings
 *
 * The trainer writes values into a batch's entry while it leases the batch, and `done` when it
 * releases it. The commander applies entry k, in the order of its rows, before it plans batch
 * k + delay, and never before the one ahead of it. What a dead commander has done half is done
 * again: an entry first notes (`logged`) what the weights were that it will move, so that they can
 * be put back. The same notes give the weights of any place that the trainer may be at, since the
 * commander is never more than the ring's length ahead of it.
 */
#ifndef MR_SHM_FEEDBACK_H
#define MR_SHM_FEEDBACK_H

#include "base/descriptor.h"
#include "base/weights.h"
#include "shm/arena.h"

struct mr_feedback_head {
    uint64_t leaves;                   /* the warden's, before anybody maps it */
    alignas(MR_LINE) uint64_t applied; /* the commander's: entries up to it are in the weights */
    uint64_t waits_for;                /* ... the entry that it cannot go on without, 0: none */
    alignas(MR_LINE) uint64_t place;   /* the trainer's, with a request: the last batch delivered */
    uint32_t load;                     /* ... 1: the weights are those that a state brings */
    uint32_t hold;                     /* ... 1: nothing is planned before such a request */
};

struct mr_feedback_entry {
    alignas(MR_LINE) uint64_t ordinal; /* the commander's: of the batch */
    uint64_t logged;                   /* ... its ordinal when `old` is whole */
    alignas(MR_LINE) uint64_t done;    /* the trainer's: its ordinal when no value will come */
    /* Behind it, [rows] each: samples (u64) and values (float; NAN: none) by the trainer, old
     * weights (float) by the commander. */
};

struct mr_feedback { /* one process's mapping */
    int fd;          /* -1: none */
    uint32_t rows, delay, entries;
    uint64_t entry_bytes, off_weights; /* off_weights: the head and the ring end */
    uint64_t off_given, bytes;         /* known once it is attached, as what follows */
    uint8_t *base;                     /* NULL: not attached */
    struct mr_weights weights;
    const struct mr_learner *learner;
    void *sampler;
};

/* ---- the memory ---- */

/* For a sampler with feedback: the sizes that follow from the config, in every process. */
void mr__feedback_shape(struct mr_feedback *f, uint32_t rows, uint32_t slots, uint32_t delay);
/* The trainer, at open. `hold`: the commander is to wait for weights. MR_E_SYSTEM, MR_E_MEMORY. */
int mr__feedback_create(struct mr_feedback *f, bool hold, struct mr_errbuf *e);
/* The warden, once the samples are counted: takes the memory for the sampler's weights and gives
 * them their first values. MR_E_MEMORY with the bytes that are needed. */
int mr__feedback_grow(const struct mr_feedback *f, const struct mr_learner *learner, void *sampler,
                      struct mr_errbuf *e);
/* Trainer and commander: maps it, after its sizes were checked. */
int mr__feedback_attach(struct mr_feedback *f, const struct mr_learner *learner, void *sampler,
                        struct mr_errbuf *e);
void mr__feedback_close(struct mr_feedback *f); /* the descriptor; the mapping stays */
void mr__feedback_release(struct mr_feedback *f);

static inline struct mr_feedback_head *mr__feedback_head(const struct mr_feedback *f)
{
    return (struct mr_feedback_head *)f->base;
}
static inline struct mr_feedback_entry *mr__feedback_entry(const struct mr_feedback *f,
                                                           uint64_t ordinal)
{
    return (struct mr_feedback_entry *)(f->base + sizeof(struct mr_feedback_head) +
                                        ordinal % f->entries * f->entry_bytes);
}
static inline uint64_t *mr__feedback_samples(const struct mr_feedback_entry *entry)
{
    return (uint64_t *)(entry + 1);
}
static inline float *mr__feedback_values(const struct mr_feedback *f,
                                         const struct mr_feedback_entry *entry)
{
    return (float *)(mr__feedback_samples(entry) + f->rows);
}
/* What is applied at a place (the ordinal of the last batch delivered), at least. */
static inline uint64_t mr__feedback_floor(const struct mr_feedback *f, uint64_t place)
{
    return place > f->delay ? place - f->delay : 0;
}

/* The weights of a place as a file has them: samples (u64) and values (float) of `delay` batches
 * that are not yet applied, oldest first, [rows] each; then the leaves (float). */
static inline uint64_t mr__feedback_given_bytes(const struct mr_feedback *f)
{
    return (uint64_t)f->delay * f->rows * (sizeof(uint64_t) + sizeof(float)) +
           f->weights.n * sizeof(float);
}

/* ---- trainer ---- */

/* A value for a row of a leased batch; the last one counts. */
void mr__feedback_give(const struct mr_feedback *f, uint64_t ordinal, uint32_t row, uint64_t sample,
                       float value);
/* No more values for this batch. The free bell is the caller's to ring. */
void mr__feedback_done(const struct mr_feedback *f, uint64_t ordinal);
/* The entry that the commander cannot do without to plan the batch behind `place`, while the
 * trainer has not released that batch; 0: there is none. */
uint64_t mr__feedback_missing(const struct mr_feedback *f, uint64_t place);
/* The weights of a place, which is the ordinal of the last batch delivered, into `given`
 * (mr__feedback_given_bytes). No request may be under way. */
void mr__feedback_copy(const struct mr_feedback *f, uint64_t place, void *given);
/* Before a request is made, and none may be under way: the commander is to go on behind `place`,
 * with the weights of `given` if that is not NULL. */
void mr__feedback_ask(const struct mr_feedback *f, uint64_t place, const void *given);

/* ---- commander ---- */

/* At a request: brings the weights to the place that the trainer named, which is returned. May be
 * repeated. */
uint64_t mr__feedback_seek(const struct mr_feedback *f);
/* Applies what batch `ordinal` has to follow. MR_OK; MR_FEEDBACK_LATER: an entry that has to be
 * applied is not done, and the free bell will ring when it is. MR_E_CORRUPT. */
#define MR_FEEDBACK_LATER 1
int mr__feedback_follow(const struct mr_feedback *f, const struct mr_arena *a, uint64_t ordinal,
                        struct mr_errbuf *e);
/* An empty entry for a batch that is about to be published. */
void mr__feedback_expect(const struct mr_feedback *f, uint64_t ordinal);

#endif
