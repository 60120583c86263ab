/* SPDX-License-Identifier: Apache-2.0
 *
 * crash_point.h: places where a test may end this process. In an ordinary build they are nothing:
 * no code, no symbol. With -DMR_FAULTS=ON the plan of faults stands in a page that all processes of
 * a loader share, so that "the second time" means of all of them together.
 *
 *     MILLRACE_FAULT="producer.claimed:1:kill>warden.dead:1:kill" build/faults/bin/millrace run ...
 *
 * A plan is a chain of POINT[@ROLE]:HIT:ACTION; the second is armed when the first has struck.
 * ROLE: trainer, warden, commander, producer, index. ACTION: kill, segv, abort, stop, spin; skip is
 * for the steps that MR_CRASH_SKIPS can leave out.
 */
#ifndef MR_BASE_CRASH_POINT_H
#define MR_BASE_CRASH_POINT_H

#ifdef MR_FAULTS

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MR_FAULT_CHAIN 6 /* faults in a plan */
#define MR_FAULT_NAME 40

enum mr_fault_action {
    MR_FAULT_KILL,
    MR_FAULT_SEGV,
    MR_FAULT_ABORT,
    MR_FAULT_STOP,
    MR_FAULT_SPIN,
    MR_FAULT_SKIP,
    MR_FAULT_ACTIONS
};

struct mr_fault {
    char point[MR_FAULT_NAME];
    char role[16]; /* "": any */
    uint32_t hit, action;
    uint32_t hits; /* so far, while it was the armed one */
};

struct mr_fault_page { /* shared, and zeroed by whoever makes it */
    uint32_t faults;   /* in the chain */
    uint32_t armed;    /* the one whose turn it is; == faults: all have struck */
    struct mr_fault fault[MR_FAULT_CHAIN];
};

/* The page's place for other processes: a path to be opened, in the environment. */
#define MR_FAULT_PAGE "MILLRACE_FAULT_PAGE"

/* Reads a plan into a page. 0: the text is none. */
int mr__fault_parse(const char *text, struct mr_fault_page *page);
/* What this process is; static storage. */
void mr__crash_role(const char *role);
/* Strikes when the armed fault is of this name and role and it is its turn. Never returns then,
 * except from `stop`, when somebody continues the process. */
void mr__crash_point(const char *name);
/* 1: the step is to be left out this time, as if the system had not done it. */
int mr__crash_skips(const char *name);

#ifdef __cplusplus
}
#endif

#define MR_CRASH_ROLE(role) mr__crash_role(role)
#define MR_CRASH_POINT(name) mr__crash_point(name)
#define MR_CRASH_SKIPS(name) mr__crash_skips(name)

#else

#define MR_CRASH_ROLE(role) ((void)0)
#define MR_CRASH_POINT(name) ((void)0)
#define MR_CRASH_SKIPS(name) 0

#endif
#endif
