/* SPDX-License-Identifier: Apache-2.0 */
#include "image_write.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

struct jpeg_trap {
    struct jpeg_error_mgr manager;
    jmp_buf out;
};

static void jpeg_failed(j_common_ptr info)
{
    longjmp(((struct jpeg_trap *)info->err)->out, 1);
}

static void compress_jpeg(struct jpeg_compress_struct *info, const struct pixels *image,
                          int quality)
{
    size_t stride = (size_t)image->w * (size_t)image->c;
    info->image_width = (JDIMENSION)image->w;
    info->image_height = (JDIMENSION)image->h;
    info->input_components = image->c;
    info->in_color_space = image->c == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < info->image_height) {
        JSAMPROW row = (JSAMPROW)(image->data + info->next_scanline * stride);
        jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
}

int encode_jpeg(const struct pixels *image, int quality, struct encoded *out)
{
    struct jpeg_compress_struct info;
    struct jpeg_trap trap;
    /* Behind longjmp only what is not a changed local is certain; the buffer lives in the struct.
     */
    struct {
        unsigned char *data;
        unsigned long n;
    } *volatile memory = calloc(1, sizeof *memory);
    if (!memory)
        return -1;
    info.err = jpeg_std_error(&trap.manager);
    trap.manager.error_exit = jpeg_failed;
    volatile int rc = -1;
    if (!setjmp(trap.out)) {
        jpeg_create_compress(&info);
        jpeg_mem_dest(&info, &memory->data, &memory->n);
        compress_jpeg(&info, image, quality);
        *out = (struct encoded){memory->data, memory->n};
        rc = 0;
    } else {
        free(memory->data);
    }
    jpeg_destroy_compress(&info);
    free(memory);
    return rc;
}

static void png_append(png_structp png, png_bytep data, png_size_t n)
{
    struct encoded *out = png_get_io_ptr(png);
    if (n > SIZE_MAX / 2 - out->n)
        png_error(png, "too large");
    uint8_t *grown = realloc(out->data, out->n + n);
    if (!grown)
        png_error(png, "not enough memory");
    memcpy(grown + out->n, data, n);
    out->data = grown;
    out->n += n;
}

static void png_no_flush(png_structp png)
{
    (void)png;
}

static void png_quiet(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

int encode_png(const struct pixels *image, struct encoded *out)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, png_quiet, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    size_t stride = (size_t)image->w * (size_t)image->c;
    *out = (struct encoded){0};
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        free(out->data);
        *out = (struct encoded){0};
        return -1;
    }
    png_set_write_fn(png, out, png_append, png_no_flush);
    png_set_compression_level(png, 6);
    png_set_IHDR(png, info, (png_uint_32)image->w, (png_uint_32)image->h, 8,
                 image->c == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < image->h; y++)
        png_write_row(png, image->data + (size_t)y * stride);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return 0;
}
