/* SPDX-License-Identifier: Apache-2.0
 *
 * row_pages.h: the first time that a process writes a row, its page table has none of the row's
 * pages, and every 4 KB of it would be a fault: 147 for a float32 image of 224 x 224, which is as
 * much as a tenth of decoding it. One call gets them all. It is a hint: what goes wrong is left for
 * the stores to find.
 */
#ifndef MR_SHM_ROW_PAGES_H
#define MR_SHM_ROW_PAGES_H

#include "shm/arena.h"

struct mr_row_pages {
    uint8_t *met; /* [slots][rows]; NULL: there is no memory for it, and every row counts as met */
    uint32_t rows;
};

void mr__row_pages_begin(struct mr_row_pages *p, const struct mr_arena *a);
void mr__row_pages_end(struct mr_row_pages *p);
/* Whether the calling thread meets the row for the first time. */
bool mr__row_pages_first(struct mr_row_pages *p, uint32_t slot, uint32_t row);
/* Maps the pages of `bytes` bytes of the data memory, unless they are few. */
void mr__row_pages_get(void *at, size_t bytes);

#endif
