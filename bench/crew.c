/* SPDX-License-Identifier: Apache-2.0 */
#include "crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 64 }; /* no two shares in one cache line */

struct crew {
    pthread_barrier_t start;
    size_t share_bytes;
    int n;
    _Alignas(LINE) char shares[];
};

static size_t whole_bytes(int n, size_t share_bytes)
{
    return sizeof(struct crew) + (size_t)n * share_bytes;
}

struct crew *crew_new(int n, size_t bytes)
{
    size_t share_bytes = (bytes + LINE - 1) / LINE * LINE;
    pthread_barrierattr_t attribute;
    struct crew *crew = mmap(NULL, whole_bytes(n, share_bytes), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (crew == MAP_FAILED) {
        perror("cannot map shared memory");
        return NULL;
    }
    crew->n = n;
    crew->share_bytes = share_bytes;
    pthread_barrierattr_init(&attribute);
    pthread_barrierattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&crew->start, &attribute, (unsigned)n);
    pthread_barrierattr_destroy(&attribute);
    return crew;
}

void crew_free(struct crew *crew)
{
    if (crew)
        munmap(crew, whole_bytes(crew->n, crew->share_bytes));
}

int crew_size(const struct crew *crew)
{
    return crew->n;
}

void *crew_share(struct crew *crew, int member)
{
    return crew->shares + (size_t)member * crew->share_bytes;
}

int crew_run(struct crew *crew, int (*work)(struct crew *crew, int me, void *ctx), void *ctx)
{
    pid_t pid[CREW_MOST];
    int started = 0, failed = 0, status;

    for (; started < crew->n; started++) {
        pid[started] = fork();
        if (pid[started] == 0)
            _exit(work(crew, started, ctx));
        if (pid[started] < 0)
            break;
    }
    if (started < crew->n) {
        perror("cannot start a process");
        for (int i = 0; i < started; i++) /* they would wait at the barrier for ever */
            kill(pid[i], SIGKILL);
    }
    for (int i = 0; i < started; i++)
        failed |= waitpid(pid[i], &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failed || started < crew->n ? -1 : 0;
}

void crew_start(struct crew *crew)
{
    pthread_barrier_wait(&crew->start);
}

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double crew_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double crew_cpu_now(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}
