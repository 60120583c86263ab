/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_png.c: pixels as a PNG.
 */
#include "pack/unpack_files.h"

#include <setjmp.h>

#include <png.h>

struct writer {
    struct mr_buf *png;
    jmp_buf jump;
};

static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    longjmp(((struct writer *)png_get_error_ptr(png))->jump, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void on_write(png_structp png, png_bytep data, size_t n)
{
    struct writer *w = png_get_io_ptr(png);
    if (!mr__buf_append(w->png, data, n))
        longjmp(w->jump, 1);
}

static void on_flush(png_structp png)
{
    (void)png;
}

static void write_image(png_structp png, png_infop info, const struct mr_view *image)
{
    static const int kinds[5] = {
        [1] = PNG_COLOR_TYPE_GRAY, [3] = PNG_COLOR_TYPE_RGB, [4] = PNG_COLOR_TYPE_RGB_ALPHA};
    png_set_IHDR(png, info, (png_uint_32)image->w, (png_uint_32)image->h, image->bits,
                 kinds[image->c], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (image->bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        png_set_swap(png);
    for (int32_t y = 0; y < image->h; y++)
        png_write_row(png, (png_const_bytep)image->data + image->stride * y);
    png_write_end(png, info);
}

static bool write_png(struct writer *w, const struct mr_view *image)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(w->jump)) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_set_write_fn(png, w, on_write, on_flush);
    write_image(png, info, image);
    png_destroy_write_struct(&png, &info);
    return true;
}

int mr__pack_png_write(const struct mr_view *image, struct mr_buf *png, struct mr_errbuf *e)
{
    struct writer w = {.png = png};
    png->n = 0;
    if (write_png(&w, image))
        return MR_OK;
    return mr__fail(e, MR_E_MEMORY, "not enough memory for a PNG of %d x %d pixels", image->w,
                    image->h);
}
