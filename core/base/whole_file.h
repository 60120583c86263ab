/* SPDX-License-Identifier: Apache-2.0
 *
 * whole_file.h: writing a file whole or not at all: whoever looks, and whenever this process is
 * killed, finds the file that was there before, none, or all of the new one, and no other file.
 */
#ifndef MR_BASE_WHOLE_FILE_H
#define MR_BASE_WHOLE_FILE_H

#include "base/error.h"

#include <limits.h>

/* Writes n bytes under `path`, through symbolic links; what is no regular file (a pipe,
 * /dev/stdout) is written into. `what` names it in the sentence ("the bad list"). MR_E_IO. */
int mr__out_file(const char *path, const void *data, size_t n, const char *what,
                 struct mr_errbuf *e);
/* Whether that could work, as far as it can be said beforehand. MR_E_IO. */
int mr__out_file_check(const char *path, const char *what, struct mr_errbuf *e);

/* The same for a file that is written piece by piece into `fd`, by somebody else perhaps, and gets
 * its name in the end, or never. */
struct mr_out {
    int fd;                   /* -1: there is none */
    char name[PATH_MAX + 32]; /* a temporary one; "": it has none */
};
/* errno on failure: out->fd is -1 then. */
int mr__out_begin(struct mr_out *out, const char *path);
/* What was written is the file `path` from now on, for reading alone: nobody writes over it by
 * mistake. Closes it. errno on failure: nothing is left of it. */
int mr__out_publish(struct mr_out *out, const char *path);
/* Nothing is left of it. Safe after mr__out_publish. */
void mr__out_drop(struct mr_out *out);

#endif
