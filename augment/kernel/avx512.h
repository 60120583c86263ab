/* SPDX-License-Identifier: Apache-2.0
 *
 * avx512.h: what the AVX-512 files share. They want VBMI (any byte of 64 to any place) and VNNI
 * (four products of bytes added up); without these, avx2 is not slower.
 */
#ifndef MR_KERNEL_AVX512_H
#define MR_KERNEL_AVX512_H

#include "augment/kernel/passes.h"

#include <immintrin.h>

#define AVX512 __attribute__((target(MR_TARGET_AVX512 ",avx512vbmi,avx512vnni")))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))

mr_put_row *mr__put_avx512(const struct mr_put *put);
void mr__fence_avx512(void);

#endif
