/* SPDX-License-Identifier: Apache-2.0
 *
 * array_set.h: the arrays of a data set, each in an open file: where its rows lie, which are the
 * samples, and what they are. Where they come from does not matter any more: .npy, .npz and files
 * without a header are all the same to who reads rows.
 */
#ifndef MR_ARRAY_ARRAY_SET_H
#define MR_ARRAY_ARRAY_SET_H

#include "base/descriptor.h"

#include <sys/stat.h>

struct mr_array {
    char name[MR_INDEX_NAME];
    int file; /* number in the set */
    enum mr_dtype dtype;
    bool swapped; /* of the other byte order than this machine's */
    int ndim;     /* of a row; 0: it is one number */
    int64_t shape[MR_MAX_DIMS - 1];
    uint64_t rows, row_bytes; /* of each: at least 1 byte */
    uint64_t at, step;        /* row i lies at `at` + i x `step`, inside the file */
};

struct mr_array_file {
    char *path;
    int fd;
    struct stat seen; /* when it was opened */
};

struct mr_array_set {
    struct mr_array array[MR_INDEX_MAX_COLUMNS];
    int n;
    struct mr_array_file file[MR_INDEX_MAX_COLUMNS];
    int nfiles;
};

/* Opens a file for the set: its number, or MR_E_IO, MR_E_MEMORY; the sentence names it. */
int mr__array_set_file(struct mr_array_set *set, const char *path, struct mr_errbuf *e);
/* A new array in the set, zero but for its name. NULL: there are MR_INDEX_MAX_COLUMNS, or the name
 * is none for a column, or is there already; *e says so. */
struct mr_array *mr__array_set_add(struct mr_array_set *set, const char *name, size_t n,
                                   struct mr_errbuf *e);
/* Every array has as many rows as the others, and there are some. MR_E_DATA. */
int mr__array_set_check(const struct mr_array_set *set, struct mr_errbuf *e);
/* Closes everything; safe on zeros. */
void mr__array_set_close(struct mr_array_set *set);

/* ---- array_rows.c ---- */

/* Reads row < rows of an array of the set into `to`: row_bytes bytes, in this machine's byte order;
 * `at_once`: to be looked at next. MR_E_DATA: the file was cut, changed or cannot be read; the
 * sentence names it and the row. Any thread. */
int mr__array_row(const struct mr_array_set *set, const struct mr_array *a, uint64_t row,
                  bool at_once, void *to, struct mr_errbuf *e);
/* `n` rows from `first` on, one behind the other, to be looked at next. */
int mr__array_rows(const struct mr_array_set *set, const struct mr_array *a, uint64_t first,
                   uint64_t n, void *to, struct mr_errbuf *e);
/* Asks the kernel for a row's first `most` bytes; whether they were there already. */
enum mr_cached mr__array_ahead(const struct mr_array_set *set, const struct mr_array *a,
                               uint64_t row, uint64_t most);

#endif
