/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_codec.h"

#include <zstd.h>

extern const struct mr_codec mr__codec_raw;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t number(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    while (bytes-- > 0)
        v = v << 8 | p[bytes];
    return v;
}

/* The rows, whole, as docs/raw_body.md says it; NULL: they are not there. */
static uint8_t *read_rows(const uint8_t *data, size_t n, size_t row, size_t h)
{
    uint8_t *rows = malloc(row * h + 1);
    size_t band = number(data + 16, 4), at = 0;
    if (!data[7])
        memcpy(rows, data + 64, row * h);
    for (size_t y = 0, k = 0; data[7] && y < h; y += band, k++) {
        size_t start = 32 + 8 * ((h + band - 1) / band), end = number(data + 32 + 8 * k, 8);
        size_t bytes = (h - y < band ? h - y : band) * row;
        if (end < at || end > n - start ||
            ZSTD_decompress(rows + y * row, bytes, data + start + at, end - at) != bytes) {
            free(rows);
            return NULL;
        }
        at = end;
    }
    return rows;
}

/* The judge: as for other formats, but here it is ours. */
void plain_decode(const uint8_t *data, size_t n, long max_pixels, struct plain *out)
{
    size_t c = data[5], bytes = data[6] / 8u, w = number(data + 8, 4), h = number(data + 12, 4);
    uint8_t *rows = read_rows(data, n, w * c * bytes, h);
    (void)max_pixels;
    *out = (struct plain){.verdict = rows ? PLAIN_GOOD : PLAIN_ERROR, .w = (int)w, .h = (int)h,
                          .text = "a band cannot be read"};
    if (!rows)
        return;
    out->rgb = malloc(w * h * 3);
    for (size_t i = 0; i < w * h; i++)
        for (size_t k = 0; k < 3; k++)
            out->rgb[3 * i + k] = rows[(i * c + (c == 1 ? 0 : k)) * bytes + bytes - 1];
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_codec(&mr__codec_raw, data, n);
}
