/* SPDX-License-Identifier: Apache-2.0
 *
 * last_error.h: mr_error()'s memory: one sentence per thread.
 */
#ifndef MR_PIPE_LAST_ERROR_H
#define MR_PIPE_LAST_ERROR_H

#include "base/error.h"

/* Keeps the sentence for this thread's mr_error() and returns the code. */
int mr__keep_error(const struct mr_errbuf *e);
/* MR_E_USAGE with that sentence, kept. */
int mr__refuse(const char *text);

#endif
