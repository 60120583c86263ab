/* SPDX-License-Identifier: Apache-2.0
 *
 * seats.h: the warden's own memory, shared by the files that it is made of: who sits in which lane,
 * who is to be ended and why, what has happened so far.
 *
 *   warden.c   the loop: what is waited for, what is done about it
 *   seats.c    starting a process in a lane, and starting the next one
 *   watch.c    time: limits of a row, processes that stand still, the next deadline
 *   deaths.c   a process has ended: rows given back, the line about it, replaced or not
 *   blame.c    whether the sample did it, and the verdict after two such deaths
 *   fence.c    ending a process, and what becomes of one that cannot be ended
 *   refill.c   stray stores: every undelivered slot is filled again
 *   oom.c      whether the kernel ended it for want of memory
 *   helper.c   the process that builds the index
 */
#ifndef MR_PROC_SEATS_H
#define MR_PROC_SEATS_H

#include "proc/child.h"
#include "proc/oom.h"
#include "proc/roles.h"

#ifdef MR_FAULTS
#define MR_FENCE_MS 300 /* the fault-injection tests have many such cases to wait for */
#else
#define MR_FENCE_MS 2000 /* from SIGKILL until a process counts as one that cannot be ended */
#endif
#define MR_BACKOFF_LAST_MS 5000
#define MR_SUSPECTS 256

enum mr_why { /* the warden's reason for ending a process */
              MR_WHY_NOT,
              MR_WHY_STOPPED, /* stood still (SIGSTOP) */
              MR_WHY_TIMEOUT, /* sample_timeout */
              MR_WHY_CPU,     /* sample_cpu_timeout */
              MR_WHY_REFILL   /* another one's stray stores */
};

struct mr_seat { /* a lane and who sits in it */
    struct mr_child child;
    uint32_t lease;
    uint64_t started_at;
    uint64_t respawn_at; /* ns; 0: not waiting to be replaced */
    uint64_t stopped_at; /* 0: it runs */
    uint64_t alive_from; /* its clocks count from here at the earliest: it was continued */
    enum mr_why why;
    uint64_t killed_at; /* its end is awaited; 0: it may live */
    uint32_t hand;      /* TIMEOUT, CPU: the hand that went over its limit, and when it had begun */
    uint64_t hand_since;
    uint32_t owed; /* a dead one's lease: its rows are given back when the slots are refilled */
};

struct mr_suspect { /* a row's attempt in which a process died by the sample's doing */
    uint64_t epoch, position;
    uint32_t attempt, deaths; /* deaths 0: unused */
};

struct mr_warden {
    const struct mr_arena *a;
    const struct mr_roles *roles;
    int trainer_pidfd, signal_fd;
    struct mr_seat *seats; /* by lane; [0], the warden's own, is unused */
    uint32_t nseats, next_lease;
    struct mr_child stuck[MR_STUCK_MAX]; /* killed and still there; their place in control->stuck */
    uint64_t alive_from;  /* all clocks count from here at the earliest: we stood still */
    uint64_t slept_until; /* UINT64_MAX: without end */
    bool refilling;       /* producers are being ended so that the slots can be filled again */

    uint32_t waves;   /* generations of processes that have died with no row finished between */
    uint64_t wave_at; /* when the latest began: who was started later belongs to the next */
    uint32_t deaths;  /* in these waves */
    uint64_t rows_at_death;
    struct mr_suspect suspects[MR_SUSPECTS];
    uint32_t next_suspect;
    struct mr_oom oom;
};

/* ---- seats.c ---- */

/* Starts a process in a lane. */
int mr__seat_child(struct mr_warden *w, uint32_t lane, struct mr_errbuf *e);
/* Starts those whose time has come. One that cannot be started is tried again later. */
void mr__seat_respawn_due(struct mr_warden *w, uint64_t now);
/* "the commander" or "producer N". */
const char *mr__seat_name(uint32_t lane, char text[32]);

/* ---- watch.c ---- */

/* After SIGCHLD: who stands still, who goes on. */
void mr__watch_stops(struct mr_warden *w, uint64_t now);
/* Ends who is over a limit. Returns when to look again; UINT64_MAX: nobody is busy, and there is
 * nothing to do. */
uint64_t mr__watch_limits(struct mr_warden *w, uint64_t now);

/* ---- deaths.c ---- */

/* The lane's process has ended: its pidfd is readable. */
void mr__death(struct mr_warden *w, uint32_t lane);

/* ---- blame.c ---- */

struct mr_blame {
    int signo;       /* the crash's; 0: it did not crash */
    int32_t sender;  /* of that signal: pid of another process, -1: one that we cannot name, 0: its
                        own  fault */
    uint32_t cause;  /* enum mr_cause; 0: the sample is not to blame */
    uint32_t detail; /* signal number, or milliseconds of the limit */
    uint32_t hand; /* the one that is to blame, or has worked longest; UINT32_MAX: none had a row */
    uint32_t deaths; /* of this attempt so far, this one included */
};

/* Says why a process ended, from its status (as waitpid gives it; -1: killed for a time limit, and
 * still there) and its last words, and counts it against the sample that caused it; at two the
 * sample is set aside. Call it before the dead process's rows are given back. */
void mr__blame(struct mr_warden *w, uint32_t lane, int status, struct mr_blame *blame);

/* ---- fence.c ---- */

/* SIGKILL; what follows comes with its pidfd, or from mr__fence_check. */
void mr__fence_begin(struct mr_warden *w, uint32_t lane, enum mr_why why);
/* What to do about those that have not ended in time. Returns when to look again. */
uint64_t mr__fence_check(struct mr_warden *w, uint64_t now);
/* One that could not be ended has ended at last. */
void mr__fence_unstuck(struct mr_warden *w, uint32_t number);
/* The end of the run: everybody has a moment to leave, then nobody is left. */
void mr__fence_all(struct mr_warden *w);

/* ---- refill.c ---- */

/* Begins to end all producers. */
void mr__refill_begin(struct mr_warden *w);
/* When all have ended: fills the slots again. */
void mr__refill_check(struct mr_warden *w);

/* ---- helper.c ---- */

/* Builds the index in a process of its own, and maps it. MR_E_DIED. */
int mr__helper_index(struct mr_warden *w, struct mr_errbuf *e);

static inline uint64_t mr__earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

#define MR_TALLY(w, what, by) \
    MR_SET((w)->a->control->tally.what, (w)->a->control->tally.what + (by))

#endif
