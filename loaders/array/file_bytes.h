/* SPDX-License-Identifier: Apache-2.0
 *
 * file_bytes.h: bytes of an open file, all that were asked for or none.
 */
#ifndef MR_ARRAY_FILE_BYTES_H
#define MR_ARRAY_FILE_BYTES_H

#include "base/error.h"

/* Reads bytes [at, at + n) into `to`. MR_E_DATA: the file ends before that, or cannot be read, a
 * second try of an I/O error included; the sentence names no file. */
int mr__file_bytes(int fd, uint64_t at, void *to, size_t n, struct mr_errbuf *e);

#endif
