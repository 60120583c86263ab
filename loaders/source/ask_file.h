/* SPDX-License-Identifier: Apache-2.0
 *
 * ask_file.h: asking the kernel to have a file in its cache, for whoever reads it soon.
 */
#ifndef MR_SOURCE_ASK_FILE_H
#define MR_SOURCE_ASK_FILE_H

#include "base/descriptor.h"
#include "base/mapped_bytes.h"

/* Asks for the first `most` bytes of `path`, and does not wait for them (but the folders on the way
 * to it may have to be read). Whether they were there already, by the first of them. What
 * mr__read_file() would refuse is not asked for, nothing is told of it. */
enum mr_cached mr__ask_file(const char *path, int64_t max_bytes, uint64_t most);
/* The same for `n` bytes of an open file, which lie in it. */
enum mr_cached mr__ask_range(int fd, uint64_t at, uint64_t n);
/* mr__mapped_bytes() of bytes of which the first is in memory. What is not there is better read, by
 * large requests, than fetched page by page: false. */
bool mr__cached_bytes(int fd, uint64_t at, uint64_t n, mr_mapped_use *use, void *ctx);

#endif
