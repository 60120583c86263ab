/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_codec.c: the codec of packed JPEGs. Only what a crop needs of a body is asked for and
 * decoded: by the decoder of our own, or as a JPEG file of just that part by libjpeg-turbo, where
 * the config says so, where the image is to be smaller, and on a CPU where our own does not pay
 * (for the coding `streams` it does everywhere: libjpeg-turbo needs them coded anew).
 */
#include "loaders/codec/baselinesink.h"
#include "loaders/codec/jpegdecoder.h"
#include "loaders/codec/jpegshrink.h"
#include "loaders/codec/jpegtarget.h"
#include "loaders/codec/orient.h"
#include "loaders/codec/packed/packed_coder.h"
#include "loaders/codec/packed/packed_stitch.h"

#include <stdlib.h>

extern const struct mr_codec mr__codec_jpeg;

struct decoder {
    struct mr_limits limits;
    struct mr_packed_memory memory;
    struct mr_ranges file;
    struct mr_packed_body body;
    struct mr_image_info info;
    struct mr_shrunk shown;
    bool ready;
    struct mr_rowsink sink;
    struct mr_decode_cost cost;
    struct mr_baseline *own; /* NULL: it may not be used, or not yet */
    bool pays;               /* for segments that libjpeg-turbo reads as well */
    struct mr_packed_coder coder;
    struct mr_jpeg *turbo; /* NULL until it is needed */
    struct mr_buf stitched;
};

static void packed_close(void *decoder)
{
    struct decoder *d = decoder;
    mr__baseline_free(d->own);
    mr__packed_coder_free(&d->coder);
    if (d->turbo)
        mr__codec_jpeg.close(d->turbo);
    mr__buf_free(&d->stitched);
    free(d->sink.strip);
    free(d);
}

static int packed_open(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mr__fail(e, MR_E_MEMORY, "no memory for a decoder of packed JPEGs");
    d->limits = *limits;
    int rc = limits->engine == MR_DECODE_LIBJPEG ? MR_OK : mr__baseline_new(&d->own, e);
    d->pays = d->own != NULL;
    if (rc < 0)
        packed_close(d);
    else
        *decoder = d;
    return rc;
}

/* ---- the header ------------------------------------------------------------------------------ */

static int read_header(struct decoder *d, struct mr_image_info *info, struct mr_errbuf *e)
{
    d->ready = false;
    int rc = mr__packed_read(&d->body, &d->file, &d->limits, e);
    if (rc < 0)
        return rc;
    const struct mr_packed_body *b = &d->body;
    bool swap = mr__orient_turn(b->orientation).swap;
    d->info = (struct mr_image_info){.w = swap ? b->h : b->w,
                                     .h = swap ? b->w : b->h,
                                     .bits = 8,
                                     .c = b->components,
                                     .orientation = b->orientation};
    d->shown = (struct mr_shrunk){.scale = 1, .w = d->info.w, .h = d->info.h};
    d->ready = true;
    *info = d->info;
    return MR_OK;
}

static int packed_header(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                         struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    d->memory = (struct mr_packed_memory){data, n};
    d->file = mr__packed_in_memory(&d->memory);
    return read_header(d, info, e);
}

static int packed_header_ranges(void *decoder, const struct mr_ranges *file,
                                struct mr_image_info *info, struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    d->file = *file;
    return read_header(d, info, e);
}

static int no_header(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE, "a packed JPEG's header must be read before each decode");
}

static int packed_shrink(void *decoder, int32_t scale, struct mr_shrunk *shrunk,
                         struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__jpegshrink(&d->info, scale, &d->shown, e);
    if (rc == MR_OK)
        *shrunk = d->shown;
    return rc;
}

/* ---- by our own decoder ---------------------------------------------------------------------- */

static int own_decode(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    struct mr_plain_jpeg plain = mr__packed_plain(&d->body);
    struct mr_pixels from = mr__baselinesink_pixels(plain.components, d->sink.c);
    struct mr_packed_part part;
    int c = mr__pixels_channels(from.kind);
    int rc = d->own ? MR_OK : mr__baseline_new_anyhow(&d->own, e);
    if (rc == MR_OK)
        rc = mr__packed_coder_begin(&d->coder, &d->body, e);
    if (rc < 0)
        return rc;
    if (!mr__baseline_begin_fed(d->own, &plain, roi, c, &d->coder.feed))
        return mr__fail(e, MR_E_MEMORY, "no memory for the crop of a packed JPEG");
    struct mr_rect mcus = mr__baseline_needs(d->own);
    rc = mr__packed_part(&part, &d->body, &d->file, &mcus, e);
    if (rc < 0)
        return rc;
    mr__packed_coder_part(&d->coder, &part, e);
    rc = mr__baselinesink_fill(d->own, &d->sink, &from, roi->w, roi->h, e);
    int code = mr__packed_coder_code(&d->coder);
    mr__packed_coder_part(&d->coder, NULL, NULL);
    if (rc == MR_BASELINESINK_PASS && code < 0)
        return code;
    if (rc == MR_BASELINESINK_PASS)
        return mr__fail(e, MR_E_DATA, "a damaged packed JPEG: coefficients that no picture has");
    mr__baseline_cost(d->own, NULL, &d->cost);
    d->cost.bytes = part.bytes;
    return rc;
}

/* ---- by libjpeg-turbo ------------------------------------------------------------------------ */

/* The size has been held against the limits before; the part may be wider by what pads it. */
static int need_turbo(struct decoder *d, struct mr_errbuf *e)
{
    struct mr_limits limits = d->limits;
    limits.engine = MR_DECODE_LIBJPEG;
    limits.max_pixels = limits.max_side = 0;
    void *turbo;
    if (d->turbo)
        return MR_OK;
    int rc = mr__codec_jpeg.open(&turbo, &limits, e);
    if (rc == MR_OK)
        d->turbo = turbo;
    return rc;
}

static int turbo_decode(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    struct mr_packed_stitched at;
    uint64_t bytes;
    int rc = need_turbo(d, e);
    if (rc == MR_OK)
        rc = mr__packed_stitch(&d->body, &d->file, roi, d->shown.scale, &d->stitched, &at, &bytes,
                               e);
    if (rc == MR_OK)
        rc = mr__jpegheader_read(d->turbo, d->stitched.data, d->stitched.n, e);
    if (rc < 0)
        return rc;
    struct mr_jpeg *t = d->turbo;
    t->right = at.right;
    t->shown.scale = d->shown.scale;
    t->err.e = e;
    t->sink = d->sink; /* with its memory, which stays ours */
    rc = mr__jpegturbo.decode(t, &at.roi);
    d->sink = t->sink;
    t->sink.strip = NULL;
    t->sink.strip_bytes = 0;
    d->cost = t->cost;
    d->cost.bytes = bytes;
    mr__jpegheader_reset(t);
    return rc;
}

/* ---- the codec ------------------------------------------------------------------------------- */

static int run(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    bool streams = d->body.coding == MR_PACKED_STREAMS;
    bool own =
        d->shown.scale == 1 && (d->pays || (streams && d->limits.engine != MR_DECODE_LIBJPEG));
    d->ready = false;
    int rc = own ? own_decode(d, roi, e) : turbo_decode(d, roi, e);
    d->cost.engine = own ? MR_ENGINE_BASELINE : MR_ENGINE_LIBJPEG;
    return rc;
}

static int packed_decode(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                         struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->ready)
        return no_header(e);
    struct mr_rect stored;
    int rc = mr__jpegtarget_view(&d->sink, &d->info, &d->shown, roi, dst, &stored, e);
    return rc < 0 ? rc : run(d, &stored, e);
}

static int packed_rows(void *decoder, const struct mr_rect *roi, int32_t c, int32_t bits,
                       const struct mr_row_taker *to, struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__jpegtarget_taker(&d->sink, &d->info, &d->shown, roi, c, bits, to, e);
    return rc < 0 ? rc : run(d, roi, e);
}

static void packed_cost(const void *decoder, struct mr_decode_cost *cost)
{
    *cost = ((const struct decoder *)decoder)->cost;
}

static const char *const extensions[] = {"mrj", NULL};

const struct mr_codec mr__codec_packed = {
    .d = {.name = "packed",
          .help = "a JPEG cut into segments, of which a crop decodes only what it touches"},
    .extensions = extensions,
    .probe = mr__packed_probe,
    .open = packed_open,
    .close = packed_close,
    .header = packed_header,
    .header_ranges = packed_header_ranges,
    .shrink = packed_shrink,
    .decode = packed_decode,
    .rows = packed_rows,
    .cost = packed_cost,
};
