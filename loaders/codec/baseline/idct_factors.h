/* SPDX-License-Identifier: Apache-2.0
 *
 * idct_factors.h: the inverse DCT's numbers, for all its versions.
 */
#ifndef MR_IDCT_FACTORS_H
#define MR_IDCT_FACTORS_H

/* Times 2^13; named after their values. */
enum {
    F_0_298 = 2446,
    F_0_390 = 3196,
    F_0_541 = 4433,
    F_0_765 = 6270,
    F_0_899 = 7373,
    F_1_175 = 9633,
    F_1_501 = 12299,
    F_1_847 = 15137,
    F_1_961 = 16069,
    F_2_053 = 16819,
    F_2_562 = 20995,
    F_3_072 = 25172,
};

enum { BETWEEN = 11, OUTPUT = 18 }; /* bits to drop after each pass */

#endif
