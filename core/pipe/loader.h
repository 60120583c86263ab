/* SPDX-License-Identifier: Apache-2.0
 *
 * loader.h: the handle behind mr_loader and mr_batch, shared by the files that implement
 * millrace.h.
 */
#ifndef MR_PIPE_LOADER_H
#define MR_PIPE_LOADER_H

#include "millrace/millrace.h"
#include "pipe/bad_delivery.h"
#include "pipe/last_error.h"
#include "pipe/session.h"
#include "pipe/state_text.h"
#include "proc/child.h"
#include "shm/arena.h"

#include <pthread.h>

/* A lease. Handles are reused first in, first out from a pool much larger than the slots, so that a
 * stale pointer keeps naming a dead lease for a long time and its release is told apart from a live
 * one. */
struct mr_batch {
    mr_loader *loader;
    uint32_t slot;
    bool leased;
    uint64_t seq;
    struct mr_plan_head head;
    uint64_t sequence;
    uint64_t loads;           /* the loader's, when this batch was delivered */
    struct mr_tensor *fields; /* [nfields] */
};

/* The trainer's side of a sampler that learns (learned.c). All zero without one. */
struct mr_learned {
    uint64_t place; /* ordinal of the last batch delivered */
    uint64_t loads; /* how often weights were loaded: older batches teach nothing any more */
    void *given;    /* weights from a file, for the state that is loaded next; NULL: none */
    uint64_t given_hash, given_place;
    bool loading; /* the next request brings them */
    /* The last file written, and the place that it is of. */
    uint64_t saved_hash, saved_stream, saved_epoch, saved_position;
};

/* A user's commander behind the last batch returned. */
struct mr_user_place {
    bool known;       /* it has saved ... */
    bool none;        /* it cannot, so its place is lost */
    bool asked;       /* ... behind a request, which was to an epoch: it is with the request */
    uint32_t pending; /* as in struct mr_plan_head */
    uint32_t bytes;
    uint8_t *state; /* [arena.shape.state_bytes] */
};

struct mr_loader {
    pthread_mutex_t lock;
    uint32_t inside;     /* threads in a call on this loader; raised before the lock is taken */
    pthread_cond_t left; /* a call has ended, or the poll below: mr_close and waiters look again */
    bool wake_owed;      /* a slot was freed and the commander not yet woken */
    bool polling;        /* one thread polls for all that wait, so that no signal is missed */
    uint8_t *here; /* a page that is 1 in the process that opened the loader and 0 in its forked
                      children */
    struct mr_session s;
    struct mr_child warden;
    void (*log)(void *, mr_log_level, const char *);
    void *log_user;

    uint64_t stream; /* of our last request */
    uint64_t
        delivered;  /* slots of this stream taken, markers included: the ordinal that comes next */
    uint64_t epoch; /* being delivered */
    uint64_t position; /* global batch after the last one returned, in this epoch */
    bool epoch_cut;    /* mr_end_epoch was called: say so in the next mr_next */
    bool ended;
    bool closed;              /* mr_close has begun */
    bool close_done;          /* ... and ended: the last release frees everything */
    bool poison;              /* MILLRACE_POISON=1 */
    bool unlisted;            /* known.c found no place for it */
    struct mr_errbuf failure; /* code < 0: the run is over, this is why */
    struct mr_bad_keeper bad;
    struct mr_learned learned;
    struct mr_user_place user;
    int epoll_fd; /* mr_fd: ready_fd and the warden's pidfd */
    pid_t owner;  /* the process that opened the loader */

    struct mr_batch *pool;
    struct mr_tensor *pool_fields;
    uint32_t npool, next_handle, leases;

    char **classes; /* names asked for so far; NULL: none */

    bool hashing;
    uint64_t hash;
    uint64_t rows, wait_ns, returned; /* valid rows, time in mr_next, batches */
};

/* Begins a call: locks. Refuses NULL, in a forked child, and when mr_close has begun (MR_E_CLOSED;
 * only mr__loader_enter_release does not). On success mr__loader_leave must follow. */
int mr__loader_enter(mr_loader *l, struct mr_errbuf *e);
/* The loader whose lease `b` is; NULL with the error when it is none's: MR_E_USAGE for NULL,
 * MR_E_FORKED in a forked child, MR_E_STALE for a batch that was released, or that never was one.
 */
mr_loader *mr__batch_loader(const mr_batch *b, struct mr_errbuf *e);
int mr__loader_enter_release(mr_loader *l, struct mr_errbuf *e);
void mr__loader_leave(mr_loader *l);
/* Frees everything; the caller holds no lock and nobody else has the loader. */
void mr__loader_free(mr_loader *l);
/* Hands log lines to the callback and remembers bad samples. Lock held. */
void mr__loader_drain_events(mr_loader *l);
/* Asks the commander to go to a place; `state`: that place, with what a user's commander saved
 * there, NULL: the beginning of an epoch, or any for built-in ones. Lock held. MR_E_DIED when
 * nobody answers an earlier request.
 */
int mr__loader_request(mr_loader *l, uint64_t epoch, uint64_t batch, const struct mr_state *state,
                       struct mr_errbuf *e);
/* Why no batch will come, for good or until one is released (MR_E_LEASED); MR_OK: one may. */
int mr__loader_cannot_come(mr_loader *l, struct mr_errbuf *e);
/* Waits until no request is under way. As mr__loader_request. */
int mr__loader_settle(mr_loader *l, struct mr_errbuf *e);
/* Waits until something changed (ready_fd), the warden died, or the time is over; unlocks
 * meanwhile. 1: something changed; 0: time is over; negative: the run is over. */
int mr__loader_wait(mr_loader *l, int64_t timeout_ms, struct mr_errbuf *e);
/* Adds a batch to the stream hash. */
uint64_t mr__hash_rows(const struct mr_batch *b, bool sum);
void mr__hash_deliver(mr_loader *l, const struct mr_batch *b);

/* Whether a parsed state belongs to this loader: MR_E_CONFIG, MR_E_UNSUPPORTED. Before the index is
 * there, only its config is looked at. */
int mr__state_check(const mr_loader *l, const struct mr_state *state, struct mr_errbuf *e);
/* Whether the state's weights are the ones that were read. MR_E_CONFIG, MR_E_USAGE. */
int mr__learned_check(const mr_loader *l, const struct mr_state *state, struct mr_errbuf *e);
/* Whether mr_options has a state and weights where they belong together. MR_E_USAGE. */
int mr__learned_expect(const mr_loader *l, const mr_options *o, struct mr_errbuf *e);
/* At the end of mr_open: reads the weights of a state and goes there. */
int mr__learned_resume(mr_loader *l, const char *path, const struct mr_state *state,
                       struct mr_errbuf *e);
/* With each request, before it is made. */
void mr__learned_ask(mr_loader *l);
/* MR_E_LEASED when the commander waits for feedback of a batch that the trainer holds, and can plan
 * nothing more. */
int mr__learned_stuck(const mr_loader *l, struct mr_errbuf *e);
/* Nothing more will be said of this batch. */
void mr__learned_done(const struct mr_batch *b);
/* The hash of the weights file that belongs to this place, for a state; 0 without feedback.
 * MR_E_USAGE: none was written here. */
int mr__learned_hash(const mr_loader *l, uint64_t *hash, struct mr_errbuf *e);
/* Takes over what a user's commander saved; the state was checked. NULL: it is yet to save, where
 * it is sent. */
void mr__state_keep(struct mr_user_place *user, const struct mr_state *state);
/* Writes request `id`: to the loader's epoch and position, with what the commander saved there. */
void mr__state_request(const mr_loader *l, uint64_t id);
/* Takes over a state's forced verdicts and its count of bad samples, before the stream is asked
 * for. MR_E_LIMIT. */
int mr__state_give(mr_loader *l, const struct mr_state *state, struct mr_errbuf *e);

#endif
