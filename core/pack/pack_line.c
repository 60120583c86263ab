/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_line.c: samples are begun in their order (mr__parallel counts up), so the one whose turn it
 * is to be taken is always in somebody's hands or made: nobody waits for ever. There is no thread
 * that only takes: who has made one takes what is ready, unless somebody is at it.
 */
#include "pack/pack_line.h"

#include "base/parallel.h"

#include <pthread.h>
#include <stdlib.h>

enum { KEPT_BYTES = 4 << 20 }; /* no buffer keeps more memory than that */

struct place {
    struct mr_pack_made *made; /* NULL: nobody has begun it */
    size_t bytes;
    bool ready;
};

struct line {
    const struct mr_pack_work *work;
    uint64_t first, next; /* next: the number, from 0, of the one that is taken next */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool taking;
    int rc;      /* negative: over */
    size_t held; /* bytes in places that are ready */
    struct place places[MR_PACK_PLACES];
    struct mr_pack_made
        *idle[MR_PACK_PLACES]; /* the last one was in use last: it is in the cache */
    int nidle;
    struct mr_errbuf *e;
};

static size_t bytes_of(const struct mr_pack_made *made)
{
    size_t n = 0;
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++)
        n += made->body[i].n;
    return n;
}

static void empty(struct mr_buf *b)
{
    b->n = 0;
    if (b->cap > KEPT_BYTES)
        mr__buf_free(b);
}

static void begin(struct mr_pack_made *made, uint64_t sample)
{
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++) {
        empty(&made->body[i]);
        empty(&made->sums[i]);
    }
    empty(&made->boxes);
    made->sample = sample;
    made->rc = MR_OK;
    made->bytes_in = 0;
    made->image_w = made->image_h = 0;
    made->scale_x = made->scale_y = 1;
}

/* What is to be filled, or NULL: it is over. */
static struct mr_pack_made *wait_for_place(struct line *l, uint64_t i)
{
    struct mr_pack_made *made = NULL;
    pthread_mutex_lock(&l->lock);
    while (l->rc >= 0 && i != l->next && (i - l->next >= MR_PACK_PLACES || l->held >= MR_PACK_HELD))
        pthread_cond_wait(&l->moved, &l->lock);
    if (l->rc >= 0) {
        made = l->nidle ? l->idle[--l->nidle] : calloc(1, sizeof *made);
        l->places[i % MR_PACK_PLACES].made = made;
        if (!made) {
            l->rc = mr__fail(l->e, MR_E_MEMORY, "not enough memory for the samples under way");
            pthread_cond_broadcast(&l->moved);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return made;
}

/* With the lock, which is let go while the work is done. */
static void take_ready(struct line *l)
{
    struct place *p;
    l->taking = true;
    while (l->rc >= 0 && (p = &l->places[l->next % MR_PACK_PLACES])->ready) {
        pthread_mutex_unlock(&l->lock);
        struct mr_errbuf e = {0};
        int rc = l->work->take(l->work->ctx, p->made, &e);
        pthread_mutex_lock(&l->lock);
        if (rc < 0 && l->rc >= 0) {
            l->rc = rc;
            *l->e = e;
        }
        l->idle[l->nidle++] = p->made;
        p->made = NULL;
        l->held -= p->bytes;
        p->ready = false;
        l->next++;
        pthread_cond_broadcast(&l->moved);
    }
    l->taking = false;
}

static void work_on(void *ctx, int worker, uint64_t i)
{
    struct line *l = ctx;
    struct place *p = &l->places[i % MR_PACK_PLACES];
    struct mr_pack_made *made = wait_for_place(l, i);
    if (!made)
        return;
    begin(made, l->first + i);
    l->work->make(l->work->ctx, worker, made);
    size_t bytes = bytes_of(made);
    pthread_mutex_lock(&l->lock);
    p->ready = true;
    p->bytes = bytes;
    l->held += bytes;
    if (!l->taking)
        take_ready(l);
    pthread_mutex_unlock(&l->lock);
}

static void free_made(struct mr_pack_made *made)
{
    if (!made)
        return;
    for (int k = 0; k < MR_INDEX_MAX_COLUMNS; k++) {
        mr__buf_free(&made->body[k]);
        mr__buf_free(&made->sums[k]);
    }
    mr__buf_free(&made->boxes);
    free(made);
}

int mr__pack_line(uint64_t first, uint64_t end, int threads, const struct mr_pack_work *work,
                  struct mr_errbuf *e)
{
    struct line *l = calloc(1, sizeof *l);
    if (!l)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the samples under way");
    l->work = work;
    l->first = first;
    l->e = e;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->moved, NULL);
    mr__parallel(end - first, threads, work_on, l);
    for (int i = 0; i < MR_PACK_PLACES; i++)
        free_made(l->places[i].made);
    while (l->nidle)
        free_made(l->idle[--l->nidle]);
    pthread_cond_destroy(&l->moved);
    pthread_mutex_destroy(&l->lock);
    int rc = l->rc;
    free(l);
    return rc;
}
