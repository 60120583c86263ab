/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_part.c: of a body's index and of its segments what a crop needs.
 */
#include "loaders/codec/packed/packed_types.h"

#define PIECE 8192 /* bytes */

static int damaged(struct mr_errbuf *e, int32_t row)
{
    return mr__fail(e, MR_E_DATA, "a damaged packed JPEG: the places of the segments of row %d",
                    row);
}

static uint64_t length_of(const struct mr_packed_part *p, int32_t row, int32_t from, int32_t to)
{
    const uint8_t *at = p->lengths + 2 * ((int64_t)(row - p->top) * p->body->segments + from);
    uint64_t sum = 0;
    for (int32_t s = from; s < to; s++, at += 2)
        sum += mr__packed_u16(at);
    return sum;
}

/* Where in the file the part's segments of a row lie: [*at, *at + *bytes). */
static int place_row(const struct mr_packed_part *p, int32_t row, uint64_t *at, uint64_t *bytes,
                     struct mr_errbuf *e)
{
    uint64_t begin = mr__packed_u32(p->rows + 4 * (int64_t)(row - p->top));
    *at = p->body->data_at + begin + length_of(p, row, 0, p->left);
    *bytes = length_of(p, row, p->left, p->right);
    return *at + *bytes <= p->body->markers_at && *bytes > 0 ? MR_OK : damaged(e, row);
}

/* Rows whose parts are most of what lies between them are read in one. A part that is asked for by
 * itself costs as much as PIECE more: it is read with what lies around it, and there is a call. */
static int read_together(struct mr_packed_part *p, struct mr_errbuf *e)
{
    uint64_t low = UINT64_MAX, high = 0, sum = 0, at, bytes;
    for (int32_t row = p->top; row < p->bottom; row++) {
        int rc = place_row(p, row, &at, &bytes, e);
        if (rc < 0)
            return rc;
        low = at < low ? at : low;
        high = at + bytes > high ? at + bytes : high;
        sum += bytes + PIECE;
    }
    if (sum < (high - low) / 2)
        return MR_OK;
    p->data_at = low;
    p->data_n = high - low;
    p->bytes += high - low;
    return p->file->get(p->file->ctx, low, high - low, &p->data, e);
}

int mr__packed_part(struct mr_packed_part *part, const struct mr_packed_body *body,
                    const struct mr_ranges *file, const struct mr_rect *mcus, struct mr_errbuf *e)
{
    uint64_t top = (uint64_t)mcus->y, rows = (uint64_t)mcus->h, across = (uint64_t)body->segments;
    *part = (struct mr_packed_part){.body = body,
                                    .file = file,
                                    .top = mcus->y,
                                    .bottom = mcus->y + mcus->h,
                                    .left = mcus->x / body->wide,
                                    .right = (mcus->x + mcus->w - 1) / body->wide + 1};
    uint64_t lengths_at = body->lengths_at + 2 * top * across, lengths = 2 * rows * across;
    part->bytes = body->rows_at + 4 * rows + lengths;
    int rc = file->get(file->ctx, body->rows_at + 4 * top, 4 * rows, &part->rows, e);
    if (rc == MR_OK)
        rc = file->get(file->ctx, lengths_at, lengths, &part->lengths, e);
    return rc == MR_OK ? read_together(part, e) : rc;
}

int mr__packed_part_row(struct mr_packed_part *part, int32_t row, struct mr_packed_row *out,
                        struct mr_errbuf *e)
{
    uint64_t at, bytes;
    int rc = place_row(part, row, &at, &bytes, e);
    if (rc < 0)
        return rc;
    out->lengths =
        part->lengths + 2 * ((int64_t)(row - part->top) * part->body->segments + part->left);
    if (part->data) {
        out->data = part->data + (at - part->data_at);
        out->end = part->data + part->data_n;
        return MR_OK;
    }
    part->bytes += bytes;
    rc = part->file->get(part->file->ctx, at, bytes, &out->data, e);
    out->end = rc == MR_OK ? out->data + bytes : NULL;
    return rc;
}
