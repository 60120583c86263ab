/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/raw/raw_body.h"

#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

struct mr_raw_bands {
    ZSTD_DCtx *zstd;
    struct mr_buf pixels;
};

struct mr_raw_bands *mr__raw_bands_new(void)
{
    struct mr_raw_bands *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->zstd = ZSTD_createDCtx();
    if (b->zstd)
        return b;
    free(b);
    return NULL;
}

void mr__raw_bands_free(struct mr_raw_bands *b)
{
    if (!b)
        return;
    ZSTD_freeDCtx(b->zstd);
    mr__buf_free(&b->pixels);
    free(b);
}

static bool is_out_of_memory(size_t rc)
{
    return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation;
}

int mr__raw_bands_inflate(struct mr_raw_bands *b, const uint8_t *data, size_t n, size_t bytes,
                          const uint8_t **pixels, struct mr_errbuf *e)
{
    enum { SLACK = 64 }; /* a reader may look some bytes beyond the last */
    b->pixels.n = 0;
    if (!mr__buf_reserve(&b->pixels, bytes + SLACK))
        return mr__fail(e, MR_E_MEMORY, "no memory for a band of %zu bytes of pixels", bytes);
    size_t got = ZSTD_decompressDCtx(b->zstd, b->pixels.data, bytes, data, n);
    *pixels = b->pixels.data;
    if (got == bytes)
        return MR_OK;
    if (!ZSTD_isError(got))
        return mr__fail(e, MR_E_DATA, "a band of the raw pixels has %zu bytes, not %zu", got,
                        bytes);
    return mr__fail(e, is_out_of_memory(got) ? MR_E_MEMORY : MR_E_DATA,
                    "a band of the raw pixels does not inflate (zstd: %s)", ZSTD_getErrorName(got));
}

int mr__raw_bands_deflate(const uint8_t *data, size_t n, int level, struct mr_buf *to,
                          struct mr_errbuf *e)
{
    size_t most = ZSTD_compressBound(n);
    if (!mr__buf_reserve(to, most))
        return mr__fail(e, MR_E_MEMORY, "no memory to compress %zu bytes of pixels", n);
    size_t got = ZSTD_compress(to->data + to->n, most, data, n, level);
    if (ZSTD_isError(got))
        return mr__fail(e, MR_E_MEMORY, "%zu bytes of pixels cannot be compressed (zstd: %s)", n,
                        ZSTD_getErrorName(got));
    to->n += got;
    return MR_OK;
}
