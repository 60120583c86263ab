/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.h: numbers of the index become elements of a field, whatever the two types are.
 */
#ifndef MR_PIPE_COLUMNS_H
#define MR_PIPE_COLUMNS_H

#include "millrace/types.h"

/* Converts n numbers. Floats become integers by truncation towards zero, saturating; integers that
 * a smaller type cannot hold saturate; float16 and bfloat16 round to nearest even. Both arrays
 * aligned for their types. */
void mr__convert_numbers(void *to, mr_dtype to_type, const void *from, mr_dtype from_type,
                         uint64_t n);

#endif
