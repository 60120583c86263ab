/* SPDX-License-Identifier: Apache-2.0
 *
 * avx2.h: what the AVX2 files share. Functions carry the target themselves, so that the rest of a
 * file, and of the library, never gets an instruction that the CPU may lack.
 */
#ifndef MR_KERNEL_AVX2_H
#define MR_KERNEL_AVX2_H

#include "augment/kernel/passes.h"

#include <immintrin.h>

#define AVX2 __attribute__((target(MR_TARGET_AVX2)))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

/* The weights of two neighbouring inputs in two halves (axis.h). A pair of weights is well below 2,
 * so |hi[0]| + |hi[1]| is at most 128. */
struct mr_coefs {
    int16_t hi[2], lo[2];
    int8_t twice[4]; /* hi[0], hi[1], hi[0], hi[1] */
};

bool mr__pack_avx2(struct mr_axis *axis, int c);
void mr__across_avx2(const struct mr_axis *axis, int c, const uint8_t *const src[MR_BAND],
                     uint8_t *const out[MR_BAND]);
mr_put_row *mr__put_avx2(const struct mr_put *put);

#endif
