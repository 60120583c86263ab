/* SPDX-License-Identifier: Apache-2.0
 *
 * open_file.h: opening what a user named. It may be anything, and have become another thing since
 * somebody looked.
 */
#ifndef MR_BASE_OPEN_FILE_H
#define MR_BASE_OPEN_FILE_H

/* Opens `path` to read, without waiting for anybody. Whether it is a regular file is for the caller
 * to ask (fstat). The descriptor, which the caller closes, or -1 with errno. */
int mr__open_file(const char *path);

#endif
