/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/kernel/warp.h"

#include <math.h>
#include <string.h>

static const struct mr_warp_kernel *const kernels[] = {
#if defined(__x86_64__)
    &mr__warp_avx2,
#endif
    &mr__warp_scalar,
    NULL,
};

const struct mr_warp_kernel *mr__warp_kernel_for(const struct mr_cpu *cpu)
{
    const struct mr_warp_kernel *const *k = kernels;

    while (!mr__cpu_runs(cpu, (*k)->level, (*k)->flags))
        k++; /* the last one runs everywhere */
    return *k;
}

static struct mr_warp_line line_of(const double *m, double y)
{
    return (struct mr_warp_line){.u0 = m[1] * y + m[2],
                                 .du = m[0],
                                 .v0 = m[4] * y + m[5],
                                 .dv = m[3],
                                 .d0 = m[7] * y + m[8],
                                 .dd = m[6],
                                 .affine = m[6] == 0 && m[7] == 0 && m[8] == 1};
}

static int check(const struct mr_view *src, const struct mr_warp *warp, const struct mr_view *dst,
                 struct mr_errbuf *e)
{
    if (src->bits != 8 || dst->bits != 8 || src->c != dst->c ||
        (src->c != 1 && src->c != 3 && src->c != 4))
        return mr__fail(e, MR_E_USAGE,
                        "pixels of %d channels and %d bits cannot be warped to %d and %d", src->c,
                        src->bits, dst->c, dst->bits);
    if (src->w < 1 || src->h < 1 || src->w > MR_WARP_SIDE || src->h > MR_WARP_SIDE || dst->w < 0 ||
        dst->h < 0)
        return mr__fail(
            e, MR_E_USAGE,
            "%dx%d pixels cannot be warped to %dx%d: the source's sides go from 1 to %d", src->w,
            src->h, dst->w, dst->h, MR_WARP_SIDE);
    for (int i = 0; i < 9; i++) {
        if (!isfinite(warp->m[i]))
            return mr__fail(e, MR_E_USAGE, "number %d of the warp's matrix is not finite", i);
    }
    return MR_OK;
}

int mr__warp(const struct mr_cpu *cpu, const struct mr_view *src, const struct mr_warp *warp,
             const struct mr_view *dst, struct mr_errbuf *e)
{
    const struct mr_warp_kernel *k = mr__warp_kernel_for(cpu);
    mr_warp_block *block = warp->bilinear ? k->bilinear : k->nearest;
    int32_t u[MR_WARP_BLOCK], v[MR_WARP_BLOCK];
    uint8_t out[4 * MR_WARP_BLOCK + MR_WARP_SLACK];
    int rc = check(src, warp, dst, e);

    for (int32_t y = 0; rc == MR_OK && y < dst->h; y++) {
        struct mr_warp_line line = line_of(warp->m, y + 0.5);
        uint8_t *row = (uint8_t *)dst->data + y * dst->stride;
        for (int32_t x = 0; x < dst->w; x += MR_WARP_BLOCK) {
            int32_t n = dst->w - x < MR_WARP_BLOCK ? dst->w - x : MR_WARP_BLOCK;
            k->points(&line, src, x, u, v);
            block(src, u, v, n, warp->fill, out);
            memcpy(row + (size_t)x * (size_t)dst->c, out, (size_t)n * (size_t)dst->c);
        }
    }
    return rc;
}
