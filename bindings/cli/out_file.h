/* SPDX-License-Identifier: Apache-2.0
 *
 * out_file.h: files that the command line leaves behind. A file appears under its name only when it
 * is whole and on the disk; until then it has no name at all (O_TMPFILE), so that a full disk, a
 * signal, even kill -9, leaves the old file, or nothing. Where the file system has no nameless
 * files it has a temporary name, which SIGINT, SIGTERM and SIGHUP take away.
 */
#ifndef MR_CLI_OUT_FILE_H
#define MR_CLI_OUT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct out_file {
    FILE *f;               /* write here */
    bool direct;           /* a device or a pipe: written in place */
    bool nameless;         /* O_TMPFILE */
    char target[PATH_MAX]; /* links followed */
    char temporary[PATH_MAX + 64];
};

/* Begins a file that is to replace `path`. 0, or -1 with errno; then there is nothing to end. */
int out_file_begin(struct out_file *o, const char *path);
/* Ends it: `keep` puts it under its name, if every byte was written; else nothing of it stays. 0,
 * or -1 with errno; then what was there before is still there. */
int out_file_end(struct out_file *o, bool keep);

/* `n` bytes as a file. 0 or -1 with errno, as above. Any thread. */
int write_file(const char *path, const void *data, size_t n);

/* Why a file could not be written, and what to do about it. */
const char *out_file_why(int err);

#endif
