/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_slots.h: slots for a row of MCUs, where no picture is made of it.
 */
#ifndef MR_PACKED_SLOTS_H
#define MR_PACKED_SLOTS_H

#include "loaders/codec/baseline/feed.h"
#include "loaders/codec/packed/packed_types.h"

/* Empty slots for the MCUs [first, last) of a row: *row has them, but for the row's number; free()
 * ends *slots. MR_E_MEMORY. */
int mr__packed_slots_make(struct mr_slot **slots, const struct mr_packed_body *b, int32_t first,
                          int32_t last, struct mr_feed_row *row, struct mr_errbuf *e);
/* Empties them again. */
void mr__packed_slots_clear(const struct mr_feed_row *row);

#endif
