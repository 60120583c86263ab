/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_streams.h"

#include <stdlib.h>
#include <string.h>

int mr__packed_streams_new(struct mr_packed_streams **out, struct mr_errbuf *e)
{
    struct mr_cpu cpu;
    int rc = mr__cpu_choose(&cpu, e);
    *out = NULL;
    if (rc < 0)
        return rc;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return mr__fail(e, MR_E_MEMORY, "no memory for a decoder of packed JPEGs");
    (*out)->decode = mr__coef_version_for(&cpu)->decode;
    return MR_OK;
}

int32_t mr__packed_streams_most(const struct mr_packed_body *b)
{
    int32_t blocks = 0;
    for (int i = 0; i < b->components; i++)
        blocks += b->component[i].h * b->component[i].v;
    return MR_COEF_BLOCKS / blocks;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A component's blocks of a segment that begins `at` MCUs right of the first one that is needed.
 * All of a tile is made where the segment has it. */
static void add_runs(struct mr_coef_segment *s, const struct mr_feed_plane *p, int32_t at,
                     int32_t mcus)
{
    int32_t first = at * p->h, n = mcus * p->h;
    int32_t from = least(most(4 * p->from - first, 0), n);
    int32_t to = most(least(4 * p->to - first, n), from);
    for (int32_t y = 0; y < p->v; y++) {
        s->run[s->nruns++] = (struct mr_coef_run){.row = p->slot + (ptrdiff_t)p->slots * y,
                                                  .first = first,
                                                  .n = (uint32_t)n,
                                                  .from = (uint32_t)from,
                                                  .to = (uint32_t)to,
                                                  .begins = y == 0};
    }
}

/* A reader may look beyond a segment's end, and changes nothing for what it finds there. */
static const uint8_t *with_bytes_behind(struct mr_packed_streams *s, const uint8_t *data,
                                        uint32_t n, const uint8_t *end)
{
    if (end - data >= (ptrdiff_t)n + MR_COEF_BEHIND)
        return data;
    memcpy(s->last, data, n);
    memset(s->last + n, 0, MR_COEF_BEHIND);
    return s->last;
}

bool mr__packed_streams_row(void *ctx, const struct mr_feed_row *to)
{
    struct mr_packed_streams *s = ctx;
    const struct mr_packed_body *b = s->part->body;
    struct mr_coef_segment *segment = &s->segment;
    struct mr_packed_row row;
    s->code = mr__packed_part_row(s->part, to->row, &row, s->e);
    if (s->code < 0)
        return false;
    const uint8_t *data = row.data;
    for (int32_t k = s->part->left; k < s->part->right; k++, row.lengths += 2) {
        uint32_t n = mr__packed_u16(row.lengths);
        segment->nruns = 0;
        for (int i = 0; i < to->planes; i++)
            add_runs(segment, &to->plane[i], k * b->wide - to->first, mr__packed_mcus(b, k));
        segment->data = with_bytes_behind(s, data, n, row.end);
        segment->bytes = n;
        if (!s->decode(segment)) {
            s->code = mr__fail(s->e, MR_E_DATA, "a damaged packed JPEG: segment %d of row %d", k,
                               to->row);
            return false;
        }
        data += n;
    }
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

int mr__packed_streams_write(const struct mr_packed_blocks *blocks, struct mr_buf *out,
                             struct mr_errbuf *e)
{
    struct mr_coef_segment s = {.nruns = 0};
    int16_t zigzag[MR_COEF_BLOCKS][64];
    uint32_t n = 0;
    for (int i = 0; i < blocks->planes; i++) {
        const struct mr_packed_plane *p = &blocks->plane[i];
        uint32_t across = (uint32_t)(p->h * blocks->mcus);
        for (int32_t y = 0; y < p->v; y++) {
            s.run[s.nruns++] = (struct mr_coef_run){.n = across, .begins = y == 0};
            memcpy(zigzag[n], p->block[(ptrdiff_t)y * p->stride], across * sizeof *zigzag);
            n += across;
        }
    }
    if (!mr__buf_reserve(out, (size_t)n * MR_COEF_LONGEST))
        return mr__fail(e, MR_E_MEMORY, "no memory for a packed JPEG");
    out->n += mr__coef_encode(&s, (const int16_t(*)[64])zigzag, out->data + out->n);
    return MR_OK;
}
