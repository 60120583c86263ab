/* SPDX-License-Identifier: Apache-2.0
 *
 * jpeg_files.h: the JPEG files under a folder, and one process's share of them in memory.
 */
#ifndef BENCH_JPEG_FILES_H
#define BENCH_JPEG_FILES_H

#include <stddef.h>

struct jpeg_file {
    char *path;
    unsigned char *data; /**< NULL until jpeg_files_load() */
    size_t bytes;
};

struct jpeg_files {
    struct jpeg_file *file; /**< sorted by path */
    size_t n;
};

/* Lists the files below `folder` (links followed) whose names end in .jpg or .jpeg, whatever their
 * case, sorted by path. 0, or -1 with a sentence on stderr. The list is freed with
 * jpeg_files_free(), also after a failure. */
int jpeg_files_list(struct jpeg_files *files, const char *folder);

/* Reads files number first, first + step, ... into memory. 0, or -1 with a sentence on stderr. */
int jpeg_files_load(struct jpeg_files *files, size_t first, size_t step);

void jpeg_files_free(struct jpeg_files *files);

#endif
