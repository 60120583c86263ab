/* SPDX-License-Identifier: Apache-2.0
 *
 * types.c: the tables of millrace/types.h as functions.
 */
#include "millrace/types.h"

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
#define ROW(name, text, bytes) [name] = {text, bytes},
    MR_DTYPES(ROW)
#undef ROW
};

static const struct {
    int code;
    const char *text;
} codes[] = {{MR_OK, "done"},
             {MR_END_EPOCH, "the epoch has ended"},
             {MR_END, "the run has ended"},
#define ROW(name, number, text) {name, text},
             MR_ERRORS(ROW)
#undef ROW
};

size_t mr_dtype_size(mr_dtype dtype)
{
    return (unsigned)dtype < MR_DTYPE_COUNT ? dtypes[dtype].bytes : 0;
}

const char *mr_dtype_name(mr_dtype dtype)
{
    return (unsigned)dtype < MR_DTYPE_COUNT ? dtypes[dtype].name : 0;
}

const char *mr_strerror(int code)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].code == code)
            return codes[i].text;
    return "unknown code";
}
