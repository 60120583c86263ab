/* SPDX-License-Identifier: Apache-2.0
 *
 * mapped.h: a file that processes of the loader have mapped may be cut by somebody, or its disk may
 * fail: who looks there then gets SIGBUS. That is the file's fault and nobody else's, so it ends
 * the run with a sentence about the file, and is no crash.
 */
#ifndef MR_PROC_MAPPED_H
#define MR_PROC_MAPPED_H

#include "shm/arena.h"

#include <signal.h>
#include <stdbool.h>

/* In the warden, and so in all that it starts: `bytes` from `base` on are the file `path`. */
void mr__mapped_watch(const struct mr_arena *a, const void *base, uint64_t bytes, const char *path);
/* For a handler of SIGBUS: when the fault was there it ends the run and this process, and does not
 * return. */
void mr__mapped_fault(int signo, const siginfo_t *info);

#endif
