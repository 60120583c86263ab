/* SPDX-License-Identifier: Apache-2.0
 *
 * index_pages.c: an index of a file in memory of the process's own, which is there as far as it was
 * asked for. A trainer asks for a class's name and for the paths of bad samples; a signal when the
 * file is cut is nothing that a library may bring to it.
 */
#include "index_format.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE (64u << 10)

struct mr_index_pages {
    int fd;
    uint64_t from, bytes;
    uint8_t *base;
    uint64_t there[]; /* a bit per PAGE */
};

struct mr_index_pages *mr__index_pages_new(int fd, uint64_t from, uint64_t bytes, void **base)
{
    uint64_t words = bytes / PAGE / 64 + 1;
    struct mr_index_pages *p = calloc(1, sizeof *p + words * sizeof p->there[0]);
    void *memory = p ? mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                     : MAP_FAILED;
    if (memory == MAP_FAILED) {
        free(p);
        close(fd);
        return NULL;
    }
    p->fd = fd;
    p->from = from;
    p->bytes = bytes;
    *base = p->base = memory;
    return p;
}

void mr__index_pages_free(struct mr_index_pages *p)
{
    if (!p)
        return;
    close(p->fd);
    free(p);
}

/* Two threads may read the same page at a time: they write the same bytes. */
static void read_page(const struct mr_index_pages *p, uint64_t page)
{
    uint64_t at = page * PAGE, end = p->bytes - at < PAGE ? p->bytes : at + PAGE;
    while (at < end) {
        ssize_t n = pread(p->fd, p->base + at, end - at, (off_t)(p->from + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* zeros */
        at += (uint64_t)n;
    }
}

void mr__index_fetch(const struct mr_index_pages *p, const void *at, uint64_t n)
{
    uint64_t first = (uint64_t)((const uint8_t *)at - p->base);
    if (!n || first >= p->bytes)
        return;
    uint64_t last = n < p->bytes - first ? first + n - 1 : p->bytes - 1;
    for (uint64_t page = first / PAGE; page <= last / PAGE; page++) {
        uint64_t *word = (uint64_t *)&p->there[page / 64], bit = 1ull << page % 64;
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) & bit)
            continue;
        read_page(p, page);
        __atomic_fetch_or(word, bit, __ATOMIC_RELEASE);
    }
}
