/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_jpeg_engines.c: where our own JPEG decoder gives pixels, libjpeg-turbo gives the same ones,
 * of the whole image and of a crop.
 *
 * An input is a JPEG, or, when it does not begin like one, five knobs and the coded bytes of a scan
 * for one of a few headers made here: so mutations go where the decoder is. The last eight bytes
 * choose the crop.
 */
#include "loaders/codec/jpegdecoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct mr_codec mr__codec_jpeg;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Small, so that an execution takes microseconds. */
static const struct mr_limits own_limits = {
    .max_pixels = 1 << 14, .max_side = 4096, .max_scans = 100};
static const struct mr_limits their_limits = {
    .max_pixels = 1 << 14, .max_side = 4096, .max_scans = 100, .engine = MR_DECODE_LIBJPEG};

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

/* ---- headers --------------------------------------------------------------------------------- */

struct bytes {
    unsigned char *data;
    unsigned long n;
};

enum { SIDE = 48, QUALITIES = 3, ROOM = 1 << 16 };
static const struct {
    int components, h, v;
} shapes[] = {{1, 1, 1}, {3, 1, 1}, {3, 2, 1}, {3, 2, 2},
              {3, 1, 2}, {3, 4, 1}, {1, 2, 2}, {3, 4, 2}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A JPEG of noise with the tables of its own picture, or the usual ones. */
static struct bytes encode(int shape, int quality, int optimized)
{
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr err;
    struct bytes out = {0};
    unsigned char row[SIDE * 3];
    JSAMPROW rows[1] = {row};
    cinfo.err = jpeg_std_error(&err);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &out.data, &out.n);
    cinfo.image_width = cinfo.image_height = SIDE;
    cinfo.input_components = shapes[shape].components;
    cinfo.in_color_space = shapes[shape].components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, quality, TRUE);
    cinfo.comp_info[0].h_samp_factor = shapes[shape].h;
    cinfo.comp_info[0].v_samp_factor = shapes[shape].v;
    cinfo.optimize_coding = optimized;
    jpeg_start_compress(&cinfo, TRUE);
    for (unsigned y = 0; y < SIDE; y++) {
        for (size_t i = 0; i < sizeof row; i++)
            row[i] = (unsigned char)((i * i * 7 + y * y * 5 + i * y) >> (y & 3));
        jpeg_write_scanlines(&cinfo, rows, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    return out;
}

static size_t find(const struct bytes *b, unsigned marker)
{
    size_t at = 2;
    while (b->data[at + 1] != marker)
        at += 2u + ((size_t)b->data[at + 2] << 8 | b->data[at + 3]);
    return at;
}

struct header {
    struct bytes jpeg;
    size_t frame, scan, end; /* where SOF and SOS begin, and where SOS ends */
};

static const struct header *header(int number)
{
    static const int qualities[QUALITIES] = {30, 90, 100};
    static struct header made[SHAPES * QUALITIES * 2];
    struct header *h = &made[number % (SHAPES * QUALITIES * 2)];
    if (!h->jpeg.data) {
        int k = (int)(h - made);
        h->jpeg = encode(k % SHAPES, qualities[k / SHAPES % QUALITIES], k / SHAPES / QUALITIES);
        h->frame = find(&h->jpeg, 0xc0);
        h->scan = find(&h->jpeg, 0xda);
        h->end = h->scan + 2u + h->jpeg.data[h->scan + 3];
    }
    return h;
}

/* Knobs: header, width, height, restart interval, and whether 0xff in the rest is stuffed. */
static size_t build(const uint8_t *knob, const uint8_t *scan, size_t n, uint8_t *out)
{
    const struct header *h = header(knob[0]);
    size_t at = h->scan;
    memcpy(out, h->jpeg.data, at);
    out[h->frame + 6] = 1 + knob[1] % 64;
    out[h->frame + 8] = 1 + knob[2] % 64;
    if (knob[3]) {
        const uint8_t interval[6] = {0xff, 0xdd, 0, 4, 0, knob[3]};
        memcpy(out + at, interval, sizeof interval);
        at += sizeof interval;
    }
    memcpy(out + at, h->jpeg.data + h->scan, h->end - h->scan);
    at += h->end - h->scan;
    for (size_t i = 0; i < n && at < ROOM - 4; i++) {
        out[at++] = scan[i];
        if (scan[i] == 0xff && knob[4] % 2)
            out[at++] = 0;
    }
    memcpy(out + at, "\xff\xd9", 2);
    return at + 2;
}

/* ---- both engines ---------------------------------------------------------------------------- */

static struct mr_jpeg *own, *theirs;

static void open_both(void)
{
    struct mr_errbuf e = {0};
    void *a, *b;
    if (own)
        return;
    require(mr__codec_jpeg.open(&a, &own_limits, &e) == MR_OK, "open");
    require(mr__codec_jpeg.open(&b, &their_limits, &e) == MR_OK, "open");
    own = a;
    theirs = b;
}

/* True when our own decoder has made `dst`. */
static bool decode_own(const uint8_t *data, size_t n, const struct mr_rect *roi,
                       const struct mr_view *dst)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    require(mr__codec_jpeg.header(own, data, n, &info, &e) == MR_OK, "the second header");
    mr__rowsink_to_view(&own->sink, dst, 1);
    own->err.e = &e;
    int rc = mr__jpegbaseline.decode(own, roi);
    require(rc == MR_OK || rc == MR_JPEG_PASS, "an error of our own");
    return rc == MR_OK;
}

static void compare(const uint8_t *data, size_t n, const struct mr_rect *roi, int32_t c)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    size_t row = (size_t)roi->w * (size_t)c, bytes = row * (size_t)roi->h;
    uint8_t *a = malloc(bytes), *b = malloc(bytes);
    require(a && b, "memory");
    memset(a, 0xa5, bytes);
    memset(b, 0x5a, bytes);
    struct mr_view view = {a, roi->w, roi->h, c, 8, (int64_t)row}, other = view;
    other.data = b;
    if (decode_own(data, n, roi, &view)) {
        require(mr__codec_jpeg.header(theirs, data, n, &info, &e) == MR_OK, e.text);
        mr__rowsink_to_view(&theirs->sink, &other, 1);
        theirs->err.e = &e;
        require(mr__jpegturbo.decode(theirs, roi) == MR_OK, e.text);
        require(!memcmp(a, b, bytes), "other pixels");
    }
    free(a);
    free(b);
}

static int32_t pick(const uint8_t knob[2], int32_t n)
{
    return (knob[0] << 8 | knob[1]) % n;
}

static void judge(const uint8_t *data, size_t n, const uint8_t knob[8])
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    open_both();
    if (mr__codec_jpeg.header(own, data, n, &info, &e) < 0)
        return;
    int32_t w = (int32_t)own->cinfo.image_width, h = (int32_t)own->cinfo.image_height;
    int32_t c = (const int32_t[]){3, 1, 4, 3}[knob[6] % 4];
    struct mr_rect all = {0, 0, w, h}, some = {.w = 1 + pick(knob, w), .h = 1 + pick(knob + 2, h)};
    some.x = pick(knob + 4, w - some.w + 1);
    some.y = pick(knob + 5, h - some.h + 1);
    compare(data, n, &all, c);
    compare(data, n, &some, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t made[ROOM];
    enum { KNOBS = 5, CHOICE = 8 };
    if (n < KNOBS + CHOICE)
        return 0;
    const uint8_t *choice = data + n - CHOICE;
    if (data[0] == 0xff && data[1] == 0xd8) {
        judge(data, n, choice);
        return 0;
    }
    n = build(data, data + KNOBS, n - KNOBS - CHOICE, made);
    uint8_t *exact = malloc(n); /* a sanitizer sees every byte read beyond it */
    require(exact, "memory");
    memcpy(exact, made, n);
    judge(exact, n, choice);
    free(exact);
    return 0;
}
