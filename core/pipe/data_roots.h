/* SPDX-License-Identifier: Apache-2.0
 *
 * data_roots.h: the folders that the files of an index really lie in: what a confined producer must
 * be able to read. Links are followed to their ends, those of folders and those of files.
 */
#ifndef MR_PIPE_DATA_ROOTS_H
#define MR_PIPE_DATA_ROOTS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/index.h"

#include <stdbool.h>

/* Appends absolute paths to *text, each with its NUL: no more than some thousand, none below
 * another; folders that are not there are left out. `resolved`: the index has no path through a
 * link, so nothing need be looked at. `more`: paths like those of *text, which the source opens
 * beside the index's; NULL: none. Reads folders: for a helper process. *origins, if it is not NULL,
 * gets what was looked at (base/origin.h). MR_E_MEMORY. */
int mr__data_roots(const struct mr_index *index, bool resolved, const struct mr_buf *more,
                   struct mr_buf *text, struct mr_buf *origins, struct mr_errbuf *e);

#endif
