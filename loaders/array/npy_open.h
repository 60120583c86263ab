/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_open.h: the arrays of a .npy file, of a .npz archive, or of the .npy files of a folder.
 */
#ifndef MR_ARRAY_NPY_OPEN_H
#define MR_ARRAY_NPY_OPEN_H

#include "array_names.h"

/* Adds the arrays at `path` that are wanted to the set. *origins, unless it is NULL, gets the
 * folder (files are told by the set). MR_E_DATA, MR_E_IO, MR_E_CONFIG with a sentence that names
 * the file. */
int mr__npy_open(const char *path, struct mr_array_names *names, struct mr_array_set *set,
                 struct mr_buf *origins, struct mr_errbuf *e);
/* Those of a file of the set, a .npy or a .npz by its first bytes; `stem` names the array of a
 * .npy. */
int mr__npy_add_file(struct mr_array_set *set, int file, const char *stem, size_t n,
                     struct mr_array_names *names, struct mr_errbuf *e);

#endif
