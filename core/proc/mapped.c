/* SPDX-License-Identifier: Apache-2.0
 *
 * mapped.c: the handler calls more than a handler may as a rule. It can: the fault is a load of our
 * own code from the index, and no lock is held around one.
 */
#include "mapped.h"

#include "base/printable.h"
#include "proc/child.h"
#include "shm/report.h"

#include <string.h>
#include <unistd.h>

static struct {
    const struct mr_arena *a; /* NULL: nothing is watched */
    uintptr_t first, end;
    struct mr_errbuf e;
} watched;

void mr__mapped_fault(int signo, const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    if (signo != SIGBUS || info->si_code <= 0 || !watched.a || at < watched.first ||
        at >= watched.end)
        return;
    mr__fail_run(watched.a, &watched.e);
    _exit(MR_EXIT_FAILED);
}

/* Anything else is what it was: the second signal finds the default action. */
static void on_bus(int signo, siginfo_t *info, void *context)
{
    (void)context;
    mr__mapped_fault(signo, info);
    signal(SIGBUS, SIG_DFL);
    if (info->si_code <= 0) /* somebody sent it */
        raise(SIGBUS);
}

void mr__mapped_watch(const struct mr_arena *a, const void *base, uint64_t bytes, const char *path)
{
    struct sigaction ours = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    watched.a = a;
    watched.first = (uintptr_t)base;
    watched.end = (uintptr_t)base + bytes;
    mr__fail(&watched.e, MR_E_IO,
             "the index of the data set cannot be read any more: its file '%s' was cut while it "
             "was in use, or its disk fails; files of 'index_cache' are replaced or removed, never "
             "written over",
             mr__printable(path, strlen(path)).text);
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, &ours, NULL);
}
