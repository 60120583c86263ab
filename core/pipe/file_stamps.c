/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/file_stamps.h"

#include "base/parallel.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <xxhash.h>

#define TOGETHER 1024 /* samples that one call of `stamp` looks at */

struct stamper {
    const struct mr_index *index;
    int column;
    uint64_t hash, newest; /* a sum, so that the threads' order does not matter */
    struct mr_first_error failure;
};

struct stamp {
    uint64_t inode, size, changed[2], status[2];
};

static uint64_t newest_of(uint64_t newest, const struct stat *st)
{
    uint64_t ns = (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
    return ns > newest ? ns : newest;
}

/* A file that is not there has its stamp, too: it may come. */
static struct stamp look(const char *path, uint64_t *newest)
{
    struct stat st;
    if (!*path || stat(path, &st) < 0)
        return (struct stamp){0};
    *newest = newest_of(*newest, &st);
    return (struct stamp){.inode = st.st_ino,
                          .size = (uint64_t)st.st_size,
                          .changed = {(uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec},
                          .status = {(uint64_t)st.st_ctim.tv_sec, (uint64_t)st.st_ctim.tv_nsec}};
}

static void raise_to(uint64_t *to, uint64_t value)
{
    uint64_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while (old < value &&
           !__atomic_compare_exchange_n(to, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void stamp(void *ctx, int worker, uint64_t i)
{
    struct stamper *s = ctx;
    struct mr_errbuf e;
    uint64_t first = i * TOGETHER, all = s->index->head->samples, newest = 0;
    uint64_t end = all - first < TOGETHER ? all : first + TOGETHER, hash = 0;
    (void)worker;
    for (uint64_t sample = first; sample < end; sample++) {
        char *path = mr__index_full_path(s->index, s->column, sample);
        if (!path) {
            mr__fail(&e, MR_E_MEMORY, "not enough memory for a path");
            mr__first_error(&s->failure, &e);
            return;
        }
        struct stamp one = look(path, &newest);
        hash += XXH3_64bits_withSeed(&one, sizeof one,
                                     sample * MR_INDEX_MAX_COLUMNS + (uint64_t)s->column);
        free(path);
    }
    __atomic_fetch_add(&s->hash, hash, __ATOMIC_RELAXED);
    raise_to(&s->newest, newest);
}

int mr__file_stamps(const struct mr_index *index, int threads, struct mr_file_stamps *stamps,
                    struct mr_errbuf *e)
{
    struct stamper s = {.index = index};
    const struct mr_index_head *head = index->head;
    uint64_t pieces = head->samples / TOGETHER + (head->samples % TOGETHER != 0);
    for (s.column = 0; s.column < (int)head->columns; s.column++)
        if (head->column[s.column].kind == MR_COL_PATH)
            mr__parallel(pieces, threads, stamp, &s);
    *stamps = (struct mr_file_stamps){s.hash ? s.hash : 1, s.newest};
    if (s.failure.taken)
        *e = s.failure.e;
    return s.failure.taken ? e->code : MR_OK;
}
