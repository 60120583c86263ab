/* SPDX-License-Identifier: Apache-2.0
 *
 * neon.h: what the NEON files share. Every 64-bit ARM has it, so no function needs a target.
 */
#ifndef MR_KERNEL_NEON_H
#define MR_KERNEL_NEON_H

#include "augment/kernel/passes.h"

#include <arm_neon.h>

#define NEON_INLINE static inline __attribute__((always_inline))

mr_put_row *mr__put_neon(const struct mr_put *put);

#endif
