/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_jpeg.c: pixels as a JPEG. Its Huffman tables do not matter: it is cut into segments next.
 */
#include "loaders/codec/jpegdest.h"
#include "pack/pack_pixels.h"

#include <setjmp.h>

struct writer {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr err;
    struct mr_jpegdest to;
    struct mr_buf *jpeg;
    jmp_buf jump;
};

static void on_error(j_common_ptr cinfo)
{
    longjmp(((struct writer *)cinfo)->jump, 1); /* cinfo is its first member */
}

static void on_message(j_common_ptr cinfo, int level)
{
    (void)cinfo, (void)level;
}

static void write_image(struct writer *w, const struct mr_view *image, int quality)
{
    struct jpeg_compress_struct *cinfo = &w->cinfo;
    mr__jpegdest_attach(&w->to, cinfo, w->jpeg);
    cinfo->image_width = (JDIMENSION)image->w;
    cinfo->image_height = (JDIMENSION)image->h;
    cinfo->input_components = image->c;
    cinfo->in_color_space = image->c == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, quality, TRUE);
    cinfo->dct_method = JDCT_ISLOW;
    jpeg_start_compress(cinfo, TRUE);
    for (int32_t y = 0; y < image->h; y++) {
        JSAMPROW row = (JSAMPROW)image->data + image->stride * y;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
}

static bool write_jpeg(const struct mr_view *image, int quality, struct mr_buf *jpeg)
{
    struct writer w = {.jpeg = jpeg};
    w.cinfo.err = jpeg_std_error(&w.err);
    w.err.error_exit = on_error;
    w.err.emit_message = on_message;
    if (setjmp(w.jump)) {
        jpeg_destroy_compress(&w.cinfo);
        return false;
    }
    jpeg_create_compress(&w.cinfo);
    write_image(&w, image, quality);
    jpeg_destroy_compress(&w.cinfo);
    return true;
}

int mr__pack_jpeg_write(const struct mr_view *image, int quality, struct mr_buf *jpeg,
                        struct mr_errbuf *e)
{
    if (image->w > JPEG_MAX_DIMENSION || image->h > JPEG_MAX_DIMENSION)
        return mr__fail(e, MR_E_LIMIT, "an image of %d x %d pixels is too large for a JPEG",
                        image->w, image->h);
    jpeg->n = 0;
    if (write_jpeg(image, quality, jpeg)) /* only memory can be wanting */
        return MR_OK;
    return mr__fail(e, MR_E_MEMORY, "not enough memory for a JPEG of %d x %d pixels", image->w,
                    image->h);
}
