/* SPDX-License-Identifier: Apache-2.0
 *
 * landlock.h: Landlock by its system calls, since headers and libc may be older than the kernel. A
 * ruleset is made once and then holds for every process that enters it, and its children.
 */
#ifndef MR_PROC_LANDLOCK_H
#define MR_PROC_LANDLOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The kernel's version of the interface, 0: it has none, or it is switched off. */
int mr__landlock_abi(void);

/* A ruleset under which nothing of the file system can be written, made, removed or executed,
 * nothing read but what lies below `roots` (NUL-terminated absolute paths one behind the other,
 * `bytes` in all; those that are not there are left out), no TCP port used (unless `network`), no
 * process outside signalled. `list`: folders may be listed, too. Returns a descriptor (close on
 * exec) or a negative code: MR_E_SYSTEM, with a sentence. */
int mr__landlock_ruleset(const char *roots, size_t bytes, bool list, bool network,
                         struct mr_errbuf *e);
/* Puts this thread, and what it starts, under the ruleset; after no_new_privs. 0, or -1 with errno.
 */
int mr__landlock_enter(int ruleset);

#endif
