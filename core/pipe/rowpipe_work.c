/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/find.h"
#include "pipe/rowpipe_types.h"

#include <stdlib.h>

enum { ALIGN = 64, SMALL = 256 << 20 };

int mr__scratch_grow(struct mr_scratch *s, size_t bytes, struct mr_errbuf *e)
{
    if (bytes + ALIGN <= s->cap && s->data)
        return MR_OK;
    size_t want =
        bytes + bytes / 4; /* photographs differ little in size: a few steps reach the top */
    want = (want + 2 * ALIGN - 1) / ALIGN * ALIGN;
    free(s->data);
    s->cap = 0;
    s->data = aligned_alloc(ALIGN, want);
    if (!s->data)
        return mr__fail(e, MR_E_MEMORY, "no memory for %zu bytes of decoded pixels", want);
    s->cap = want;
    return MR_OK;
}

int mr__scratch_view(struct mr_scratch *s, struct mr_view *v, int32_t w, int32_t h, int32_t c,
                     int32_t bits, struct mr_errbuf *e)
{
    size_t row = (size_t)w * (size_t)c * (size_t)(bits / 8), bytes;
    row = (row + ALIGN - 1) / ALIGN * ALIGN;
    if (__builtin_mul_overflow(row, (size_t)h, &bytes) || bytes > SIZE_MAX / 4)
        return mr__fail(e, MR_E_MEMORY, "an image of %d x %d pixels does not fit in memory", w, h);
    int rc = mr__scratch_grow(s, bytes, e);
    if (rc != MR_OK)
        return rc;
    *v = (struct mr_view){s->data, w, h, c, bits, (int64_t)row};
    return MR_OK;
}

/* Two encoded files (image and mask, in buffers that grow by half), what the decoder may take, two
 * scratch images (which grow by a quarter, rows padded), the resampler's rows (at worst as many
 * values of 4 bytes as the image has), and what is small. */
uint64_t mr__rowpipe_memory(const struct mr_rowpipe *pipe)
{
    const struct mr_limits *l = &pipe->config->limits;
    uint64_t values = (uint64_t)l->max_pixels * (uint64_t)(pipe->last.c > 1 ? pipe->last.c : 1);
    uint64_t pixel_bytes = pipe->last.bits > 8 || pipe->mask_bits > 8 ? 2 : 1;
    return 3 * (uint64_t)l->max_file_bytes + (uint64_t)l->max_decode_bytes +
           values * pixel_bytes * 5 / 2 + values * 4 + SMALL;
}

static int count_codecs(void)
{
    int n = 0;
    while (mr_codecs[n])
        n++;
    return n;
}

int mr__row_decoder(struct mr_rowwork *work, const uint8_t *data, uint64_t n,
                    const struct mr_codec **codec, void **decoder, struct mr_errbuf *e)
{
    int rc = MR_OK, i = 0;
    *codec = mr__codec_find(data, n, e);
    if (!*codec)
        return MR_E_DATA;
    while (mr_codecs[i] != *codec)
        i++;
    if (!work->decoders[i])
        rc = (*codec)->open(&work->decoders[i], &work->pipe->config->limits, e);
    *decoder = work->decoders[i];
    return rc;
}

int mr__rowwork_open(struct mr_rowwork **out, const struct mr_rowpipe *pipe, struct mr_errbuf *e)
{
    struct mr_rowwork *work = calloc(1, sizeof *work);
    *out = work;
    if (work) {
        work->pipe = pipe;
        work->decoders = calloc((size_t)count_codecs() + 1, sizeof *work->decoders);
        work->draws = calloc(1, pipe->draw_bytes + 1);
    }
    int rc = MR_OK;
    if (!work || !work->decoders || !work->draws)
        rc = mr__fail(e, MR_E_MEMORY, "no memory for a decoding thread");
    if (rc == MR_OK)
        rc = mr__resampler_new(&work->resampler, e);
    if (rc != MR_OK) {
        mr__rowwork_close(work);
        *out = NULL;
    }
    return rc;
}

void mr__rowwork_close(struct mr_rowwork *work)
{
    if (!work)
        return;
    for (int i = 0; work->decoders && mr_codecs[i]; i++) {
        if (work->decoders[i])
            mr_codecs[i]->close(work->decoders[i]);
    }
    if (work->resampler)
        mr__resampler_free(work->resampler);
    free(work->images[0].data);
    free(work->images[1].data);
    free(work->boxes.data);
    free(work->decoders);
    free(work->draws);
    free(work);
}
