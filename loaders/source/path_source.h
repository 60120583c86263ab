/* SPDX-License-Identifier: Apache-2.0
 *
 * path_source.h: the producers' side of every source whose index names files: struct mr_source's
 * open, read, ahead and close.
 */
#ifndef MR_SOURCE_PATH_SOURCE_H
#define MR_SOURCE_PATH_SOURCE_H

#include "base/descriptor.h"

int mr__path_source_open(const void *params, const struct mr_index *index,
                         const struct mr_limits *limits, void **self, struct mr_errbuf *e);
int mr__path_source_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                         struct mr_errbuf *e);
enum mr_cached mr__path_source_ahead(void *self, uint64_t sample, int column, uint64_t most);
void mr__path_source_close(void *self);

#endif
