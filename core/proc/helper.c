/* SPDX-License-Identifier: Apache-2.0 */
#include "seats.h"

#include "base/crash_point.h"
#include "shm/report.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_helper(struct mr_warden *w)
{
    struct mr_errbuf e = {0};
    MR_CRASH_ROLE("index");
    int rc = w->roles->index(w->roles->ctx, &e);
    if (rc < 0)
        mr__fail_run(w->a, &e);
    _exit(rc < 0 ? MR_EXIT_FAILED : 0);
}

/* However long it takes (millions of files on a slow disk are hours), and however much it hangs:
 * until it has ended, the trainer has, or the trainer says stop. */
static int wait_for_helper(struct mr_warden *w, struct mr_child *helper, int *status,
                           struct mr_errbuf *e)
{
    struct pollfd p[3] = {{.fd = helper->pidfd, .events = POLLIN},
                          {.fd = w->trainer_pidfd, .events = POLLIN},
                          {.fd = w->a->warden_fd, .events = POLLIN}};
    while (poll(p, 3, -1) < 0 && errno == EINTR)
        ;
    if (!p[0].revents && !mr__child_fence(helper, MR_FENCE_MS))
        return mr__fail(e, MR_E_DIED,
                        "the process that builds the index (%d) cannot be ended: it waits for a "
                        "disk or a network file system that does not answer",
                        (int)helper->pid);
    *status = mr__child_reap(helper);
    return MR_OK;
}

int mr__helper_index(struct mr_warden *w, struct mr_errbuf *e)
{
    struct mr_child helper;
    char death[96];
    int status = 0;
    if (!w->roles->index)
        return MR_OK;
    int rc = mr__child_fork(&helper, "mr-index", e);
    if (rc == 0)
        run_helper(w);
    MR_CRASH_POINT("warden.index_forked");
    if (rc > 0)
        rc = wait_for_helper(w, &helper, &status, e);
    if (rc < 0)
        return rc;
    MR_CRASH_POINT("warden.index_reaped");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return w->roles->indexed(w->roles->ctx, e);
    mr__child_describe(status, death, sizeof death);
    return mr__fail(e, MR_E_DIED, "the process that builds the index %s", death);
}
