/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack_pixels.h"

#include "augment/kernel/resample.h"
#include "loaders/codec/find.h"

#include <stdlib.h>

enum { MAX_CODECS = 16, SLACK = 64 };

struct mr_pack_pixels {
    const struct mr_limits *limits;
    struct mr_resampler *resampler;
    void *decoders[MAX_CODECS]; /* by number in mr_codecs, NULL until first needed */
    const struct mr_codec *codec;
    void *decoder; /* of the file at hand */
    struct mr_image_info info;
    struct mr_buf whole, small;
};

int mr__pack_pixels_new(struct mr_pack_pixels **pixels, const struct mr_limits *limits,
                        struct mr_errbuf *e)
{
    struct mr_pack_pixels *p = *pixels = calloc(1, sizeof *p);
    if (!p)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a packing thread");
    p->limits = limits;
    int rc = mr__resampler_new(&p->resampler, e);
    if (rc < 0) {
        mr__pack_pixels_free(p);
        *pixels = NULL;
    }
    return rc;
}

void mr__pack_pixels_free(struct mr_pack_pixels *p)
{
    if (!p)
        return;
    for (int i = 0; i < MAX_CODECS && mr_codecs[i]; i++)
        if (p->decoders[i])
            mr_codecs[i]->close(p->decoders[i]);
    mr__resampler_free(p->resampler);
    mr__buf_free(&p->whole);
    mr__buf_free(&p->small);
    free(p);
}

/* ---- decoding ---- */

static int open_file(struct mr_pack_pixels *p, const struct mr_buf *file, struct mr_errbuf *e)
{
    int i = 0, rc = MR_OK;
    p->codec = mr__codec_find(file->data, file->n, e);
    if (!p->codec)
        return MR_E_DATA;
    while (mr_codecs[i] != p->codec)
        i++;
    if (!p->decoders[i])
        rc = p->codec->open(&p->decoders[i], p->limits, e);
    p->decoder = p->decoders[i];
    return rc < 0 ? rc : p->codec->header(p->decoder, file->data, file->n, &p->info, e);
}

int mr__pack_pixels_size(struct mr_pack_pixels *p, const struct mr_buf *file,
                         struct mr_pack_made *made)
{
    int rc = open_file(p, file, &made->e);
    if (rc == MR_OK) {
        made->image_w = p->info.w;
        made->image_h = p->info.h;
    }
    return rc == MR_E_MEMORY ? rc : MR_OK; /* what is bad shows later */
}

/* 4 channels are RGB and alpha, or inks, which become RGB. */
static int32_t channels_of(const struct mr_pack_pixels *p)
{
    extern const struct mr_codec mr__codec_png, mr__codec_raw;
    bool alpha = p->codec == &mr__codec_png || p->codec == &mr__codec_raw;
    return p->info.c == 1 ? 1 : alpha && p->info.c != 3 ? 4 : 3;
}

static int make_view(struct mr_buf *b, int32_t w, int32_t h, int32_t c, int32_t bits,
                     struct mr_view *view, struct mr_errbuf *e)
{
    size_t row = (size_t)w * (size_t)c * (size_t)(bits / 8), bytes;
    b->n = 0;
    if (__builtin_mul_overflow(row, (size_t)h, &bytes) || bytes > SIZE_MAX - SLACK ||
        !mr__buf_reserve(b, bytes + SLACK))
        return mr__fail(e, MR_E_MEMORY, "not enough memory for an image of %d x %d pixels", w, h);
    *view = (struct mr_view){b->data, w, h, c, bits, (int64_t)row};
    return MR_OK;
}

/* The image of an opened file, w x h at the scale that the decoder was set to. */
static int decode(struct mr_pack_pixels *p, int32_t w, int32_t h, int32_t c, int32_t bits,
                  struct mr_view *view, struct mr_errbuf *e)
{
    const struct mr_rect all = {0, 0, w, h};
    int rc = make_view(&p->whole, w, h, c, bits, view, e);
    return rc < 0 ? rc : p->codec->decode(p->decoder, &all, view, e);
}

int mr__pack_pixels_whole(struct mr_pack_pixels *p, const struct mr_buf *file,
                          struct mr_view *pixels, struct mr_errbuf *e)
{
    int rc = open_file(p, file, e);
    if (rc < 0)
        return rc;
    return decode(p, p->info.w, p->info.h, channels_of(p), p->info.bits, pixels, e);
}

/* ---- smaller ---- */

/* Half the way, at most, by the decoder: what is left is up to a good filter. */
static int shrink_in_decoder(struct mr_pack_pixels *p, int32_t w, int32_t h,
                             struct mr_shrunk *shrunk, struct mr_errbuf *e)
{
    int32_t scale = 8;
    *shrunk = (struct mr_shrunk){.scale = 1, .w = p->info.w, .h = p->info.h};
    if (!p->codec->shrink)
        return MR_OK;
    while (scale > 1 && (p->info.w / scale < 2 * w || p->info.h / scale < 2 * h))
        scale /= 2;
    return scale == 1 ? MR_OK : p->codec->shrink(p->decoder, scale, shrunk, e);
}

static int resize(struct mr_pack_pixels *p, const struct mr_view *from, int32_t w, int32_t h,
                  bool nearest, struct mr_view *to, struct mr_errbuf *e)
{
    const struct mr_rect all = {0, 0, from->w, from->h};
    const struct mr_geometry g = {.in_w = from->w,
                                  .in_h = from->h,
                                  .box = all,
                                  .resized = true,
                                  .rw = w,
                                  .rh = h,
                                  .filter = nearest ? MR_NEAREST : MR_BICUBIC,
                                  .antialias = !nearest,
                                  .win = {0, 0, w, h},
                                  .out_w = w,
                                  .out_h = h};
    int rc = make_view(&p->small, w, h, from->c, from->bits, to, e);
    return rc < 0 ? rc : mr__resample_image(p->resampler, from, &all, &g, to, e);
}

static int32_t scaled(int32_t side, int32_t longer, int32_t max_side)
{
    int64_t v = ((int64_t)side * max_side + longer / 2) / longer;
    return v < 1 ? 1 : (int32_t)v;
}

int mr__pack_pixels_shrink(struct mr_pack_pixels *p, const struct mr_buf *file, int32_t max_side,
                           struct mr_pack_made *made, struct mr_view *pixels, struct mr_errbuf *e)
{
    struct mr_view whole;
    struct mr_shrunk shrunk;
    pixels->data = NULL;
    int rc = open_file(p, file, e);
    int32_t longer = p->info.w > p->info.h ? p->info.w : p->info.h;
    if (rc < 0 || longer <= max_side)
        return rc;
    int32_t w = scaled(p->info.w, longer, max_side), h = scaled(p->info.h, longer, max_side);
    rc = shrink_in_decoder(p, w, h, &shrunk, e);
    if (rc >= 0)
        rc = decode(p, shrunk.w, shrunk.h, p->info.c == 1 ? 1 : 3, 8, &whole, e);
    if (rc >= 0)
        rc = resize(p, &whole, w, h, false, pixels, e);
    if (rc < 0)
        return rc;
    made->scale_x = (float)w / (float)p->info.w;
    made->scale_y = (float)h / (float)p->info.h;
    made->image_w = w;
    made->image_h = h;
    return MR_OK;
}

int mr__pack_pixels_mask(struct mr_pack_pixels *p, const struct mr_buf *file,
                         const struct mr_pack_made *made, struct mr_view *pixels,
                         struct mr_errbuf *e)
{
    struct mr_view whole;
    pixels->data = NULL;
    if (made->scale_x == 1 && made->scale_y == 1)
        return MR_OK;
    int rc = open_file(p, file, e);
    if (rc >= 0)
        rc = decode(p, p->info.w, p->info.h, 1, p->info.bits, &whole, e);
    return rc < 0 ? rc : resize(p, &whole, made->image_w, made->image_h, true, pixels, e);
}
