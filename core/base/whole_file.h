/* SPDX-License-Identifier: Apache-2.0
 *
 * whole_file.h: writing a file whole or not at all: whoever looks, and whenever this process is
 * killed, finds the file that was there before, none, or all of the new one, and no other file.
 */
#ifndef MR_BASE_WHOLE_FILE_H
#define MR_BASE_WHOLE_FILE_H

#include "base/error.h"

/* Writes n bytes under `path`, through symbolic links; what is no regular file (a pipe,
 * /dev/stdout) is written into. `what` names it in the sentence ("the bad list"). MR_E_IO. */
int mr__out_file(const char *path, const void *data, size_t n, const char *what,
                 struct mr_errbuf *e);
/* Whether that could work, as far as it can be said beforehand. MR_E_IO. */
int mr__out_file_check(const char *path, const char *what, struct mr_errbuf *e);

#endif
