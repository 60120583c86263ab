/* SPDX-License-Identifier: Apache-2.0 */
#include "launch.h"

#include "base/crash_point.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "millrace-warden"
#define MAX_FDS 16

extern char **environ;

/* ---- finding the program ---- */

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

static bool beside_library(char *path, size_t bytes)
{
    static const char *const places[] = {"", "/../bin", "/../libexec/millrace",
                                         "/../../libexec/millrace"};
    Dl_info info;
    char folder[PATH_MAX];
    if (!dladdr((void *)(uintptr_t)mr__launch_find, &info) || !info.dli_fname ||
        !realpath(info.dli_fname, folder))
        return false;
    *strrchr(folder, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if ((size_t)snprintf(path, bytes, "%s%s/" PROGRAM, folder, places[i]) < bytes &&
            is_program(path))
            return true;
    return false;
}

char *mr__launch_find(const char *given, struct mr_errbuf *e)
{
    char path[PATH_MAX + 64];
    const char *named = given ? given : getenv("MILLRACE_WARDEN");
    if (named && *named) {
        if (is_program(named))
            return strdup(named);
        mr__fail_errno(e, MR_E_IO, "the warden '%s' cannot be run", named);
        return NULL;
    }
    if (beside_library(path, sizeof path))
        return strdup(path);
    if (is_program(MR_WARDEN_PATH))
        return strdup(MR_WARDEN_PATH);
    mr__fail(e, MR_E_IO,
             "the program '" PROGRAM "' is neither beside the library nor at '" MR_WARDEN_PATH
             "': set MILLRACE_WARDEN to its path");
    return NULL;
}

/* ---- spawn ---- */

/* Copies above all targets first, so that no dup2 can overwrite a descriptor that is still to be
 * moved. */
static int lift(const int *fds, int n, int above, int *lifted, struct mr_errbuf *e)
{
    for (int i = 0; i < n; i++) {
        lifted[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, above);
        if (fds[i] >= 0 && lifted[i] < 0) {
            if (errno == EINVAL) /* `above` itself is beyond the limit */
                errno = EMFILE;
            return mr__fail_errno(e, MR_E_LIMIT, "no file descriptor is left for the warden");
        }
    }
    return MR_OK;
}

static char **child_environment(char *trainer)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 2, sizeof *env);
    if (!env)
        return NULL;
    env[0] = trainer;
    for (size_t i = 0, k = 1; i < n; i++)
        if (strncmp(environ[i], "MILLRACE_TRAINER=", 17) &&
            strncmp(environ[i], "MILLRACE_WORKER=", 16))
            env[k++] = environ[i];
    return env;
}

static int spawn(struct mr_child *warden, const char *exe, const int *lifted, int n, int first,
                 struct mr_errbuf *e)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    char trainer[40], *argv[] = {(char *)exe, NULL};
    snprintf(trainer, sizeof trainer, "MILLRACE_TRAINER=%d", (int)getpid());
    char **env = child_environment(trainer);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    for (int i = 0; i < n; i++) {
        if (lifted[i] >= 0)
            posix_spawn_file_actions_adddup2(&actions, lifted[i], first + i);
        else /* or something of the trainer's would be taken for it */
            posix_spawn_file_actions_addclose(&actions, first + i);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, first + n);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int rc = env ? posix_spawn(&warden->pid, exe, &actions, &attr, argv, env) : ENOMEM;
    MR_CRASH_POINT("trainer.spawned");
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    free(env);
    if (rc == 0)
        return MR_OK;
    warden->pid = 0;
    errno = rc;
    return mr__fail_errno(e, MR_E_SYSTEM, "cannot start the warden '%s'", exe);
}

static int watch_warden(struct mr_child *warden, struct mr_errbuf *e)
{
    warden->pidfd = mr__pidfd_open(warden->pid);
    if (warden->pidfd >= 0) {
        fcntl(warden->pidfd, F_SETFD, FD_CLOEXEC);
        return MR_OK;
    }
    mr__fail_errno(e, MR_E_SYSTEM, "cannot watch the warden (pidfd_open)");
    kill(warden->pid, SIGKILL);
    waitpid(warden->pid, NULL, 0);
    warden->pid = 0;
    return MR_E_SYSTEM;
}

int mr__launch_spawn(struct mr_child *warden, const char *exe, const int *fds, int n, int first,
                     struct mr_errbuf *e)
{
    int lifted[MAX_FDS];
    for (int i = 0; i < MAX_FDS; i++)
        lifted[i] = -1;
    *warden = (struct mr_child){0, -1};
    int rc = lift(fds, n, first + n, lifted, e);
    if (rc >= 0)
        rc = spawn(warden, exe, lifted, n, first, e);
    for (int i = 0; i < n; i++)
        if (lifted[i] >= 0)
            close(lifted[i]);
    return rc < 0 ? rc : watch_warden(warden, e);
}

/* ---- fork ---- */

int mr__launch_fork(struct mr_child *warden, void (*run)(void *ctx), void *ctx, struct mr_errbuf *e)
{
    *warden = (struct mr_child){0, -1};
    fflush(NULL); /* or buffered output comes out twice */
    pid_t pid = fork();
    if (pid < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot fork the warden");
    if (pid == 0) {
        setsid();
        run(ctx);
        _exit(1);
    }
    warden->pid = pid;
    MR_CRASH_POINT("trainer.forked");
    return watch_warden(warden, e);
}

void mr__launch_end(struct mr_child *warden, int timeout_ms)
{
    if (!warden->pid)
        return;
    struct pollfd p = {.fd = warden->pidfd, .events = POLLIN};
    int rc;
    while ((rc = poll(&p, 1, timeout_ms)) < 0 && errno == EINTR)
        ;
    if (rc == 1 || mr__child_fence(warden, timeout_ms)) {
        mr__child_reap(warden);
        return;
    }
    close(warden->pidfd); /* it cannot be killed (a dead disk, say): waiting would not end */
    *warden = (struct mr_child){0, -1};
}
