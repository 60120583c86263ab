/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/raw/raw_body.h"

#include <inttypes.h>
#include <string.h>

enum { VERSION = 1, PLAIN = 0, ZSTD = 1 };
enum { AT_VERSION = 4, AT_CHANNELS, AT_BITS, AT_CODING, AT_WIDTH, AT_HEIGHT = 12, AT_BAND = 16 };
enum { BAND_BYTES = 65536 }; /* what a band holds at least of pixels, but the last */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void put64(uint8_t *p, uint64_t v)
{
    put32(p, (uint32_t)v);
    put32(p + 4, (uint32_t)(v >> 32));
}

bool mr__raw_probe(const uint8_t *data, size_t n)
{
    return n >= 4 && !memcmp(data, "MRP1", 4);
}

/* ---- reading ---- */

static int check_format(const uint8_t *p, struct mr_errbuf *e)
{
    if (p[AT_VERSION] != VERSION)
        return mr__fail(e, MR_E_VERSION,
                        "the raw pixels are of version %u, and this Millrace reads version %d: "
                        "read them with the one that has packed them, or a later one",
                        p[AT_VERSION], VERSION);
    bool channels = p[AT_CHANNELS] == 1 || p[AT_CHANNELS] == 3 || p[AT_CHANNELS] == 4;
    if (channels && (p[AT_BITS] == 8 || p[AT_BITS] == 16) && p[AT_CODING] <= ZSTD)
        return MR_OK;
    return mr__fail(e, MR_E_DATA,
                    "the head of the raw pixels is damaged: %u channels of %u bits, coding %u",
                    p[AT_CHANNELS], p[AT_BITS], p[AT_CODING]);
}

/* No sum overflows: a row has at most 2^31 * 8 bytes, an image 2^31 rows. */
static int check_lengths(const struct mr_raw_shape *s, uint64_t whole, struct mr_errbuf *e)
{
    uint64_t pixels = s->row_bytes * (uint64_t)s->h;
    if (!s->zstd && whole != s->start + pixels)
        return mr__fail(e, MR_E_DATA,
                        "%" PRIu64 " bytes of raw pixels, but an image of %d x %d pixels has "
                        "%" PRIu64,
                        whole, s->w, s->h, s->start + pixels);
    if (s->zstd && (s->band < 1 || s->band > (uint32_t)s->h || whole < s->start))
        return mr__fail(e, MR_E_DATA,
                        "the head of the raw pixels is damaged: bands of %u of %d rows in "
                        "%" PRIu64 " bytes",
                        s->band, s->h, whole);
    return MR_OK;
}

int mr__raw_parse(const uint8_t *p, size_t n, uint64_t whole, struct mr_raw_shape *shape,
                  struct mr_errbuf *e)
{
    if (n < MR_RAW_HEAD || whole < MR_RAW_HEAD)
        return mr__fail(e, MR_E_DATA, "the raw pixels end inside their head");
    int rc = check_format(p, e);
    if (rc < 0)
        return rc;
    uint32_t w = get32(p + AT_WIDTH), h = get32(p + AT_HEIGHT);
    if (w < 1 || h < 1 || w > INT32_MAX || h > INT32_MAX)
        return mr__fail(e, MR_E_DATA, "the raw pixels declare an image of %u x %u", w, h);
    *shape = (struct mr_raw_shape){.w = (int32_t)w,
                                   .h = (int32_t)h,
                                   .c = p[AT_CHANNELS],
                                   .bits = p[AT_BITS],
                                   .zstd = p[AT_CODING] == ZSTD,
                                   .start = MR_RAW_START};
    shape->row_bytes = (uint64_t)w * p[AT_CHANNELS] * (p[AT_BITS] / 8u);
    if (shape->zstd) {
        shape->band = get32(p + AT_BAND);
        shape->bands = shape->band ? h / shape->band + (h % shape->band != 0) : 0;
        shape->start = MR_RAW_HEAD + 8 * (uint64_t)shape->bands;
    }
    return check_lengths(shape, whole, e);
}

/* ---- writing ---- */

/* Rows `y` and so on as the body has them: one behind the other, 16 bits little endian. */
static bool append_rows(const struct mr_view *image, int32_t y, int32_t rows, size_t row_bytes,
                        struct mr_buf *to)
{
    if (!mr__buf_reserve(to, row_bytes * (size_t)rows))
        return false;
    for (int32_t i = 0; i < rows; i++) {
        uint8_t *row = to->data + to->n;
        mr__buf_append(to, (const uint8_t *)image->data + image->stride * (y + i), row_bytes);
        if (image->bits == 16 && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
            for (size_t k = 0; k + 1 < row_bytes; k += 2) {
                uint8_t high = row[k];
                row[k] = row[k + 1];
                row[k + 1] = high;
            }
        }
    }
    return true;
}

static int no_memory(const struct mr_view *image, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory for the pixels of an image of %d x %d",
                    image->w, image->h);
}

static bool append_head(const struct mr_view *image, uint32_t band, uint64_t start,
                        struct mr_buf *body)
{
    body->n = 0;
    if (!mr__buf_reserve(body, start))
        return false;
    memset(body->data, 0, start);
    memcpy(body->data, "MRP1", 4);
    body->data[AT_VERSION] = VERSION;
    body->data[AT_CHANNELS] = (uint8_t)image->c;
    body->data[AT_BITS] = (uint8_t)image->bits;
    body->data[AT_CODING] = band ? ZSTD : PLAIN;
    put32(body->data + AT_WIDTH, (uint32_t)image->w);
    put32(body->data + AT_HEIGHT, (uint32_t)image->h);
    put32(body->data + AT_BAND, band);
    body->n = start;
    return true;
}

static int append_bands(const struct mr_view *image, int32_t band, size_t row_bytes, int level,
                        struct mr_buf *body, struct mr_errbuf *e)
{
    struct mr_buf rows = {0};
    uint64_t start = body->n;
    int rc = MR_OK;
    for (int32_t y = 0, k = 0; y < image->h && rc == MR_OK; y += band, k++) {
        int32_t n = image->h - y < band ? image->h - y : band;
        rows.n = 0;
        if (!append_rows(image, y, n, row_bytes, &rows))
            rc = no_memory(image, e);
        else
            rc = mr__raw_bands_deflate(rows.data, rows.n, level, body, e);
        put64(body->data + MR_RAW_HEAD + 8 * k, body->n - start);
    }
    mr__buf_free(&rows);
    return rc;
}

int mr__raw_make(const struct mr_view *image, int level, struct mr_buf *body, struct mr_errbuf *e)
{
    size_t row_bytes = (size_t)image->w * (size_t)image->c * (size_t)(image->bits / 8);
    if (!level) {
        bool made = append_head(image, 0, MR_RAW_START, body) &&
                    append_rows(image, 0, image->h, row_bytes, body);
        return made ? MR_OK : no_memory(image, e);
    }
    size_t rows = (BAND_BYTES + row_bytes - 1) / row_bytes;
    int32_t band = rows < (size_t)image->h ? (int32_t)rows : image->h;
    uint64_t bands = (uint64_t)image->h / (uint64_t)band + (image->h % band != 0);
    if (!append_head(image, (uint32_t)band, MR_RAW_HEAD + 8 * bands, body))
        return no_memory(image, e);
    return append_bands(image, band, row_bytes, level, body, e);
}
