/* SPDX-License-Identifier: Apache-2.0 */
#include "plain_decode.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* arithmetic coding has its codes only behind jpeglib.h */
#include <png.h>

/* ---- JPEG ------------------------------------------------------------------------------------ */

struct judge {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    struct plain *out;
    uint8_t *row; /* scratch for CMYK */
};

static void worsen(struct plain *out, enum plain_verdict v)
{
    if (v > out->verdict)
        out->verdict = v;
}

static void jpeg_gives_up(j_common_ptr cinfo)
{
    struct judge *j = (struct judge *)cinfo->err;
    char text[JMSG_LENGTH_MAX];
    j->base.format_message(cinfo, text);
    snprintf(j->out->text, sizeof j->out->text, "%s", text);
    j->out->verdict = PLAIN_ERROR;
    longjmp(j->jump, 1);
}

/* Arithmetic data that end early leave no other trace than what comes where they should be: the end
 * of the file, a marker out of place, or data that nobody has read. */
static bool made_up(j_common_ptr cinfo, int code)
{
    bool arithmetic =
        ((j_decompress_ptr)cinfo)->arith_code && ((j_decompress_ptr)cinfo)->input_scan_number > 0;
    return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
           code == JWRN_MUST_RESYNC || code == JWRN_BOGUS_PROGRESSION ||
           (arithmetic && (code == JWRN_JPEG_EOF || code == JWRN_EXTRANEOUS_DATA));
}

/* Where the first loss shows. Rows are decoded in groups of 8 times the largest sampling factor,
 * and come out up to one group later; of several scans, all are read before the first row comes. */
static void note_loss(j_decompress_ptr cinfo, struct plain *out)
{
    if (out->verdict >= PLAIN_LOSS)
        return;
    out->verdict = PLAIN_LOSS;
    if (!jpeg_has_multiple_scans(cinfo))
        out->lost_from = (int)cinfo->output_scanline + 2 * DCTSIZE * cinfo->max_v_samp_factor;
}

static void jpeg_says(j_common_ptr cinfo, int level)
{
    struct judge *j = (struct judge *)cinfo->err;
    char text[JMSG_LENGTH_MAX];
    if (level >= 0)
        return;
    j->base.format_message(cinfo, text);
    snprintf(j->out->text, sizeof j->out->text, "%s", text);
    if (made_up(cinfo, j->base.msg_code))
        note_loss((j_decompress_ptr)cinfo, j->out);
    else
        worsen(j->out, PLAIN_ODD);
}

static void from_cmyk(const uint8_t *in, uint8_t *out, int w)
{
    for (int x = 0; x < w; x++) {
        for (int i = 0; i < 3; i++) {
            int k = in[4 * x + 3], t = k * (255 - in[4 * x + i]) + 128;
            int v = k - (((t >> 8) + t) >> 8);
            out[3 * x + i] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

static void read_jpeg(j_decompress_ptr cinfo, struct judge *j)
{
    struct plain *out = j->out;
    bool ink = cinfo->num_components == 4;
    cinfo->out_color_space = ink ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(cinfo);
    j->row = malloc((size_t)out->w * 4);
    out->rgb = calloc((size_t)out->w * 3, (size_t)out->h);
    if (!j->row || !out->rgb)
        abort();
    for (int y = 0; y < out->h; y++) {
        uint8_t *to = out->rgb + (size_t)out->w * 3 * (size_t)y;
        jpeg_read_scanlines(cinfo, ink ? &j->row : &to, 1);
        if (ink)
            from_cmyk(j->row, to, out->w);
    }
    if (cinfo->arith_code && cinfo->unread_marker != 0 && cinfo->unread_marker != JPEG_EOI)
        note_loss(cinfo, out);
}

static void drop(struct plain *out)
{
    free(out->rgb);
    out->rgb = NULL;
}

static void plain_jpeg(const uint8_t *data, size_t n, long max_pixels, struct plain *out)
{
    struct jpeg_decompress_struct cinfo;
    struct judge j = {.out = out};
    cinfo.err = jpeg_std_error(&j.base);
    j.base.error_exit = jpeg_gives_up;
    j.base.emit_message = jpeg_says;
    jpeg_create_decompress(&cinfo);
    if (setjmp(j.jump) == 0) {
        jpeg_mem_src(&cinfo, (unsigned char *)(uintptr_t)data, (unsigned long)n);
        jpeg_read_header(&cinfo, TRUE);
        out->w = (int)cinfo.image_width;
        out->h = (int)cinfo.image_height;
        if ((long)out->w * out->h > max_pixels)
            out->verdict = PLAIN_BIG;
        else
            read_jpeg(&cinfo, &j);
    } else {
        drop(out);
    }
    jpeg_destroy_decompress(&cinfo);
    free(j.row);
}

/* ---- PNG ------------------------------------------------------------------------------------- */

struct png_input {
    const uint8_t *data;
    size_t n, at;
    struct plain *out;
    png_bytep *rows;
};

static void png_gives_up(png_structp png, png_const_charp text)
{
    struct png_input *in = png_get_error_ptr(png);
    snprintf(in->out->text, sizeof in->out->text, "%s", text);
    in->out->verdict = PLAIN_ERROR;
    png_longjmp(png, 1);
}

static void png_says(png_structp png, png_const_charp text)
{
    struct png_input *in = png_get_error_ptr(png);
    snprintf(in->out->text, sizeof in->out->text, "%s", text);
    worsen(in->out, PLAIN_ODD);
}

static void png_input(png_structp png, png_bytep to, size_t bytes)
{
    struct png_input *in = png_get_io_ptr(png);
    if (bytes > in->n - in->at)
        png_error(png, "the end");
    memcpy(to, in->data + in->at, bytes);
    in->at += bytes;
}

static void read_png(png_structp png, png_infop info, struct png_input *in)
{
    struct plain *out = in->out;
    png_set_palette_to_rgb(png);
    png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t row = png_get_rowbytes(png, info);
    out->rgb = calloc(row, (size_t)out->h);
    in->rows = calloc((size_t)out->h, sizeof *in->rows);
    if (!out->rgb || !in->rows || row != (size_t)out->w * 3)
        abort();
    for (int y = 0; y < out->h; y++)
        in->rows[y] = out->rgb + row * (size_t)y;
    png_read_image(png, in->rows);
}

static void plain_png(const uint8_t *data, size_t n, long max_pixels, struct plain *out)
{
    struct png_input in = {data, n, 0, out, NULL};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &in, png_gives_up, png_says);
    png_infop info = png_create_info_struct(png);
    png_set_read_fn(png, &in, png_input);
    if (setjmp(png_jmpbuf(png)) == 0) {
        png_read_info(png, info);
        out->w = (int)png_get_image_width(png, info);
        out->h = (int)png_get_image_height(png, info);
        if ((long)out->w * out->h > max_pixels)
            out->verdict = PLAIN_BIG;
        else
            read_png(png, info, &in);
    } else {
        drop(out);
    }
    png_destroy_read_struct(&png, &info, NULL);
    free(in.rows);
}

void plain_decode(const uint8_t *data, size_t n, long max_pixels, struct plain *out)
{
    *out = (struct plain){.verdict = PLAIN_GOOD};
    if (n >= 8 && png_sig_cmp(data, 0, 8) == 0)
        plain_png(data, n, max_pixels, out);
    else if (n >= 2 && data[0] == 0xff && data[1] == 0xd8)
        plain_jpeg(data, n, max_pixels, out);
    else
        out->verdict = PLAIN_ERROR;
}
