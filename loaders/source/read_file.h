/* SPDX-License-Identifier: Apache-2.0
 *
 * read_file.h: a sample's file, read as a whole. What lies at a path may have changed since it was
 * indexed, in any way; nothing found there may hang, kill or mislead the reader.
 */
#ifndef MR_SOURCE_READ_FILE_H
#define MR_SOURCE_READ_FILE_H

#include "base/buf.h"
#include "base/error.h"

#define MR_READ_PADDING 64 /* zero bytes behind the file's: decoders may look ahead */

/* Reads `path` into *out, replacing what is there; out->n is the file's size, MR_READ_PADDING zeros
 * follow. Files over `max_bytes` are refused. MR_E_DATA: the file is missing, unreadable, empty,
 * too large, not a regular file, or changed under the reader; an I/O error that a second try met
 * again too. MR_E_IO, MR_E_MEMORY: this process ran out of something. The sentence names the path.
 * */
int mr__read_file(const char *path, int64_t max_bytes, struct mr_buf *out, struct mr_errbuf *e);
/* As mr__read_file, but the first `n` bytes only; *size is the whole file's size. */
int mr__read_file_head(const char *path, int64_t max_bytes, size_t n, struct mr_buf *out,
                       size_t *size, struct mr_errbuf *e);

#endif
