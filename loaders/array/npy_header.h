/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_header.h: what stands before the numbers of a .npy file: versions 1, 2 and 3 of NumPy's
 * format. The header is a literal of Python; it is read as the three values that it has to hold,
 * by rules of its own, and nothing in it is ever run or unpickled.
 */
#ifndef MR_ARRAY_NPY_HEADER_H
#define MR_ARRAY_NPY_HEADER_H

#include "base/error.h"

#include <stdbool.h>

#define MR_NPY_MAGIC "\x93NUMPY"
#define MR_NPY_LEAD 12          /* bytes that say how long the header is */
#define MR_NPY_MAX_HEADER 65536 /* of text: as long as that of version 1 can be */

struct mr_npy {
    enum mr_dtype dtype;
    bool swapped;               /* its numbers are of the other byte order than this machine's */
    int ndim;                   /* 1 to MR_MAX_DIMS: one of them counts the samples */
    int64_t shape[MR_MAX_DIMS]; /* all >= 0 */
    uint64_t row_bytes;         /* of what shape[1..] says, at least 1 */
    uint64_t header_bytes;
};

/* The bytes that a header takes together with what comes before its text, by the first `n` of them:
 * at least MR_NPY_LEAD. MR_E_DATA: that is no .npy file, or one of a version to come. */
int mr__npy_measure(const uint8_t *data, size_t n, size_t *bytes, struct mr_errbuf *e);
/* Reads a header of `n` bytes, all of it. MR_E_DATA: it is damaged, or of an array that cannot be
 * read row by row: objects, records, text, a type that Millrace does not have, Fortran's order. */
int mr__npy_header(const uint8_t *data, size_t n, struct mr_npy *npy, struct mr_errbuf *e);

#endif
