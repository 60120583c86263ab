/* SPDX-License-Identifier: Apache-2.0
 *
 * warp_tool: warps one image for the oracle test, on the level of MILLRACE_CPU.
 * Standard input: one line of numbers,
 *     in_w in_h c out_w out_h bilinear fill m[0] ... m[8]
 * then the raw pixels. Standard output: the raw pixels of the result.
 */
#include "augment/kernel/warp.h"

#include <stdio.h>
#include <stdlib.h>

static int read_job(struct mr_warp *warp, struct mr_view *src, struct mr_view *dst)
{
    int v[7];

    for (int i = 0; i < 7; i++) {
        if (scanf("%d", &v[i]) != 1)
            return -1;
    }
    *src = (struct mr_view){NULL, v[0], v[1], v[2], 8, (int64_t)v[0] * v[2]};
    *dst = (struct mr_view){NULL, v[3], v[4], v[2], 8, (int64_t)v[3] * v[2]};
    *warp = (struct mr_warp){.bilinear = v[5]};
    for (int i = 0; i < 4; i++)
        warp->fill[i] = (uint8_t)v[6];
    for (int i = 0; i < 9; i++) {
        if (scanf("%lf", &warp->m[i]) != 1)
            return -1;
    }
    return getchar() == '\n' ? 0 : -1;
}

static int fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 1;
}

int main(void)
{
    struct mr_warp warp;
    struct mr_view src, dst;
    struct mr_errbuf e;
    struct mr_cpu cpu;

    if (read_job(&warp, &src, &dst) < 0)
        return fail("the job's line is wrong");
    size_t in = (size_t)(src.h * src.stride), out = (size_t)(dst.h * dst.stride);
    src.data = malloc(in);
    dst.data = malloc(out);
    if (!src.data || !dst.data || fread(src.data, 1, in, stdin) != in)
        return fail("the pixels are missing");
    if (mr__cpu_choose(&cpu, &e) < 0 || mr__warp(&cpu, &src, &warp, &dst, &e) < 0)
        return fail(e.text);
    int ok = fwrite(dst.data, 1, out, stdout) == out;
    free(src.data);
    free(dst.data);
    return ok ? 0 : 1;
}
