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

mr_put_row *mr__put_avx2(const struct mr_put *put);

#endif
