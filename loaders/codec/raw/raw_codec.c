/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_codec.c: the codec of raw pixels: there is nothing to decode, or bands to inflate; rows and
 * bands that the crop does not touch are not looked at.
 */
#include "base/descriptor.h"
#include "loaders/codec/limits.h"
#include "loaders/codec/raw/raw_body.h"
#include "loaders/codec/rowsink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

struct decoder {
    struct mr_limits limits;
    struct mr_raw_shape shape;
    bool ready;            /* header was called, decode may be */
    struct mr_ranges file; /* get NULL: `data` are its bytes */
    const uint8_t *data;
    struct mr_raw_bands *bands; /* made when the first compressed body comes */
    struct mr_buf row;          /* pixels that lie where numbers of 16 bits cannot be read */
    struct mr_rowsink sink;
    struct mr_decode_cost cost;
};

/* ---- life and header ---- */

static int codec_open(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mr__fail(e, MR_E_MEMORY, "no memory for a decoder of raw pixels");
    d->limits = *limits;
    *decoder = d;
    return MR_OK;
}

static void codec_close(void *decoder)
{
    struct decoder *d = decoder;
    mr__raw_bands_free(d->bands);
    mr__buf_free(&d->row);
    free(d->sink.strip);
    free(d);
}

static uint64_t band_bytes(const struct mr_raw_shape *s)
{
    return s->zstd ? s->row_bytes * s->band : 0;
}

/* The head's bytes are there. */
static int read_head(struct decoder *d, const uint8_t *head, size_t n, struct mr_image_info *info,
                     struct mr_errbuf *e)
{
    struct mr_raw_shape *s = &d->shape;
    int rc = mr__raw_parse(head, n, d->file.n, s, e);
    if (rc == MR_OK)
        rc = mr__limits_size(&d->limits, (uint64_t)s->w, (uint64_t)s->h, e);
    if (rc == MR_OK)
        rc = mr__limits_memory(&d->limits, band_bytes(s), e);
    if (rc < 0)
        return rc;
    d->ready = true;
    *info =
        (struct mr_image_info){.w = s->w, .h = s->h, .c = s->c, .bits = s->bits, .orientation = 1};
    return MR_OK;
}

static int codec_header(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                        struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    d->ready = false;
    d->file = (struct mr_ranges){.n = n};
    d->data = data;
    return read_head(d, data, n, info, e);
}

static int codec_header_ranges(void *decoder, const struct mr_ranges *file,
                               struct mr_image_info *info, struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    const uint8_t *head = NULL;
    uint64_t n = file->n < MR_RAW_HEAD ? file->n : MR_RAW_HEAD;
    d->ready = false;
    d->file = *file;
    int rc = file->get(file->ctx, 0, n, &head, e);
    return rc < 0 ? rc : read_head(d, head, n, info, e);
}

/* ---- decode ---- */

/* Bytes [at, at + bytes) of the body, which lie inside it or are refused. */
static int fetch(struct decoder *d, uint64_t at, uint64_t bytes, const uint8_t **p,
                 struct mr_errbuf *e)
{
    uint64_t n = d->file.n;
    if (at > n || bytes > n - at)
        return mr__fail(e, MR_E_DATA,
                        "the raw pixels have %" PRIu64 " bytes; %" PRIu64 " at %" PRIu64
                        " are wanted",
                        n, bytes, at);
    d->cost.bytes += bytes;
    if (d->file.get)
        return bytes ? d->file.get(d->file.ctx, at, bytes, p, e) : MR_OK;
    *p = d->data + at;
    return MR_OK;
}

static void swap_bytes(uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        uint8_t low = p[i];
        p[i] = p[i + 1];
        p[i + 1] = low;
    }
}

/* Rows of the crop, `stride` bytes apart: numbers of 16 bits are little endian here, and may lie
 * anywhere. */
static int put_rows(struct decoder *d, const struct mr_rect *roi, const uint8_t *p, int32_t n,
                    struct mr_errbuf *e)
{
    const struct mr_raw_shape *s = &d->shape;
    bool swapped = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    size_t bytes = (size_t)roi->w * (size_t)s->c * (size_t)(s->bits / 8);
    if (s->bits == 8 || (!swapped && !((uintptr_t)p % 2))) {
        mr__rowsink_put(&d->sink, p, (int64_t)s->row_bytes, n);
        return MR_OK;
    }
    d->row.n = 0;
    if (!mr__buf_reserve(&d->row, bytes))
        return mr__fail(e, MR_E_MEMORY, "no memory for a row of %zu bytes", bytes);
    for (int32_t i = 0; i < n; i++) {
        memcpy(d->row.data, p + s->row_bytes * (uint64_t)i, bytes);
        if (swapped)
            swap_bytes(d->row.data, bytes);
        mr__rowsink_put(&d->sink, d->row.data, 0, 1);
    }
    return MR_OK;
}

static uint64_t left_of(const struct mr_raw_shape *s, const struct mr_rect *roi)
{
    return (uint64_t)roi->x * (uint64_t)s->c * (uint64_t)(s->bits / 8);
}

/* Rows of a crop that is much narrower than the image are read one by one. */
static int read_narrow(struct decoder *d, const struct mr_rect *roi, uint64_t at, uint64_t bytes,
                       struct mr_errbuf *e)
{
    const uint8_t *first = NULL, *p = NULL;
    int rc = MR_OK;
    for (int32_t y = 0; y < roi->h && rc == MR_OK; y++, at += d->shape.row_bytes) {
        rc = fetch(d, at, bytes, &p, e);
        first = y ? first : p; /* the others lie at their distance from it */
    }
    return rc < 0 ? rc : put_rows(d, roi, first, roi->h, e);
}

static int read_plain(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    enum { NARROW = 3, PAGE = 4096 };
    const struct mr_raw_shape *s = &d->shape;
    const uint8_t *p = NULL;
    uint64_t pixel = (uint64_t)s->c * (uint64_t)(s->bits / 8), bytes = (uint64_t)roi->w * pixel;
    uint64_t at = s->start + s->row_bytes * (uint64_t)roi->y + left_of(s, roi);
    if (s->row_bytes > PAGE && bytes < s->row_bytes / NARROW)
        return read_narrow(d, roi, at, bytes, e);
    int rc = fetch(d, at, s->row_bytes * (uint64_t)(roi->h - 1) + bytes, &p, e);
    return rc < 0 ? rc : put_rows(d, roi, p, roi->h, e);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

/* Where band k lies: from the end of the one before to its own. */
static int find_band(struct decoder *d, uint32_t k, uint64_t *at, uint64_t *bytes,
                     struct mr_errbuf *e)
{
    const uint8_t *p = NULL;
    uint64_t from = 0, to, room = d->file.n - d->shape.start;
    int rc = fetch(d, MR_RAW_HEAD + 8 * (uint64_t)(k ? k - 1 : 0), k ? 16 : 8, &p, e);
    if (rc < 0)
        return rc;
    if (k)
        from = get64(p);
    to = get64(p + (k ? 8 : 0));
    if (from > to || to > room)
        return mr__fail(e, MR_E_DATA,
                        "band %u of the raw pixels lies from byte %" PRIu64 " to %" PRIu64
                        " of %" PRIu64,
                        k, from, to, room);
    *at = d->shape.start + from;
    *bytes = to - from;
    return MR_OK;
}

/* The rows of band k that the crop has. */
static int read_band(struct decoder *d, uint32_t k, const struct mr_rect *roi, struct mr_errbuf *e)
{
    const struct mr_raw_shape *s = &d->shape;
    const uint8_t *p = NULL, *pixels = NULL;
    uint64_t at = 0, bytes = 0;
    int64_t first = (int64_t)k * s->band, end = first + s->band, last = (int64_t)roi->y + roi->h;
    end = end < s->h ? end : s->h;
    int rc = find_band(d, k, &at, &bytes, e);
    if (rc == MR_OK)
        rc = fetch(d, at, bytes, &p, e);
    if (rc == MR_OK)
        rc = mr__raw_bands_inflate(d->bands, p, bytes, s->row_bytes * (uint64_t)(end - first),
                                   &pixels, e);
    if (rc < 0)
        return rc;
    int64_t from = first > roi->y ? first : roi->y, to = end < last ? end : last;
    d->cost.pixels_read += (uint64_t)(end - first) * (uint64_t)s->w;
    return put_rows(d, roi, pixels + s->row_bytes * (uint64_t)(from - first) + left_of(s, roi),
                    (int32_t)(to - from), e);
}

static int read_bands(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    uint32_t band = d->shape.band, first = (uint32_t)roi->y / band;
    uint32_t last = (uint32_t)(roi->y + roi->h - 1) / band;
    if (!d->bands)
        d->bands = mr__raw_bands_new();
    if (!d->bands)
        return mr__fail(e, MR_E_MEMORY, "no memory for zstd's decoder");
    int rc = MR_OK;
    for (uint32_t k = first; k <= last && rc == MR_OK; k++)
        rc = read_band(d, k, roi, e);
    return rc;
}

/* The target is named already. */
static int read_roi(struct decoder *d, const struct mr_rect *roi, struct mr_errbuf *e)
{
    const struct mr_raw_shape *s = &d->shape;
    const struct mr_pixels from = {(enum mr_pixel_kind)s->c, s->bits};
    d->cost = (struct mr_decode_cost){.engine = MR_ENGINE_RAW};
    int rc = mr__rowsink_begin(&d->sink, &from, roi->w, roi->h, e);
    if (rc == MR_OK)
        rc = (s->zstd ? read_bands : read_plain)(d, roi, e);
    uint64_t pixels = (uint64_t)roi->w * (uint64_t)roi->h;
    d->cost.pixels_made = pixels;
    if (!s->zstd)
        d->cost.pixels_read = pixels;
    d->ready = false;
    return rc;
}

static int no_header(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE, "the head of raw pixels must be read before each decode");
}

static int codec_decode(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                        struct mr_errbuf *e)
{
    struct decoder *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__limits_request(d->shape.w, d->shape.h, roi, dst, e);
    mr__rowsink_to_view(&d->sink, dst, 1);
    return rc < 0 ? rc : read_roi(d, roi, e);
}

static int codec_rows(void *decoder, const struct mr_rect *roi, int32_t c, int32_t bits,
                      const struct mr_row_taker *to, struct mr_errbuf *e)
{
    static const struct mr_image_info upright = {.orientation = 1};
    struct decoder *d = decoder;
    if (!d->ready)
        return no_header(e);
    int rc = mr__limits_rows(&upright, d->shape.w, d->shape.h, roi, c, bits, e);
    mr__rowsink_to_taker(&d->sink, to, c, bits);
    return rc < 0 ? rc : read_roi(d, roi, e);
}

static void codec_cost(const void *decoder, struct mr_decode_cost *cost)
{
    *cost = ((const struct decoder *)decoder)->cost;
}

static const char *codec_version(void)
{
    return "zstd " ZSTD_VERSION_STRING " (when this was built)";
}

static const char *const extensions[] = {NULL};

const struct mr_codec mr__codec_raw = {
    .d = {.name = "raw", .help = "decoded pixels in packed data sets, plain or in zstd's bands"},
    .version = codec_version,
    .extensions = extensions,
    .probe = mr__raw_probe,
    .open = codec_open,
    .close = codec_close,
    .header = codec_header,
    .header_ranges = codec_header_ranges,
    .decode = codec_decode,
    .rows = codec_rows,
    .cost = codec_cost,
};
