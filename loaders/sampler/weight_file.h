/* SPDX-License-Identifier: Apache-2.0
 *
 * weight_file.h: a text file with a weight per line.
 */
#ifndef MR_SAMPLER_WEIGHT_FILE_H
#define MR_SAMPLER_WEIGHT_FILE_H

#include "base/error.h"

#include <stdint.h>

/* Reads exactly n finite weights >= 0 into w. Blanks around a number and one empty end of the file
 * are nothing. MR_E_CONFIG with the line: no such number, fewer or more lines than n. MR_E_IO. */
int mr__weight_file_read(const char *path, double *w, uint64_t n, struct mr_errbuf *e);

#endif
