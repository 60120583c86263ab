/* SPDX-License-Identifier: Apache-2.0
 *
 * crash.h: a producer's last words: which signal, sent by whom, in which thread, so that the warden
 * can tell a sample that crashes from a signal that somebody sent.
 */
#ifndef MR_PROC_CRASH_H
#define MR_PROC_CRASH_H

#include "shm/arena.h"

#include <signal.h>
#include <stdbool.h>

/* In a producer, once, before it is confined: handlers for SEGV, BUS, ILL, FPE, ABRT and SYS that
 * write to the lane and let the process die of the signal. `chain`: who has a handler already (a
 * sanitizer, a language's run-time) is called after ours and decides what comes of it. */
void mr__crash_install(const struct mr_arena *a, uint32_t lane, bool chain);
/* Puts back what was there: for a program that goes on after its work. */
void mr__crash_remove(void);
/* Writes to the lane; for a signal handler. Nothing in a process that has installed none. */
void mr__crash_note(int signo, const siginfo_t *info);

/* In each of a producer's threads: a stack for signal handlers, since the thread's own may be what
 * is full. MR_E_MEMORY. */
struct mr_crash_stack {
    void *memory; /* NULL: the thread had one already */
    stack_t before;
};
int mr__crash_stack_new(struct mr_crash_stack *stack, struct mr_errbuf *e);
void mr__crash_stack_free(struct mr_crash_stack *stack);

/* SEGV, BUS, ILL, FPE, ABRT, SYS. */
bool mr__crash_is_signal(int signo);
/* SEGV, BUS, ILL, ABRT: stores may have gone astray before. */
bool mr__crash_is_stray(int signo);

#endif
