/* SPDX-License-Identifier: Apache-2.0 */
#include "crop_decode.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { MARGIN = 2 }; /* columns: fancy upsampling sees what it would see in the full image */
enum { ROWS = 16 };  /* per call */

struct crop_decoder {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;
};

static void be_quiet(j_common_ptr info, int level)
{
    (void)info;
    (void)level;
}

struct crop_decoder *crop_decoder_open(void)
{
    struct crop_decoder *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->info.err = jpeg_std_error(&d->errors); /* its error_exit prints and exits */
    d->errors.emit_message = be_quiet;
    jpeg_create_decompress(&d->info);
    return d;
}

void crop_decoder_close(struct crop_decoder *d)
{
    jpeg_destroy_decompress(&d->info);
    free(d);
}

void crop_start(struct crop_decoder *d, const unsigned char *data, size_t bytes, int *w, int *h)
{
    jpeg_mem_src(&d->info, (unsigned char *)(uintptr_t)data, (unsigned long)bytes);
    jpeg_read_header(&d->info, TRUE);
    d->info.out_color_space = JCS_RGB;
    d->info.dct_method = JDCT_ISLOW;
    d->info.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&d->info);
    *w = (int)d->info.output_width;
    *h = (int)d->info.output_height;
}

void crop_go(struct crop_decoder *d, const struct mr_rect *need, struct mr_rect *at)
{
    int w = (int)d->info.output_width;
    int left = need->x > MARGIN ? need->x - MARGIN : 0;
    int right = need->x + need->w + MARGIN < w ? need->x + need->w + MARGIN : w;
    JDIMENSION x = (JDIMENSION)left, width = (JDIMENSION)(right - left);

    jpeg_crop_scanline(&d->info, &x, &width);
    if (need->y > 0)
        jpeg_skip_scanlines(&d->info, (JDIMENSION)need->y);
    *at = (struct mr_rect){(int)x, need->y, (int)width, need->h};
}

void crop_rows(struct crop_decoder *d, uint8_t *to, size_t stride, int n)
{
    JSAMPROW rows[ROWS];

    for (int y = 0; y < n;) {
        int m = n - y < ROWS ? n - y : ROWS;
        for (int i = 0; i < m; i++)
            rows[i] = to + (size_t)(y + i) * stride;
        y += (int)jpeg_read_scanlines(&d->info, rows, (JDIMENSION)m);
    }
}

void crop_stop(struct crop_decoder *d)
{
    jpeg_abort_decompress(&d->info);
}
