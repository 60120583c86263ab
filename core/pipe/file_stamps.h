/* SPDX-License-Identifier: Apache-2.0
 *
 * file_stamps.h: all files of an index as one number: whether one of them was written to, replaced
 * or removed. For an index that holds something of the files' contents (the images' sizes).
 */
#ifndef MR_PIPE_FILE_STAMPS_H
#define MR_PIPE_FILE_STAMPS_H

#include "base/index.h"

struct mr_file_stamps {
    uint64_t hash;      /* of inodes, sizes and times; never 0 */
    uint64_t newest_ns; /* the latest change of any of them, by the clock of the day */
};

/* Looks at every file of the columns of paths, on so many threads: about a microsecond for each.
 * MR_E_MEMORY. */
int mr__file_stamps(const struct mr_index *index, int threads, struct mr_file_stamps *stamps,
                    struct mr_errbuf *e);

#endif
