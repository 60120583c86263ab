/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_slots.h"

#include <stdlib.h>
#include <string.h>

static size_t slots_of(const struct mr_feed_plane *p)
{
    return (size_t)p->slots * (size_t)p->v;
}

int mr__packed_slots_make(struct mr_slot **slots, const struct mr_packed_body *b, int32_t first,
                          int32_t last, struct mr_feed_row *row, struct mr_errbuf *e)
{
    size_t n = 0;
    *row = (struct mr_feed_row){.first = first, .last = last, .planes = b->components};
    for (int i = 0; i < b->components; i++) {
        struct mr_feed_plane *p = &row->plane[i];
        p->h = b->component[i].h;
        p->v = b->component[i].v;
        p->slots = p->to = ((last - first) * p->h + 3) / 4;
        n += slots_of(p);
    }
    *slots = aligned_alloc(64, n * sizeof **slots);
    if (!*slots)
        return mr__fail(e, MR_E_MEMORY, "no memory for a row of a packed JPEG");
    memset(*slots, 0, n * sizeof **slots);
    struct mr_slot *at = *slots;
    for (int i = 0; i < b->components; i++) {
        row->plane[i].slot = at;
        at += slots_of(&row->plane[i]);
    }
    return MR_OK;
}

void mr__packed_slots_clear(const struct mr_feed_row *row)
{
    for (int i = 0; i < row->planes; i++)
        memset(row->plane[i].slot, 0, slots_of(&row->plane[i]) * sizeof *row->plane[i].slot);
}
