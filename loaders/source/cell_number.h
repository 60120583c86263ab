/* SPDX-License-Identifier: Apache-2.0
 *
 * cell_number.h: the numbers of a manifest's cell, exactly or not at all.
 */
#ifndef MR_SOURCE_CELL_NUMBER_H
#define MR_SOURCE_CELL_NUMBER_H

#include "millrace/types.h"

#include <stdbool.h>

/* Is this what stands between numbers: space, tab, semicolon? */
static inline bool mr__cell_separates(char byte)
{
    return byte == ' ' || byte == '\t' || byte == ';';
}

/* Reads one number at *text, up to a separator or the NUL, moves *text behind it and stores it at
 * `out` as `dtype` (u8 i16 u16 i32 i64 f32 f64). Whole numbers are decimal and may begin with
 * zeros; floats may have a point and an exponent, or be nan or inf. Returns NULL, or what is wrong,
 * to follow "'...' ": "is not a whole number"; *text then stays. */
const char *mr__cell_number(const char **text, mr_dtype dtype, void *out);

#endif
