/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of the kernels. A new one is one file and one line here.
 */
#include "augment/kernel/passes.h"

const struct mr_kernel *const mr__kernels[] = {
#if defined(__x86_64__)
    &mr__kernel_avx512,
    &mr__kernel_avx2,
#elif defined(__aarch64__)
    &mr__kernel_neon,
#endif
    &mr__kernel_scalar,
    NULL,
};

const struct mr_kernel *mr__kernel_for(const struct mr_cpu *cpu)
{
    const struct mr_kernel *const *k = mr__kernels;

    while (!mr__cpu_runs(cpu, (*k)->level, (*k)->flags))
        k++; /* the last one runs everywhere */
    return *k;
}
