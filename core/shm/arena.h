/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h: the three memfds of a loader and what lies in them. Sizes are computed first, held
 * against every limit, and reserved at open; nothing grows later. Offsets, never pointers; each
 * writer's fields on lines of their own (128 bytes: the adjacent-line prefetcher pairs 64-byte
 * lines).
 *
 * - control: struct mr_control, lanes (one per process), hands (one per thread), slot words, row
 *   words. All processes read and write it.
 * - plan: two cursors; per slot a struct mr_plan_head, a message per row, a user commander's state.
 *   The commander writes, others read.
 * - data: per slot ids, valid bytes, counts, fields. Producers write, the trainer owns leased ones.
 */
#ifndef MR_SHM_ARENA_H
#define MR_SHM_ARENA_H

#include "base/crash_point.h"
#include "base/error.h"
#include "shm/costs.h"
#include "shm/wait.h"
#include "shm/words.h"

#include <stdalign.h>
#include <stddef.h>

#define MR_LINE 128
#define MR_BUILD_ID_BYTES 48
#define MR_LANE_WARDEN 0
#define MR_LANE_COMMANDER 1
#define MR_LANE_PRODUCERS 2 /* the first of them */
#define MR_LANE_EVENTS 16
#define MR_EVENT_TEXT 464

enum mr_event_kind {
    MR_EVENT_LOG = 1, /* code: mr_log_level */
    MR_EVENT_BAD,     /* a bad sample: code = mr_err, text = reason with path */
};

/* One line for the trainer. Written by the lane's process, read by the trainer. */
struct mr_event {
    uint32_t kind;
    int32_t code;
    uint64_t seq, sample;
    uint32_t row, text_bytes;
    uint64_t time_ns;
    char text[MR_EVENT_TEXT];
};

enum mr_activity { /* what a process is doing, for mr_dump and for the report of its death */
                   MR_DOING_NOTHING,
                   MR_DOING_START,
                   MR_DOING_WAIT,
                   MR_DOING_PLAN,
                   MR_DOING_READ,
                   MR_DOING_DECODE,
                   MR_DOING_USER,
                   MR_DOING_AHEAD, /* asks for files of other rows */
                   MR_ACTIVITIES
};

enum mr_counter {                /* summed over lanes by readers; each has one writer process */
                  MR_COUNT_ROWS, /* finished */
                  MR_COUNT_MADE, /* of those, the ones that hold a sample */
                  MR_COUNT_BAD,
                  MR_COUNT_READ_NS,
                  MR_COUNT_DECODE_NS,
                  MR_COUNT_AUGMENT_NS,
                  MR_COUNT_IDLE_NS,
                  MR_COUNT_BYTES_READ,
                  MR_COUNT_EVENTS_LOST,
                  MR_COUNT_READS,        /* files */
                  MR_COUNT_READS_WAITED, /* of those, the ones that the disk made wait ... */
                  MR_COUNT_READ_WAIT_NS, /* ... and the time of their reading */
                  MR_COUNT_AHEAD,        /* rows whose files were asked for ahead */
                  MR_COUNTERS
};

/* What one working thread does: written by it alone (shm/hand.h), read by the warden (time limits,
 * reports of death) and by mr_dump. A commander has one hand, a producer one per thread. */
struct mr_hand {
    alignas(MR_LINE) uint32_t busy;        /* 1: has a task; written last at a claim */
    uint32_t tid, activity;                /* enum mr_activity */
    uint32_t slot, task, attempt;          /* attempt: 0 the planned sample, 1 .. its substitutes */
    uint64_t seq, epoch, position, sample; /* sample UINT64_MAX: not known yet */
    uint64_t since_ns,
        cpu_ns;              /* CLOCK_MONOTONIC and the thread's CPU time at the attempt's start */
    uint64_t doing_since_ns; /* of the activity */
};

/* The last words of a producer that crashed (proc/crash.h), written by its signal handler. */
struct mr_crash {
    uint32_t hand;  /* the thread's hand; UINT32_MAX: a thread that the loader did not start */
    int32_t code;   /* si_code */
    int32_t sender; /* pid of another process that sent the signal, 0: nobody did */
    uint64_t address;
    int32_t signo; /* written last; 0: it did not crash */
};

struct mr_lane { /* one process's place; a respawned process takes over its predecessor's */
    alignas(MR_LINE) uint32_t pid;
    uint32_t lease;       /* incarnation, never reused in a run; 0: nobody */
    uint32_t hands_taken; /* threads that have sat down at a hand */
    struct mr_crash crash;
    uint64_t count[MR_COUNTERS];
    struct mr_costs costs;
    uint32_t refused; /* a system call that the sandbox forbade, plus one; 0: none */
    alignas(MR_LINE) uint32_t event_head; /* written by the process */
    alignas(MR_LINE) uint32_t event_tail; /* written by the trainer */
    struct mr_event events[MR_LANE_EVENTS];
};

struct mr_slot { /* the word that decides, and a hint where the first EMPTY row may be */
    alignas(MR_LINE) uint64_t word;
    uint64_t hint;    /* gen:32 | row:32 */
    uint64_t tainted; /* the seq that was leased when a process crashed that may have written over
                         it; 0: none. The warden's */
};

#define MR_STUCK_MAX 16

/* A process that was killed and does not end: it sits in the kernel (a dead disk, a frozen cgroup).
 * Written by the warden, for mr_dump. */
struct mr_stuck {
    uint32_t pid, lease; /* pid 0: none */
    uint32_t lane;
    uint64_t since_ns; /* of the SIGKILL */
};

/* What the warden has done so far, for mr_stats; written by it alone. */
struct mr_tally {
    uint64_t respawns;    /* processes replaced */
    uint64_t crashes;     /* deaths by SEGV, BUS, ILL, FPE, ABRT or SYS */
    uint64_t timeouts;    /* processes ended for sample_timeout or sample_cpu_timeout */
    uint64_t stopped;     /* processes ended because they stood still (SIGSTOP) */
    uint64_t oom_kills;   /* processes that the kernel's OOM killer has taken */
    uint64_t reissued;    /* tasks given to others after a death */
    uint64_t refills;     /* times that every undelivered slot was filled again */
    uint64_t tainted;     /* leased batches at those times */
    uint64_t quarantines; /* slots given up to a process that cannot be ended */
};

enum mr_phase { MR_PHASE_STARTING, MR_PHASE_READY, MR_PHASE_ENDED };
enum mr_failure { MR_FAILURE_NONE, MR_FAILURE_WRITING, MR_FAILURE_SET };

struct mr_request { /* the trainer asks the commander to go on elsewhere */
    uint64_t epoch, batch;
    uint32_t pending;   /* user commanders: as in the plan head */
    uint32_t has_state; /* 1: user commanders: mr__request_state holds what they saved there ... */
    uint32_t state_bytes; /* ... of that many bytes. Asked for without, they leave it there */
};

/* Can a user's commander be sent to an epoch? */
enum mr_seeks { MR_SEEKS_UNKNOWN, MR_SEEKS_NOT, MR_SEEKS };

/* Set at open, then constant: how the three regions are laid out. They stand at the head of the
 * control region, for processes that attach, and every process goes by a copy of its own, since
 * a crashing process may write over the shared one (mr__arena_check_words). */
#define MR_SHAPE_FIELDS                                                                            \
    uint64_t magic, signature;                                                                     \
    char build_id[MR_BUILD_ID_BYTES];                                                              \
    uint64_t control_bytes, plan_bytes, data_bytes;                                                \
    uint64_t list_hash; /* of a bad list's bytes */                                                \
    uint64_t slot_data_bytes, slot_plan_bytes, message_bytes, state_bytes, cursor_bytes;           \
    uint64_t off_lanes, off_hands, off_slots, off_rows, off_verdicts, off_requests;                \
    uint32_t slots, spares;    /* spares: of the slots, kept free for batches that have to move */ \
    uint32_t rows, tasks;      /* tasks: row words per slot, rows or 1 */                          \
    uint32_t producers, hands; /* hands: per lane, producers.threads */                            \
    uint32_t listed_max;       /* verdicts that a bad list brings */

struct mr_shape {
    MR_SHAPE_FIELDS
};

struct mr_control {
    MR_SHAPE_FIELDS            /* for attaching only: everybody uses mr_arena.shape */
        uint32_t max_restarts; /* deaths with no row finished between them that end the run */

    alignas(MR_LINE) struct mr_bell
        free_bell; /* slots may be FREE, or a request came: the commander waits */
    alignas(MR_LINE) struct mr_bell work_bell; /* rows may be EMPTY: producers wait */
    alignas(MR_LINE) uint32_t stop;            /* everybody leaves */
    uint32_t phase;                            /* enum mr_phase, the warden's */
    uint32_t reserving;                        /* the warden is taking the arena's memory */
    uint64_t length, sampler_hash; /* of the sampler, before READY: the warden's, for a trainer that
                                      need not open one */
    alignas(MR_LINE) uint64_t request_id;      /* the stream wanted; the trainer's */
    struct mr_request request[2];              /* [request_id & 1] */
    alignas(MR_LINE) uint64_t request_done;    /* the stream being planned; the commander's */
    uint64_t planned;                  /* the commander's: a seq that it has published, noted
                                          before a move may overwrite the word that says so */
    uint32_t commander_resumes;        /* the commander's: a successor could go on behind it */
    uint32_t commander_seeks;          /* ... enum mr_seeks, of a user's */
    alignas(MR_LINE) uint32_t failure; /* enum mr_failure: the first fatal error wins */
    int32_t failure_code;
    char failure_text[MR_ERR_TEXT];
    alignas(MR_LINE) uint32_t doubt; /* 1: a producer has crashed, and what is finished may have
                                        been written over: the trainer leases nothing until the
                                        warden has seen to it */
    alignas(MR_LINE) struct mr_tally tally; /* the warden's */
    struct mr_stuck stuck[MR_STUCK_MAX];
    alignas(MR_LINE) uint64_t ahead; /* slot_ahead.c: up to which row files were asked for ahead; a
                                        hint, nothing is decided by it */
    uint32_t ahead_off; /* 1: somebody did not come back from that, so nobody does it any more */
    alignas(MR_LINE) uint32_t warden_sleeps; /* 1: it has no deadline; see mr__hand_expected */
    alignas(MR_LINE) uint32_t any_verdict; /* shm/verdict.h: 0: all parts of the table are empty */
    uint32_t verdicts[3];                  /* how many a part has; each part has one writer */
};

enum mr_plan_kind {
    MR_PLAN_BATCH = 1,
    MR_PLAN_END_EPOCH = 2,
    MR_PLAN_END = 3,
    MR_PLAN_FAIL = 4, /* the planner cannot go on: a struct mr_errbuf lies where messages do. What
                         was planned before is delivered first */
};

/* In front of a slot's messages. Every field is written before the slot is RESERVED and read with
 * relaxed atomics: a reader trusts it only after its own CAS on the slot word has shown that the
 * seq is still the one it looked at. */
struct mr_plan_head {
    uint64_t stream;    /* the request that it answers */
    uint64_t first_seq; /* of that stream */
    uint64_t epoch;
    uint64_t batch;       /* global number in the epoch */
    uint64_t step;        /* this rank's batches before it, from the base on (pipe/epochs.h) */
    uint64_t ordinal;     /* with feedback: this rank's batches up to it in the run; else 0 */
    uint32_t rows, tasks; /* in use; 0 for END_EPOCH and END */
    uint32_t kind;        /* enum mr_plan_kind */
    uint32_t
        state_bytes; /* user commanders: their saved state after this batch, behind the messages */
    uint32_t
        pending; /* user commanders: an end that was met and not yet planned (mr_err), 0: none */
};

/* Where the commander stood when it published seq: cursor[seq & 1], written before. A new commander
 * finds the largest published seq in the slot words; seqs are consecutive, so that cursor is whole
 * even if its predecessor died in the middle of the next one. (A slot's own head would not do: the
 * next batch may be half written over it.) */
struct mr_cursor {
    uint64_t seq;
    struct mr_plan_head head;
    /* head.state_bytes bytes of a user commander's state follow */
};

/* What an arena is to look like. */
struct mr_arena_spec {
    uint32_t slots, spares; /* the arena has as many slots as both together */
    uint32_t rows, tasks, producers;
    uint32_t hands;           /* threads per producer, 0: 1 */
    uint64_t slot_data_bytes; /* a multiple of the page size */
    uint64_t message_bytes;   /* a multiple of 8 */
    uint64_t state_bytes;     /* room for a user commander's state per slot */
    uint64_t signature;       /* of the plan: both sides must have compiled the same */
    uint32_t listed_max;      /* lines of `bad_list_in` ... */
    uint64_t list_hash;       /* ... and its bytes, for who reads it again */
};

struct mr_arena {          /* one process's mappings */
    struct mr_shape shape; /* its own copy: nobody else can write over it */
    struct mr_control *control;
    uint8_t *plan, *data;
    int control_fd, plan_fd, data_fd;
    int ready_fd;  /* eventfd: the trainer polls, everybody else writes */
    int warden_fd; /* eventfd: the warden polls, the trainer writes, and the commander when there is
                      work after all were idle */
};

/* Creates and maps a new arena (the trainer), its size held against every limit. On failure nothing
 * is left. MR_E_MEMORY names the bytes needed, the bytes there are, which limit said so, and the
 * config keys that make it smaller. */
int mr__arena_create(struct mr_arena *a, const struct mr_arena_spec *spec, struct mr_errbuf *e);
/* Takes the memory of plan and data from the kernel (the control region has its own already).
 * Where a cgroup's limit is met the answer may be the OOM killer: see mr__warden_reserve. */
int mr__arena_reserve(const struct mr_arena *a, struct mr_errbuf *e);
/* Maps the memfds whose descriptors are set in *a, after checking magic, build and sizes. */
int mr__arena_attach(struct mr_arena *a, uint64_t signature, struct mr_errbuf *e);
/* Takes the pixels away from a process that has no use for them: a commander. */
int mr__arena_hide_data(struct mr_arena *a, struct mr_errbuf *e);
/* Maps the plan read-only, for good, over the writable mapping: for producers, after the fork. */
int mr__arena_protect_plan(struct mr_arena *a, struct mr_errbuf *e);
/* Nobody who maps the data from now on may write to it; what is mapped stays writable. */
int mr__arena_seal_data(struct mr_arena *a, struct mr_errbuf *e);
void mr__arena_unmap(struct mr_arena *a);
/* Whether a crashed process has visibly scribbled over the control region: MR_E_CORRUPT with a
 * sentence when a constant has changed or a slot or row word is one that no process writes. */
int mr__arena_check_words(const struct mr_arena *a, struct mr_errbuf *e);

/* Bytes that may be reserved now: the tightest of cgroup limit, MemAvailable, RLIMIT_FSIZE; *why
 * names it, or says why the figures cannot be read (then 0). */
uint64_t mr__memory_room(const char **why);

#define MR_GET(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define MR_SET(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

static inline struct mr_lane *mr__lane(const struct mr_arena *a, uint32_t lane)
{
    return (struct mr_lane *)((uint8_t *)a->control + a->shape.off_lanes) + lane;
}
static inline struct mr_hand *mr__hand(const struct mr_arena *a, uint32_t lane, uint32_t thread)
{
    return (struct mr_hand *)((uint8_t *)a->control + a->shape.off_hands) +
           (uint64_t)lane * a->shape.hands + thread;
}
static inline struct mr_slot *mr__slot(const struct mr_arena *a, uint32_t slot)
{
    return (struct mr_slot *)((uint8_t *)a->control + a->shape.off_slots) + slot;
}
static inline uint64_t *mr__slot_rows(const struct mr_arena *a, uint32_t slot)
{
    return (uint64_t *)((uint8_t *)a->control + a->shape.off_rows) +
           (uint64_t)slot * a->shape.tasks;
}
static inline struct mr_plan_head *mr__plan_head(const struct mr_arena *a, uint32_t slot)
{
    return (struct mr_plan_head *)(a->plan + 2 * a->shape.cursor_bytes +
                                   (uint64_t)slot * a->shape.slot_plan_bytes);
}
/* Readers look before their CAS proves that the head is still the one they mean. */
static inline void mr__plan_write_head(struct mr_plan_head *to, const struct mr_plan_head *head)
{
    MR_SET(to->stream, head->stream);
    MR_SET(to->first_seq, head->first_seq);
    MR_SET(to->epoch, head->epoch);
    MR_SET(to->batch, head->batch);
    MR_SET(to->step, head->step);
    MR_SET(to->ordinal, head->ordinal);
    MR_CRASH_POINT("commander.half_head");
    MR_SET(to->rows, head->rows);
    MR_SET(to->tasks, head->tasks);
    MR_SET(to->kind, head->kind);
    MR_SET(to->state_bytes, head->state_bytes);
    MR_SET(to->pending, head->pending);
}
static inline struct mr_cursor *mr__plan_cursor(const struct mr_arena *a, uint64_t seq)
{
    return (struct mr_cursor *)(a->plan + (seq & 1) * a->shape.cursor_bytes);
}
static inline void *mr__plan_message(const struct mr_arena *a, uint32_t slot, uint32_t row)
{
    return (uint8_t *)mr__plan_head(a, slot) + MR_LINE + row * a->shape.message_bytes;
}
static inline void *mr__plan_state(const struct mr_arena *a, uint32_t slot)
{
    return mr__plan_message(a, slot, a->shape.rows);
}
/* state_bytes of room for what a user's commander is to go on from; beside request[id & 1]. */
static inline void *mr__request_state(const struct mr_arena *a, uint64_t id)
{
    return (uint8_t *)a->control + a->shape.off_requests + (id & 1) * a->shape.state_bytes;
}
static inline uint8_t *mr__slot_data(const struct mr_arena *a, uint32_t slot)
{
    return a->data + (uint64_t)slot * a->shape.slot_data_bytes;
}
static inline uint32_t mr__lane_count(const struct mr_arena *a)
{
    return MR_LANE_PRODUCERS + a->shape.producers;
}

/* The library's own build: a hash of its sources, made by the build. */
const char *mr__build_id(void);

#endif
