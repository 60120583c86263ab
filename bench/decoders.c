/* SPDX-License-Identifier: Apache-2.0 */
#include "decoders.h"

#include "base/descriptor.h"
#include "crop_decode.h"
#include "draw_box.h"
#include "full_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the whole image with libjpeg-turbo: L -------------------------------------------------- */

static void *full_open(int side)
{
    (void)side;
    return full_decoder_open();
}

static long full_file(void *decoder, const struct jpeg_file *file)
{
    return full_decode(decoder, file->data, file->bytes, file->path);
}

static void full_close(void *decoder)
{
    full_decoder_close(decoder);
}

/* ---- a crop ---------------------------------------------------------------------------------- */

/* The pixels go into memory that is used again for every image, as the full decode's do. */
struct crop {
    int side;
    void *decoder; /* a struct crop_decoder, or the codec's */
    uint8_t *pixels;
    size_t room;
};

static uint8_t *make_room(struct crop *crop, size_t bytes)
{
    if (bytes > crop->room) {
        free(crop->pixels);
        crop->pixels = malloc(bytes);
        crop->room = crop->pixels ? bytes : 0;
    }
    return crop->pixels;
}

static struct mr_rect draw(const struct crop *crop, int w, int h)
{
    return crop->side ? draw_square(w, h, crop->side) : draw_box(w, h);
}

static struct crop *crop_new(int side, void *decoder)
{
    struct crop *crop = decoder ? calloc(1, sizeof *crop) : NULL;

    if (crop)
        *crop = (struct crop){.side = side, .decoder = decoder};
    return crop;
}

static void *crop_open(int side)
{
    return crop_new(side, crop_decoder_open());
}

static long crop_file(void *self, const struct jpeg_file *file)
{
    struct crop *crop = self;
    struct mr_rect need, at;
    int w, h;

    crop_start(crop->decoder, file->data, file->bytes, &w, &h);
    need = draw(crop, w, h);
    crop_go(crop->decoder, &need, &at);
    size_t stride = 3 * (size_t)at.w;
    uint8_t *pixels = make_room(crop, stride * (size_t)at.h);
    if (!pixels)
        return -1;
    crop_rows(crop->decoder, pixels, stride, at.h);
    crop_stop(crop->decoder);
    return (long)need.w * need.h;
}

static void crop_close(void *self)
{
    struct crop *crop = self;

    if (!crop)
        return;
    crop_decoder_close(crop->decoder);
    free(crop->pixels);
    free(crop);
}

/* ---- a crop with Millrace's own codec -------------------------------------------------------- */

extern const struct mr_codec mr__codec_jpeg;

static void *codec_open(int side)
{
    static const struct mr_limits none = {INT64_MAX, INT32_MAX, 1000, 0, INT64_MAX, MR_DECODE_AUTO};
    struct mr_errbuf e;
    void *decoder;

    if (mr__codec_jpeg.open(&decoder, &none, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        return NULL;
    }
    return crop_new(side, decoder);
}

static long codec_file(void *self, const struct jpeg_file *file)
{
    struct crop *crop = self;
    struct mr_image_info info;
    struct mr_errbuf e;

    if (mr__codec_jpeg.header(crop->decoder, file->data, file->bytes, &info, &e) < 0) {
        fprintf(stderr, "cannot decode '%s': %s\n", file->path, e.text);
        return -1;
    }
    struct mr_rect need = draw(crop, info.w, info.h);
    uint8_t *pixels = make_room(crop, 3 * (size_t)need.w * (size_t)need.h);
    struct mr_view view = {pixels, need.w, need.h, 3, 8, 3 * (int64_t)need.w};
    if (!pixels)
        return -1;
    if (mr__codec_jpeg.decode(crop->decoder, &need, &view, &e) < 0) {
        fprintf(stderr, "cannot decode '%s': %s\n", file->path, e.text);
        return -1;
    }
    return (long)need.w * need.h;
}

static void codec_close(void *self)
{
    struct crop *crop = self;

    if (!crop)
        return;
    mr__codec_jpeg.close(crop->decoder);
    free(crop->pixels);
    free(crop);
}

static const struct decoder_kind kinds[] = {
    {"full", full_open, full_file, full_close},
    {"crop", crop_open, crop_file, crop_close},
    {"codec", codec_open, codec_file, codec_close},
};

const struct decoder_kind *decoder_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
