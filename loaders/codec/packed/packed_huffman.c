/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/packed/packed_huffman.h"

#include <stdlib.h>
#include <string.h>

int mr__packed_huffman_new(struct mr_packed_huffman **out, struct mr_errbuf *e)
{
    struct mr_cpu cpu;
    int rc = mr__cpu_choose(&cpu, e);
    *out = NULL;
    if (rc < 0)
        return rc;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return mr__fail(e, MR_E_MEMORY, "no memory for a decoder of packed JPEGs");
    (*out)->runs = mr__mcu_runs(&cpu);
    return MR_OK;
}

/* A number stands for one table of codes; which kind it is shows by who uses it. */
bool mr__packed_huffman_begin(struct mr_packed_huffman *h, const struct mr_packed_body *body)
{
    unsigned dc = 0, ac = 0;
    for (int i = 0; i < body->components; i++) {
        dc |= 1u << body->component[i].dc;
        ac |= 1u << body->component[i].ac;
    }
    for (int i = 0; i < body->codes; i++) {
        const struct mr_packed_codes *c = &body->code[i];
        if ((dc >> i & 1 && !mr__huff_dc(&h->dc[i], c->bits, c->value)) ||
            (ac >> i & 1 && !mr__huff_ac(&h->ac[i], c->bits, c->value)))
            return false;
    }
    return true;
}

static void list_blocks(struct mr_packed_huffman *h, const struct mr_feed_row *to)
{
    struct mr_scan *s = &h->scan;
    s->nblocks = 0;
    for (int i = 0; i < to->planes; i++) {
        const struct mr_packed_component *c = &h->part->body->component[i];
        const struct mr_feed_plane *p = &to->plane[i];
        for (int k = 0; k < p->h * p->v; k++) {
            s->block[s->nblocks++] =
                (struct mr_mcu_block){.dc = &h->dc[c->dc],
                                      .ac = &h->ac[c->ac],
                                      .row = p->slot + (ptrdiff_t)p->slots * (k / p->h),
                                      .first = (uint32_t)(k % p->h),
                                      .step = (uint32_t)p->h,
                                      .component = (uint32_t)i};
        }
    }
}

/* A reader may look as far beyond the end as the longest MCU goes; whatever it finds there, it is
 * told afterwards that it has taken too much. */
static void begin_segment(struct mr_packed_huffman *h, const uint8_t *data, uint32_t n,
                          const uint8_t *end)
{
    enum { TAIL = MR_MCU_BYTES + 64 };
    if (end - data < (ptrdiff_t)n + TAIL) {
        memcpy(h->last, data, n);
        memset(h->last + n, 0, TAIL);
        data = h->last;
    }
    h->scan.bytes = (struct mr_scan_bytes){
        .end = (uint8_t *)(uintptr_t)data + n, .limit = data + n, .ended = true};
    h->scan.at = (struct mr_bits){.at = data};
    memset(h->scan.dc, 0, sizeof h->scan.dc);
}

static bool fail_segment(struct mr_packed_huffman *h, int32_t row, int32_t segment)
{
    h->code =
        mr__fail(h->e, MR_E_DATA, "a damaged packed JPEG: segment %d of row %d", segment, row);
    return false;
}

bool mr__packed_huffman_row(void *ctx, const struct mr_feed_row *to)
{
    struct mr_packed_huffman *h = ctx;
    const struct mr_packed_body *b = h->part->body;
    struct mr_packed_row row;
    h->code = mr__packed_part_row(h->part, to->row, &row, h->e);
    if (h->code < 0)
        return false;
    list_blocks(h, to);
    const uint8_t *data = row.data;
    for (int32_t s = h->part->left; s < h->part->right; s++, row.lengths += 2) {
        int32_t at = s * b->wide, end = at + mr__packed_mcus(b, s);
        int32_t from = at > to->first ? at : to->first, until = end < to->last ? end : to->last;
        uint32_t n = mr__packed_u16(row.lengths);
        begin_segment(h, data, n, row.end);
        if (!h->runs->skip(&h->scan, 0, (uint32_t)(from - at)) ||
            !h->runs->store(&h->scan, (uint32_t)(from - to->first), (uint32_t)(until - from)))
            return fail_segment(h, to->row, s);
        data += n;
    }
    return true;
}
