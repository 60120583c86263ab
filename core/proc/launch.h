/* SPDX-License-Identifier: Apache-2.0
 *
 * launch.h: how the trainer starts its warden, and ends it.
 */
#ifndef MR_PROC_LAUNCH_H
#define MR_PROC_LAUNCH_H

#include "proc/child.h"

/* Spawns the program `exe` with fds[0 .. n - 1] as its descriptors first .. first + n - 1 (-1: left
 * out), in a session of its own. The trainer's memory is not copied, whatever threads and GPU
 * contexts it has. */
int mr__launch_spawn(struct mr_child *warden, const char *exe, const int *fds, int n, int first,
                     struct mr_errbuf *e);
/* Forks; the child calls run(ctx), which does not return. For `context: fork`. */
int mr__launch_fork(struct mr_child *warden, void (*run)(void *ctx), void *ctx,
                    struct mr_errbuf *e);
/* Waits until the warden has gone by itself, else kills it; takes its status. */
void mr__launch_end(struct mr_child *warden, int timeout_ms);

/* The warden program: `given`, $MILLRACE_WARDEN, beside the library, or where it was installed.
 * malloc'ed; NULL with the error naming the places when there is none. */
char *mr__launch_find(const char *given, struct mr_errbuf *e);

#endif
