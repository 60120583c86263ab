/* SPDX-License-Identifier: Apache-2.0
 *
 * warden.h: the small process that starts, watches and replaces commander and producers.
 * Single-threaded, runs no user code, touches no pixels.
 */
#ifndef MR_PROC_WARDEN_H
#define MR_PROC_WARDEN_H

#include "proc/roles.h"

/* The warden's life: index, commander, producers; then it replaces what dies, until the trainer
 * says stop or dies. Call it in a process of its own. A fatal error is reported in the arena.
 * Returns the exit status. */
int mr__warden_run(const struct mr_arena *a, const struct mr_roles *roles, int trainer_pidfd);

/* Takes the memory of plan and data, first to be killed if there is not enough of it (the arena's
 * `reserving` says so while it lasts). MR_E_MEMORY. */
int mr__warden_reserve(const struct mr_arena *a, struct mr_errbuf *e);

#endif
