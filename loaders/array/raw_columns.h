/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_columns.h: what a record of a file without a header is made of: "label:u8", "x:u8[3,32,32]",
 * one behind the other.
 */
#ifndef MR_ARRAY_RAW_COLUMNS_H
#define MR_ARRAY_RAW_COLUMNS_H

#include "array_set.h"

/* Reads "name:type" or "name:type[side,side]" into the array's dtype, shape and row_bytes; the name
 * has *n bytes. MR_E_CONFIG. */
int mr__raw_column(const char *text, struct mr_array *a, size_t *n, struct mr_errbuf *e);

#endif
