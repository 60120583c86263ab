/* SPDX-License-Identifier: Apache-2.0
 *
 * resample_tool: runs one resampling stage for the oracle test.
 * Standard input: one line of numbers,
 *     in_w in_h c bits filter antialias box_x box_y box_w box_h rw rh
 *     win_x win_y win_w win_h hflip vflip pad_left pad_top pad_right pad_bottom fill
 * then the raw pixels. Standard output: the raw pixels of the result.
 */
#include "augment/kernel/resample.h"

#include <stdio.h>
#include <stdlib.h>

static int read_job(struct mr_geometry *g, struct mr_view *src)
{
    int v[23];

    for (int i = 0; i < 23; i++) {
        if (scanf("%d", &v[i]) != 1)
            return -1;
    }
    *src = (struct mr_view){.w = v[0], .h = v[1], .c = v[2], .bits = v[3]};
    src->stride = (int64_t)src->w * src->c * src->bits / 8;
    *g = (struct mr_geometry){
        .in_w = v[0],
        .in_h = v[1],
        .filter = (enum mr_filter)v[4],
        .antialias = v[5],
        .box = {v[6], v[7], v[8], v[9]},
        .resized = true,
        .rw = v[10],
        .rh = v[11],
        .win = {v[12], v[13], v[14], v[15]},
        .hflip = v[16],
        .vflip = v[17],
        .pad_left = v[18],
        .pad_top = v[19],
        .pad_right = v[20],
        .pad_bottom = v[21],
        .pad_fill = {v[22], v[22], v[22], v[22]},
        .out_w = v[14] + v[18] + v[20],
        .out_h = v[15] + v[19] + v[21],
    };
    return getchar() == '\n' ? 0 : -1;
}

static int fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return 1;
}

int main(void)
{
    struct mr_geometry g;
    struct mr_view src, dst;
    struct mr_errbuf e;
    struct mr_resampler *r;

    if (read_job(&g, &src) < 0)
        return fail("the job's line is wrong");
    dst = src;
    dst.w = g.out_w;
    dst.h = g.out_h;
    dst.stride = (int64_t)dst.w * dst.c * dst.bits / 8;
    size_t in = (size_t)(src.h * src.stride), out = (size_t)(dst.h * dst.stride);
    src.data = malloc(in);
    dst.data = malloc(out);
    if (!src.data || !dst.data || fread(src.data, 1, in, stdin) != in)
        return fail("the pixels are missing");
    struct mr_rect at = {0, 0, g.in_w, g.in_h};
    if (mr__resampler_new(&r, &e) < 0 || mr__resample_image(r, &src, &at, &g, &dst, &e) < 0)
        return fail(e.text);
    mr__resampler_free(r);
    int ok = fwrite(dst.data, 1, out, stdout) == out;
    free(src.data);
    free(dst.data);
    return ok ? 0 : 1;
}
