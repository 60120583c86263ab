/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int mr__pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Mapped slots count as every mapper's memory, so without this the trainer would look largest to
 * the OOM killer. */
static void offer_to_oom_killer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "500", 3) < 0)
        errno = 0; /* only a preference */
    close(fd);
}

static void begin_child(pid_t parent, const char *name)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0); /* the parent died before the line above */
    prctl(PR_SET_NAME, name);
    sigset_t child; /* the warden waits for it in a descriptor, its children need not */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    /* Ctrl-C, and a batch system's SIGTERM to everybody, are for the trainer: it may want its
     * batches until it has saved, and then stops us in good order. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* RLIMIT_FSIZE holds for memfds too: an error is wanted, no death */
    offer_to_oom_killer();
}

int mr__child_fork(struct mr_child *child, const char *name, struct mr_errbuf *e)
{
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot start a process (%s)", name);
    if (pid == 0) {
        begin_child(parent, name);
        return 0;
    }
    child->pid = pid;
    child->pidfd = mr__pidfd_open(pid); /* safe: the pid cannot be reused before we reap it */
    if (child->pidfd < 0) {
        mr__fail_errno(e, MR_E_SYSTEM, "%s",
                       errno == ENOSYS ? "this needs Linux 5.4 or newer (pidfd_open)"
                                       : "cannot watch a process (pidfd_open)");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        child->pid = 0;
        return MR_E_SYSTEM;
    }
    fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
    return 1;
}

bool mr__child_fence(const struct mr_child *child, int timeout_ms)
{
    struct pollfd p = {.fd = child->pidfd, .events = POLLIN};
    syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
    return poll(&p, 1, timeout_ms) == 1;
}

int mr__child_reap(struct mr_child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(child->pidfd);
    child->pid = 0;
    child->pidfd = -1;
    return status;
}

void mr__child_describe(int status, char *text, size_t bytes)
{
    if (WIFSIGNALED(status))
        snprintf(text, bytes, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, bytes, "exited with status %d", WEXITSTATUS(status));
}
