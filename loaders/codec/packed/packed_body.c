/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_body.c: a body's head, from an enemy: every number is held against the others before it
 * counts.
 */
#include "loaders/codec/limits.h"
#include "loaders/codec/packed/packed_streams.h"
#include "loaders/codec/packed/packed_types.h"
#include "loaders/codec/packed/packed_zigzag.h"

#include <inttypes.h>
#include <string.h>

enum { BLOCKS = 10, VERSION = 1 };

bool mr__packed_probe(const uint8_t *data, size_t n)
{
    return n >= 4 && !memcmp(data, "MRJ1", 4);
}

static int32_t ceil_div(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

/* libjpeg-turbo cannot crop at a reduced size where it would enlarge a component's blocks and have
 * columns left to repeat. */
static bool good_ratio(int32_t across, int32_t down)
{
    return !(across == 4 && down > 1);
}

static bool good_components(const struct mr_packed_body *b, int32_t max_h, int32_t max_v)
{
    int32_t blocks = 0;
    for (int i = 0; i < b->components; i++) {
        const struct mr_packed_component *c = &b->component[i];
        if (max_h % c->h || max_v % c->v || !good_ratio(max_h / c->h, max_v / c->v))
            return false;
        blocks += c->h * c->v;
    }
    return blocks <= BLOCKS && (b->components == 3 || blocks == 1);
}

bool mr__packed_shape(struct mr_packed_body *b)
{
    int32_t max_h = 0, max_v = 0;
    for (int i = 0; i < b->components; i++) {
        const struct mr_packed_component *c = &b->component[i];
        if (c->h < 1 || c->h > 4 || c->v < 1 || c->v > 2)
            return false;
        max_h = c->h > max_h ? c->h : max_h;
        max_v = c->v > max_v ? c->v : max_v;
    }
    if ((b->components != 1 && b->components != 3) || !good_components(b, max_h, max_v) ||
        b->w < 1 || b->h < 1 || b->w > MR_PACKED_SIDE || b->h > MR_PACKED_SIDE || b->wide < 1)
        return false;
    b->mcu_w = 8 * max_h;
    b->mcu_h = 8 * max_v;
    b->across = ceil_div(b->w, b->mcu_w);
    b->down = ceil_div(b->h, b->mcu_h);
    if (b->wide > b->across)
        return false;
    b->segments = ceil_div(b->across, b->wide);
    return b->segments * b->wide == b->across || b->segments * b->wide * b->mcu_w <= MR_PACKED_SIDE;
}

uint32_t mr__packed_head_bytes(const struct mr_packed_body *b)
{
    uint32_t bytes = MR_PACKED_HEAD + 64 * (uint32_t)b->quants;
    for (int i = 0; i < b->codes; i++) {
        bytes += 16;
        for (int k = 1; k <= 16; k++)
            bytes += b->code[i].bits[k];
    }
    return bytes;
}

struct mr_plain_jpeg mr__packed_plain(const struct mr_packed_body *b)
{
    struct mr_plain_jpeg plain = {.w = b->w, .h = b->h, .components = b->components};
    for (int i = 0; i < b->components; i++) {
        const struct mr_packed_component *c = &b->component[i];
        plain.component[i] =
            (struct mr_plain_component){.h = c->h, .v = c->v, .quant = b->quant[c->quant]};
    }
    return plain;
}

int32_t mr__packed_mcus(const struct mr_packed_body *b, int32_t s)
{
    int32_t left = b->across - s * b->wide;
    return left < b->wide ? left : b->wide;
}

/* ---- from bytes ------------------------------------------------------------------------------ */

static int damaged(struct mr_errbuf *e, const char *what)
{
    return mr__fail(e, MR_E_DATA, "a damaged packed JPEG: %s", what);
}

static void read_components(struct mr_packed_body *b, const uint8_t *p)
{
    for (int i = 0; i < b->components; i++, p += 4) {
        b->component[i] = (struct mr_packed_component){
            .h = p[0] >> 4, .v = p[0] & 15, .quant = p[1], .dc = p[2], .ac = p[3]};
    }
}

static bool good_numbers(const struct mr_packed_body *b)
{
    bool huffman = b->coding == MR_PACKED_HUFFMAN;
    if (b->quants < 1 || b->quants > MR_PACKED_QUANTS || b->codes > MR_PACKED_CODES ||
        (!huffman && b->codes))
        return false;
    for (int i = 0; i < b->components; i++) {
        const struct mr_packed_component *c = &b->component[i];
        if (c->quant >= b->quants || (huffman && (c->dc >= b->codes || c->ac >= b->codes)))
            return false;
    }
    return true;
}

/* False: the tables do not end where the head does. */
static bool read_tables(struct mr_packed_body *b, const uint8_t *p, const uint8_t *end)
{
    if (end - p < 64 * b->quants)
        return false;
    for (int i = 0; i < b->quants; i++, p += 64) {
        for (int k = 0; k < 64; k++)
            b->quant[i][mr__packed_natural[k]] = p[k];
    }
    for (int i = 0; i < b->codes; i++) {
        struct mr_packed_codes *c = &b->code[i];
        uint32_t n = 0;
        if (end - p < 16)
            return false;
        memcpy(c->bits + 1, p, 16);
        p += 16;
        for (int k = 1; k <= 16; k++)
            n += c->bits[k];
        if (n > 256 || (size_t)(end - p) < n)
            return false;
        memcpy(c->value, p, n);
        p += n;
    }
    return p == end;
}

/* A block takes two bits at least: what so few bytes cannot hold costs nobody memory. */
static bool good_places(struct mr_packed_body *b, uint64_t n)
{
    uint64_t rows = (uint64_t)b->down, blocks = 0;
    for (int i = 0; i < b->components; i++)
        blocks += (uint64_t)(b->component[i].h * b->component[i].v);
    b->lengths_at = b->rows_at + 4 * rows;
    return b->lengths_at + 2 * rows * (uint64_t)b->segments == b->data_at &&
           b->data_at <= b->markers_at && b->markers_at <= b->end && b->end == n &&
           blocks * rows * (uint64_t)b->across <= 4 * (b->markers_at - b->data_at);
}

static int read_sizes(struct mr_packed_body *b, const uint8_t *p, const struct mr_limits *limits,
                      struct mr_errbuf *e)
{
    uint32_t w = mr__packed_u32(p + 8), h = mr__packed_u32(p + 12);
    if (limits) {
        int rc = mr__limits_size(limits, w, h, e);
        if (rc < 0)
            return rc;
    }
    if (w > MR_PACKED_SIDE || h > MR_PACKED_SIDE)
        return damaged(e, "a side has more than 65,500 pixels");
    b->w = (int32_t)w;
    b->h = (int32_t)h;
    return MR_OK;
}

static int read_head(struct mr_packed_body *b, const uint8_t *p, const struct mr_limits *limits,
                     struct mr_errbuf *e)
{
    if (p[4] != VERSION)
        return mr__fail(e, MR_E_DATA,
                        "a packed JPEG of version %d, but this build reads version "
                        "%d: a newer Millrace reads it",
                        p[4], VERSION);
    *b = (struct mr_packed_body){.coding = (enum mr_packed_coding)(p[5] & 3),
                                 .components = p[6],
                                 .orientation = p[7],
                                 .rows_at = mr__packed_u32(p + 16),
                                 .data_at = mr__packed_u32(p + 20),
                                 .markers_at = mr__packed_u32(p + 24),
                                 .end = mr__packed_u32(p + 28),
                                 .wide = (int32_t)mr__packed_u16(p + 32),
                                 .quants = p[34],
                                 .codes = p[35]};
    if ((p[5] != MR_PACKED_HUFFMAN && p[5] != MR_PACKED_STREAMS) ||
        (b->components != 1 && b->components != 3) || b->orientation < 1 || b->orientation > 8)
        return damaged(e, "its coding, components or orientation");
    read_components(b, p + 36);
    return read_sizes(b, p, limits, e);
}

int mr__packed_read(struct mr_packed_body *b, const struct mr_ranges *file,
                    const struct mr_limits *limits, struct mr_errbuf *e)
{
    const uint8_t *p;
    uint64_t n = file->n < MR_PACKED_FIRST ? file->n : MR_PACKED_FIRST;
    if (n < MR_PACKED_HEAD)
        return damaged(e, "it ends inside its head");
    int rc = file->get(file->ctx, 0, n, &p, e);
    if (rc < 0)
        return rc;
    if (!mr__packed_probe(p, n))
        return damaged(e, "it does not begin with 'MRJ1'");
    rc = read_head(b, p, limits, e);
    if (rc < 0)
        return rc;
    if (!good_numbers(b) || !mr__packed_shape(b) ||
        (b->coding == MR_PACKED_STREAMS && b->wide > mr__packed_streams_most(b)))
        return damaged(e, "its components or its segments");
    if (b->rows_at > n || !read_tables(b, p + MR_PACKED_HEAD, p + b->rows_at))
        return damaged(e, "its tables");
    if (!good_places(b, file->n))
        return damaged(e, "it is not as long as it says");
    return MR_OK;
}

int mr__packed_facts(const uint8_t *body, size_t n, struct mr_packed_facts *facts,
                     struct mr_errbuf *e)
{
    struct mr_packed_body b;
    struct mr_packed_memory memory = {body, n};
    struct mr_ranges file = mr__packed_in_memory(&memory);
    int rc = mr__packed_read(&b, &file, NULL, e);
    if (rc < 0)
        return rc;
    *facts = (struct mr_packed_facts){.coding = b.coding,
                                      .w = b.w,
                                      .h = b.h,
                                      .components = b.components,
                                      .orientation = b.orientation,
                                      .segment_w = b.wide * b.mcu_w,
                                      .segment_h = b.mcu_h,
                                      .segments = (int64_t)b.segments * b.down};
    return MR_OK;
}

static int get_from_memory(void *ctx, uint64_t at, uint64_t bytes, const uint8_t **data,
                           struct mr_errbuf *e)
{
    const struct mr_packed_memory *m = ctx;
    if (at > m->n || bytes > m->n - at)
        return mr__fail(e, MR_E_DATA, "bytes %" PRIu64 " to %" PRIu64 " of %zu were asked for", at,
                        at + bytes, m->n);
    *data = m->data + at;
    return MR_OK;
}

struct mr_ranges mr__packed_in_memory(struct mr_packed_memory *memory)
{
    return (struct mr_ranges){.n = memory->n, .get = get_from_memory, .ctx = memory};
}
