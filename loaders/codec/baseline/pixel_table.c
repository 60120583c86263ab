/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of the pixel kernels. A new one is one line here.
 */
#include "loaders/codec/baseline/pixel_kernels.h"

const struct mr_pixel_kernels *const mr__pixel_kernels[] = {
#if defined(__x86_64__)
    &mr__pixels_avx512,
    &mr__pixels_avx2,
#elif defined(__aarch64__)
    &mr__pixels_neon,
#endif
    &mr__pixels_scalar,
    NULL,
};

const struct mr_pixel_kernels *mr__pixel_kernels_for(const struct mr_cpu *cpu)
{
    const struct mr_pixel_kernels *const *k = mr__pixel_kernels;

    while (!mr__cpu_runs(cpu, (*k)->level, (*k)->flags))
        k++;
    return *k;
}
