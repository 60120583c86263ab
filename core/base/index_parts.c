/* SPDX-License-Identifier: Apache-2.0
 *
 * index_parts.c: reading an index of several data sets: a sample of the whole is found in the part
 * that it lies in. index_map.c has proved the table.
 */
#include "index_format.h"

const struct mr_index_part *mr__index_part(const struct mr_index *index, uint64_t sample)
{
    const struct mr_index_part *parts = mr__index_parts(index);
    uint64_t lo = 0, hi = index->head->parts;
    if (!hi)
        return NULL;
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (parts[mid].first <= sample)
            lo = mid;
        else
            hi = mid;
    }
    return &parts[lo];
}

struct mr_index mr__index_of_part(const struct mr_index *index, const struct mr_index_part *part)
{
    const uint8_t *base = index->base + part->at;
    return (struct mr_index){.head = (const struct mr_index_head *)base,
                             .base = base,
                             .bytes = part->bytes,
                             .pages = index->pages};
}

bool mr__index_enter(const struct mr_index **index, int *column, uint64_t *sample,
                     struct mr_index *part)
{
    const struct mr_index_part *at = mr__index_part(*index, *sample);
    uint8_t own = at->column[*column];
    if (own == MR_INDEX_NO_COLUMN)
        return false;
    *part = mr__index_of_part(*index, at);
    *index = part;
    *column = own;
    *sample -= at->first;
    return true;
}
