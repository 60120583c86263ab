/* SPDX-License-Identifier: Apache-2.0 */
#include "row_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* As if each page were read, which maps its neighbours with it where another process has written
 * them before; the mapping is shared, so that it may be written through then. Linux 5.14. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#define FEW 8 /* pages */

void mr__row_pages_begin(struct mr_row_pages *p, const struct mr_arena *a)
{
    p->rows = a->shape.rows;
    p->met = calloc(a->shape.slots, p->rows);
}

void mr__row_pages_end(struct mr_row_pages *p)
{
    free(p->met);
    p->met = NULL;
}

bool mr__row_pages_first(struct mr_row_pages *p, uint32_t slot, uint32_t row)
{
    uint8_t *met = p->met ? p->met + (size_t)slot * p->rows + row : NULL;
    if (!met || *met)
        return false;
    *met = 1;
    return true;
}

void mr__row_pages_get(void *at, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)at & ~(page - 1),
              to = ((uintptr_t)at + bytes + page - 1) & ~(page - 1);
    int error = errno;
    if ((to - from) / page >= FEW && madvise((void *)from, to - from, MADV_POPULATE_READ) < 0)
        errno = error;
}
