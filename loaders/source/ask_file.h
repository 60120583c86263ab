/* SPDX-License-Identifier: Apache-2.0
 *
 * ask_file.h: asking the kernel to have a file in its cache, for whoever reads it soon.
 */
#ifndef MR_SOURCE_ASK_FILE_H
#define MR_SOURCE_ASK_FILE_H

#include "base/descriptor.h"

/* Asks for the first `most` bytes of `path`, and does not wait for them (but the folders on the way
 * to it may have to be read). Whether they were there already, by the first of them. What
 * mr__read_file() would refuse is not asked for, nothing is told of it. */
enum mr_cached mr__ask_file(const char *path, int64_t max_bytes, uint64_t most);
/* The same for `n` bytes of an open file, which lie in it. */
enum mr_cached mr__ask_range(int fd, uint64_t at, uint64_t n);
/* Asks for nothing: whether the byte `at` is there. */
enum mr_cached mr__look_range(int fd, uint64_t at);

#endif
