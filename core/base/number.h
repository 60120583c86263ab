/* SPDX-License-Identifier: Apache-2.0
 *
 * number.h: numbers from and to text, the same in every locale: a program that has called
 * setlocale() must read "0.5" as everybody else does.
 */
#ifndef MR_BASE_NUMBER_H
#define MR_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MR_NUMBER_TEXT 32 /* room for any number as text */

enum mr_number_error { MR_NUMBER_OK, MR_NUMBER_NOT, MR_NUMBER_TOO_BIG };

/* A whole number: sign, decimal digits, no leading zeros, nothing else. *value is set only on
 * MR_NUMBER_OK. */
enum mr_number_error mr__number_int(const char *text, int64_t *value);
/* A decimal number with an optional point and exponent; no nan, no infinity, no hexadecimal. */
enum mr_number_error mr__number_float(const char *text, double *value);
/* The shortest decimal text that reads back as the same double ("0.1", "1e+30", "nan", "inf").
 * Returns `text`. */
char *mr__number_text(double value, char text[MR_NUMBER_TEXT]);

#endif
