/* SPDX-License-Identifier: Apache-2.0 */
#include "full_decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

struct full_decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    const char *name;
    unsigned char *pixels;
    size_t room;
};

static void fail(j_common_ptr jpeg)
{
    struct full_decoder *decoder = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];

    jpeg->err->format_message(jpeg, text);
    fprintf(stderr, "cannot decode '%s': %s\n", decoder->name, text);
    longjmp(decoder->failed, 1);
}

static void be_silent(j_common_ptr jpeg)
{
    (void)jpeg;
}

struct full_decoder *full_decoder_open(void)
{
    struct full_decoder *decoder = calloc(1, sizeof *decoder);

    if (!decoder)
        return NULL;
    decoder->jpeg.err = jpeg_std_error(&decoder->errors);
    decoder->errors.error_exit = fail;
    decoder->errors.output_message = be_silent;
    jpeg_create_decompress(&decoder->jpeg);
    decoder->jpeg.client_data = decoder;
    return decoder;
}

void full_decoder_close(struct full_decoder *decoder)
{
    if (!decoder)
        return;
    jpeg_destroy_decompress(&decoder->jpeg);
    free(decoder->pixels);
    free(decoder);
}

static int make_room(struct full_decoder *decoder, size_t bytes)
{
    unsigned char *grown;

    if (bytes <= decoder->room)
        return 0;
    grown = realloc(decoder->pixels, bytes);
    if (!grown)
        return -1;
    decoder->pixels = grown;
    decoder->room = bytes;
    return 0;
}

static void read_rows(struct jpeg_decompress_struct *jpeg, unsigned char *pixels, size_t stride)
{
    JSAMPROW rows[8];

    while (jpeg->output_scanline < jpeg->output_height) {
        JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
        JDIMENSION n = left < 8 ? left : 8;

        for (JDIMENSION i = 0; i < n; i++)
            rows[i] = pixels + (jpeg->output_scanline + i) * stride;
        jpeg_read_scanlines(jpeg, rows, n);
    }
}

long full_decode(struct full_decoder *decoder, const unsigned char *data, size_t bytes,
                 const char *name)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    size_t stride;

    decoder->name = name;
    if (setjmp(decoder->failed)) {
        jpeg_abort_decompress(jpeg);
        return -1;
    }
    jpeg_mem_src(jpeg, data, bytes);
    jpeg_read_header(jpeg, TRUE);
    jpeg->out_color_space = JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(jpeg);
    stride = (size_t)jpeg->output_width * 3;
    if (make_room(decoder, stride * jpeg->output_height) < 0) {
        fprintf(stderr, "no memory for the pixels of '%s'\n", name);
        jpeg_abort_decompress(jpeg);
        return -1;
    }
    read_rows(jpeg, decoder->pixels, stride);
    jpeg_finish_decompress(jpeg);
    return (long)jpeg->output_width * jpeg->output_height;
}
