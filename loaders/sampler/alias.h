/* SPDX-License-Identifier: Apache-2.0
 *
 * alias.h: drawing i with a probability proportional to weight[i] in O(1): A. J. Walker's alias
 * table (1977), built as M. D. Vose does ("A linear algorithm for generating random numbers with a
 * given distribution", 1991). 8 bytes per weight. Never changed once built, so any thread may draw.
 */
#ifndef MR_SAMPLER_ALIAS_H
#define MR_SAMPLER_ALIAS_H

#include "millrace/plugin.h"

#include <stdbool.h>
#include <stdint.h>

struct mr_alias;

/* From n (1 .. 2^32 - 1) finite weights >= 0, one of them 1 and none above it; `weight` is worked
 * in and holds nothing afterwards. NULL: memory is out. The caller frees the table by free(). */
struct mr_alias *mr__alias_new(double *weight, uint64_t n);
/* Two draws of 32 bits (three or more where n is no power of two and the first is refused: n in
 * 2^32 times). Never one whose weight was 0. */
uint64_t mr__alias_draw(const struct mr_alias *a, mr_rng *rng);
/* The exact chance of each number, in units of 1 / (n * 2^32): what is in the table, for a proof
 * that no number of draws could give. */
void mr__alias_chances(const struct mr_alias *a, uint64_t *chance);

#endif
