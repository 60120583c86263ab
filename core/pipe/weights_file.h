/* SPDX-License-Identifier: Apache-2.0
 *
 * weights_file.h: the weights of a sampler that learns, as a file beside a saved state: a head, the
 * feedback that has yet to take effect, the weights (shm/feedback.h). In native byte order. It lies
 * on people's disks, so nothing in it is believed before its hash and its head were looked at.
 */
#ifndef MR_PIPE_WEIGHTS_FILE_H
#define MR_PIPE_WEIGHTS_FILE_H

#include "pipe/loader.h"

/* Writes the weights of the place that the loader is at; no request may be under way. *hash: the
 * file's, never 0. MR_E_MEMORY, MR_E_IO. */
int mr__weights_write(const mr_loader *l, const char *path, uint64_t *hash, struct mr_errbuf *e);
/* Reads and checks. *given (mr__feedback_given_bytes) is the caller's to free; *place: the ordinal
 * of the last batch before it. MR_E_IO, MR_E_MEMORY; MR_E_CONFIG: not this loader's, or damaged. */
int mr__weights_read(const mr_loader *l, const char *path, void **given, uint64_t *hash,
                     uint64_t *place, struct mr_errbuf *e);

#endif
