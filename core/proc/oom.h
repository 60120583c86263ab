/* SPDX-License-Identifier: Apache-2.0
 *
 * oom.h: did the kernel end a process for want of memory? A death says only "signal 9"; the
 * cgroup's counter says that the OOM killer was at work.
 */
#ifndef MR_PROC_OOM_H
#define MR_PROC_OOM_H

#include <stdbool.h>
#include <stdint.h>

struct mr_oom {
    char path[512]; /* of the counter; "": there is none */
    uint64_t seen;  /* kills that are accounted for */
};

/* Finds the counter: memory.events of the own cgroup (v2), its memory.oom_control (v1), else the
 * machine's in /proc/vmstat. */
void mr__oom_open(struct mr_oom *oom);
/* After a death by SIGKILL that nobody here has sent. True: the counter has risen, and this death
 * accounts for one of it. (Another process of the cgroup may have been meant: nothing tells.) */
bool mr__oom_take(struct mr_oom *oom);
/* When nobody of ours has died: what the counter has risen by was meant for others. */
void mr__oom_forget(struct mr_oom *oom);

#endif
