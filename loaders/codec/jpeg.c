/* SPDX-License-Identifier: Apache-2.0
 *
 * jpeg.c: the JPEG codec: what is asked for is checked, and the engines are asked in turn.
 */
#include "loaders/codec/baseline/baseline.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegshrink.h"
#include "loaders/codec/jpegtarget.h"

#include <stdlib.h>

/* In the order in which they are asked. The last one passes nothing on. */
static const struct mr_jpeg_engine *const engines[] = {&mr__jpegbaseline, &mr__jpegturbo};
enum { ENGINES = sizeof engines / sizeof *engines };

static void jpeg_close(void *decoder)
{
    struct mr_jpeg *d = decoder;
    mr__jpegheader_reset(d);
    mr__baseline_free(d->baseline);
    free(d->rows);
    free(d->sink.strip);
    free(d);
}

static int jpeg_open(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e)
{
    struct mr_jpeg *d = calloc(1, sizeof *d);
    if (!d)
        return mr__fail(e, MR_E_MEMORY, "no memory for a JPEG decoder");
    d->limits = *limits;
    d->err.limits = &d->limits;
    int rc = limits->engine == MR_DECODE_LIBJPEG ? MR_OK : mr__baseline_new(&d->baseline, e);
    if (rc < 0)
        free(d);
    else
        *decoder = d;
    return rc;
}

static int jpeg_header(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                       struct mr_errbuf *e)
{
    struct mr_jpeg *d = decoder;
    int rc = mr__jpegheader_read(d, data, n, e);
    if (rc < 0)
        return rc;
    d->shown = (struct mr_shrunk){.scale = 1, .w = d->info.w, .h = d->info.h};
    *info = d->info;
    return MR_OK;
}

static int no_header(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE, "a JPEG's header must be read before each decode");
}

static int jpeg_shrink(void *decoder, int32_t scale, struct mr_shrunk *shrunk, struct mr_errbuf *e)
{
    struct mr_jpeg *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__jpegshrink(&d->info, scale, &d->shown, e);
    if (rc == MR_OK)
        *shrunk = d->shown;
    return rc;
}

static int run_engines(struct mr_jpeg *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    int rc = MR_JPEG_PASS;
    d->err.e = e;
    for (int i = 0; i < ENGINES && rc == MR_JPEG_PASS; i++) {
        d->cost = (struct mr_decode_cost){.engine = engines[i]->id};
        rc = engines[i]->decode(d, roi);
    }
    mr__jpegheader_reset(d);
    return rc;
}

static int jpeg_decode(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                       struct mr_errbuf *e)
{
    struct mr_jpeg *d = decoder;
    if (!d->ready)
        return no_header(e);
    struct mr_rect stored;
    int rc = mr__jpegtarget_view(&d->sink, &d->info, &d->shown, roi, dst, &stored, e);
    return rc < 0 ? rc : run_engines(d, &stored, e);
}

static int jpeg_rows(void *decoder, const struct mr_rect *roi, int32_t c, int32_t bits,
                     const struct mr_row_taker *to, struct mr_errbuf *e)
{
    struct mr_jpeg *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__jpegtarget_taker(&d->sink, &d->info, &d->shown, roi, c, bits, to, e);
    return rc < 0 ? rc : run_engines(d, roi, e);
}

static void jpeg_cost(const void *decoder, struct mr_decode_cost *cost)
{
    *cost = ((const struct mr_jpeg *)decoder)->cost;
}

static bool jpeg_probe(const uint8_t *data, size_t n)
{
    return n >= 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff;
}

#define TEXT(x) #x
#define TEXT_OF(macro) TEXT(macro)
static const char *jpeg_version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " TEXT_OF(LIBJPEG_TURBO_VERSION) " (when this was built); plain files by "
           "Millrace's own decoder";
#else
    return "libjpeg " TEXT_OF(JPEG_LIB_VERSION);
#endif
}

static const char *const jpeg_extensions[] = {"jpg", "jpeg", "jpe", "jfif", NULL};

const struct mr_codec mr__codec_jpeg = {
    .d = {.name = "jpeg",
          .help =
              "JPEG: plain files by an own decoder, all others by libjpeg-turbo; decodes only the "
              "crop"},
    .version = jpeg_version,
    .extensions = jpeg_extensions,
    .probe = jpeg_probe,
    .open = jpeg_open,
    .close = jpeg_close,
    .header = jpeg_header,
    .shrink = jpeg_shrink,
    .decode = jpeg_decode,
    .rows = jpeg_rows,
    .cost = jpeg_cost,
};
