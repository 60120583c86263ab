/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_recode.h"

#include "loaders/codec/packed/packed_slots.h"
#include "loaders/codec/packed/packed_write.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1023, DC_MOST = 2047 }; /* what JPEG has codes for */

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "no memory for the segments of a packed JPEG");
}

/* False: it has what a JPEG has not. */
static bool take_block(const struct mr_slot *slot, int32_t number, int16_t to[64])
{
    int32_t most = 0;
    for (int k = 0; k < 64; k++) {
        int at = mr__packed_natural[k];
        to[k] = slot->tile.v[at / 8][number][at % 8];
        int32_t v = to[k] < 0 ? -to[k] : to[k];
        most = k && v > most ? v : most;
    }
    return most <= MOST && to[0] <= DC_MOST / 2 && to[0] >= -DC_MOST / 2 - 1;
}

/* Segment `s`, whose MCUs begin in the slots behind those of the part's segments before it. */
static int add_segment(struct mr_packed_recode *r, const struct mr_packed_part *part, int32_t s,
                       const struct mr_feed_row *row, struct mr_errbuf *e)
{
    const struct mr_packed_body *b = part->body;
    struct mr_packed_blocks blocks = {.mcus = mr__packed_mcus(b, s), .planes = row->planes};
    int16_t(*to)[64] = r->blocks;
    for (int i = 0; i < row->planes; i++) {
        const struct mr_feed_plane *p = &row->plane[i];
        int32_t across = blocks.mcus * p->h, first = (s - part->left) * b->wide * p->h;
        blocks.plane[i] = (struct mr_packed_plane){p->h, p->v, across, (const int16_t(*)[64])to};
        for (int32_t k = 0; k < across * p->v; k++, to++) {
            int32_t x = first + k % across, y = k / across;
            if (!take_block(&p->slot[y * p->slots + x / 4], x % 4, *to))
                return mr__fail(e, MR_E_DATA,
                                "a damaged packed JPEG: coefficients that no picture has");
        }
    }
    bool good = mr__packed_symbols_add(&r->symbols, &blocks, b->wide - blocks.mcus);
    return good ? MR_OK : no_memory(e);
}

static int add_row(struct mr_packed_recode *r, const struct mr_packed_part *part,
                   struct mr_feed_row *row, struct mr_errbuf *e)
{
    int rc = MR_OK;
    if (!r->coder.feed.row(r->coder.feed.ctx, row))
        return mr__packed_coder_code(&r->coder);
    for (int32_t s = part->left; s < part->right && rc == MR_OK; s++)
        rc = add_segment(r, part, s, row, e);
    mr__packed_slots_clear(row);
    return rc;
}

int mr__packed_recode(struct mr_packed_recode *r, struct mr_packed_part *part,
                      struct mr_packed_body *body, struct mr_errbuf *e)
{
    const struct mr_packed_body *b = part->body;
    int32_t first = part->left * b->wide, last = part->right * b->wide;
    struct mr_feed_row row;
    int rc = mr__packed_coder_begin(&r->coder, b, e);
    if (rc == MR_OK)
        rc = mr__packed_slots_make(&r->slots, b, first, last < b->across ? last : b->across, &row,
                                   e);
    r->blocks = malloc(MR_COEF_BLOCKS * sizeof *r->blocks);
    if (rc == MR_OK && !r->blocks)
        rc = no_memory(e);
    mr__packed_coder_part(&r->coder, part, e);
    for (row.row = part->top; rc == MR_OK && row.row < part->bottom; row.row++)
        rc = add_row(r, part, &row, e);
    if (rc == MR_OK)
        mr__packed_write_choose(body, &r->symbols, r->write);
    return rc;
}

void mr__packed_recode_free(struct mr_packed_recode *r)
{
    mr__packed_coder_free(&r->coder);
    mr__packed_symbols_free(&r->symbols);
    free(r->slots);
    free(r->blocks);
}
