/* SPDX-License-Identifier: Apache-2.0
 *
 * child.h: a process of the loader as its parent sees it: started by fork, watched through its
 * pidfd, dead only when the kernel says so. A timer, a closed socket or a pid alone never prove a
 * death.
 */
#ifndef MR_PROC_CHILD_H
#define MR_PROC_CHILD_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MR_EXIT_FAILED 100 /* the process has reported a fatal error; do not replace it */

struct mr_child {
    pid_t pid; /* 0: none */
    int pidfd; /* readable once the process has ended */
};

/* Forks. Returns 0 in the child, 1 in the parent, negative in the parent when it failed. The child
 * dies with its parent, is the OOM killer's choice before the trainer, and is called `name` (15
 * bytes) in ps and top. */
int mr__child_fork(struct mr_child *child, const char *name, struct mr_errbuf *e);
/* Ends a child that may not want to: SIGKILL, then waits until its pidfd says that it is gone (the
 * fence). False: not gone after timeout_ms. Its status stays to be taken by mr__child_reap. */
bool mr__child_fence(const struct mr_child *child, int timeout_ms);
/* Takes the status of an ended child (as waitpid gives it) and forgets the child. */
int mr__child_reap(struct mr_child *child);
/* "was killed by signal 9 (Killed)", "exited with status 3". */
void mr__child_describe(int status, char *text, size_t bytes);

/* A pidfd of any process; -1 with errno. */
int mr__pidfd_open(pid_t pid);

#endif
