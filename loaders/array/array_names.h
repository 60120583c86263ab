/* SPDX-License-Identifier: Apache-2.0
 *
 * array_names.h: the option `columns`: which of the arrays that there are become columns, and under
 * what names. Without it all do, under their own.
 */
#ifndef MR_ARRAY_ARRAY_NAMES_H
#define MR_ARRAY_ARRAY_NAMES_H

#include "array_set.h"
#include "base/text.h"

struct mr_array_names {
    const struct mr_strs *columns; /* "array" or "column=array"; n = 0: all of them */
    const struct mr_index *index; /* only its TENSOR columns are wanted; NULL: all that there are */
    uint32_t found;               /* bit i: columns->v[i] was there */
    struct mr_text there;         /* all arrays that there are, for the message */
};

/* Whether `columns` can be: MR_E_CONFIG. */
int mr__array_names_check(const struct mr_strs *columns, struct mr_errbuf *e);
/* Of an array that there is: the name of its column, n bytes, or NULL: it is not wanted. */
const char *mr__array_names_pick(struct mr_array_names *names, const char *array, size_t bytes,
                                 size_t *n);
/* The array that a choice of the option, or a column without one, stands for. */
const char *mr__array_names_array(const char *choice);
/* When all were offered: everything that was asked for was there. MR_E_CONFIG. `path`: of the
 * sentence. */
int mr__array_names_end(struct mr_array_names *names, const char *path, struct mr_errbuf *e);
void mr__array_names_free(struct mr_array_names *names);

#endif
