/* SPDX-License-Identifier: Apache-2.0 */
#include "parallel.h"

#include <pthread.h>

struct crew {
    uint64_t n, next;
    void (*work)(void *, int, uint64_t);
    void *ctx;
};

struct worker {
    struct crew *crew;
    int number;
    pthread_t thread;
};

static void *run(void *arg)
{
    const struct worker *w = arg;
    struct crew *c = w->crew;
    uint64_t i;
    while ((i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED)) < c->n)
        c->work(c->ctx, w->number, i);
    return NULL;
}

void mr__parallel(uint64_t n, int threads, void (*work)(void *ctx, int worker, uint64_t i),
                  void *ctx)
{
    struct crew crew = {.n = n, .work = work, .ctx = ctx};
    struct worker worker[MR_PARALLEL_MAX];
    int most = threads < MR_PARALLEL_MAX ? threads : MR_PARALLEL_MAX, started = 1;
    for (; started < most && (uint64_t)started < n; started++) {
        worker[started] = (struct worker){.crew = &crew, .number = started};
        if (pthread_create(&worker[started].thread, NULL, run, &worker[started]) != 0)
            break;
    }
    worker[0] = (struct worker){.crew = &crew};
    run(&worker[0]);
    for (int i = 1; i < started; i++)
        pthread_join(worker[i].thread, NULL);
}

void mr__first_error(struct mr_first_error *first, const struct mr_errbuf *e)
{
    if (!__atomic_exchange_n(&first->taken, 1, __ATOMIC_RELAXED))
        first->e = *e;
}
