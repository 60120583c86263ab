/* SPDX-License-Identifier: Apache-2.0
 *
 * array_source.h: what all sources of arrays share. Arrays with one number per sample stand in the
 * index, where samplers see them, too; all others are read when their row is made, straight into
 * it.
 */
#ifndef MR_ARRAY_ARRAY_SOURCE_H
#define MR_ARRAY_ARRAY_SOURCE_H

#include "array_set.h"

/* Opens the arrays that a config's params name. What was opened is closed by the caller, also on
 * failure. `index`: those that it has as tensors are enough, and no folder can be listed (a
 * confined producer's); NULL: all of them. *origins, unless it is NULL, gets what was looked at
 * (base/origin.h). */
typedef int mr_array_opener(const void *params, const struct mr_index *index,
                            struct mr_array_set *set, struct mr_buf *origins, struct mr_errbuf *e);

/* struct mr_source's functions, with who opens the arrays before them. */
int mr__array_index(mr_array_opener *opener, const void *params, struct mr_index_builder *b,
                    struct mr_errbuf *e);
int mr__array_open(mr_array_opener *opener, const void *params, const struct mr_index *index,
                   void **self, struct mr_errbuf *e);
int mr__array_roots(mr_array_opener *opener, const void *params, struct mr_buf *paths,
                    struct mr_errbuf *e);
int mr__array_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                   struct mr_errbuf *e);
int mr__array_tensor(void *self, uint64_t sample, int column, bool at_once, void *to,
                     uint64_t bytes, struct mr_errbuf *e);
enum mr_cached mr__array_read_ahead(void *self, uint64_t sample, int column, uint64_t most);
void mr__array_close(void *self);

#endif
