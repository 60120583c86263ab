/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/baseline/baseline.h"

#include "loaders/codec/baseline/baseline_types.h"
#include "loaders/codec/baseline/coefficients.h"

#include <stdlib.h>
#include <string.h>

bool mr__baseline_pays(const struct mr_cpu *cpu, const char *asked_for)
{
    return (cpu->level != MR_CPU_SCALAR && cpu->level != MR_CPU_SSE4) || (asked_for && *asked_for);
}

static int make(struct mr_baseline **out, bool anyhow, struct mr_errbuf *e)
{
    *out = NULL;
    struct mr_cpu cpu;
    int rc = mr__cpu_choose(&cpu, e);
    if (rc < 0 || (!anyhow && !mr__baseline_pays(&cpu, getenv("MILLRACE_CPU"))))
        return rc;
    struct mr_baseline *b = calloc(1, sizeof *b);
    if (!b)
        return mr__fail(e, MR_E_MEMORY, "no memory for a JPEG decoder");
    *out = b;
    b->runs = mr__mcu_runs(&cpu);
    b->kernels = mr__pixel_kernels_for(&cpu);
    return MR_OK;
}

int mr__baseline_new(struct mr_baseline **out, struct mr_errbuf *e)
{
    return make(out, false, e);
}

int mr__baseline_new_anyhow(struct mr_baseline **out, struct mr_errbuf *e)
{
    return make(out, true, e);
}

void mr__baseline_free(struct mr_baseline *b)
{
    if (!b)
        return;
    free(b->slots);
    free(b->memory);
    free(b);
}

/* Components mostly share their tables. */
static bool read_tables(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg, int at[3][2])
{
    for (int i = 0; i < jpeg->components; i++) {
        const struct mr_plain_codes *dc = &jpeg->component[i].dc, *ac = &jpeg->component[i].ac;
        at[i][0] = at[i][1] = i;
        for (int k = 0; k < i; k++) {
            if (jpeg->component[k].dc.bits == dc->bits)
                at[i][0] = at[k][0];
            if (jpeg->component[k].ac.bits == ac->bits)
                at[i][1] = at[k][1];
        }
        if (!dc->bits || !ac->bits ||
            (at[i][0] == i && !mr__huff_dc(&b->dc[i], dc->bits, dc->value)) ||
            (at[i][1] == i && !mr__huff_ac(&b->ac[i], ac->bits, ac->value)))
            return false;
    }
    return true;
}

static void list_blocks(struct mr_baseline *b, int at[3][2])
{
    struct mr_scan *s = &b->scan;
    s->nblocks = 0;
    for (int i = 0; i < b->planes; i++) {
        const struct mr_plane *p = &b->plane[i];
        for (int k = 0; k < p->h * p->v; k++) {
            s->block[s->nblocks++] =
                (struct mr_mcu_block){.dc = &b->dc[at[i][0]],
                                      .ac = &b->ac[at[i][1]],
                                      .row = p->slot + (ptrdiff_t)p->slots * (k / p->h),
                                      .first = (uint32_t)(k % p->h),
                                      .step = (uint32_t)p->h,
                                      .component = (uint32_t)i};
        }
    }
}

static bool begin(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg,
                  const struct mr_rect *crop, int32_t c, const struct mr_feed *feed)
{
    b->crop = *crop;
    b->c = c;
    b->feed = feed;
    b->next = crop->y;
    b->ready = 0;
    return (c != 1 || jpeg->components == 1) && mr__baseline_shape(b, jpeg);
}

bool mr__baseline_begin(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg,
                        const struct mr_rect *crop, int32_t c)
{
    int tables[3][2];
    if (!begin(b, jpeg, crop, c, NULL) || !read_tables(b, jpeg, tables))
        return false;
    list_blocks(b, tables);
    b->restart = b->to_restart = jpeg->restart;
    b->marker = 0;
    b->row = 0;
    memset(b->scan.dc, 0, sizeof b->scan.dc);
    b->scan.bytes = (struct mr_scan_bytes){
        .raw = jpeg->data, .raw_end = jpeg->data + jpeg->n, .clean = b->clean};
    mr__scan_begin(&b->scan.bytes, &b->scan.at);
    return true;
}

/* Nothing is read that the crop does not need. */
bool mr__baseline_begin_fed(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg,
                            const struct mr_rect *crop, int32_t c, const struct mr_feed *feed)
{
    if (!begin(b, jpeg, crop, c, feed))
        return false;
    b->row = b->top;
    b->bottom = b->made;
    return true;
}

struct mr_rect mr__baseline_needs(const struct mr_baseline *b)
{
    return (struct mr_rect){b->first, b->top, b->last - b->first, b->made - b->top};
}

/* n MCUs of a row, restart markers between them included. */
static bool read_mcus(struct mr_baseline *b, mr_mcu_run *run, int64_t n)
{
    for (int64_t column = 0; column < n;) {
        int64_t some = n - column;
        if (b->restart && b->to_restart == 0) {
            if (!mr__scan_restart(&b->scan.bytes, &b->scan.at, b->marker++ % 8))
                return false;
            b->to_restart = b->restart;
            memset(b->scan.dc, 0, sizeof b->scan.dc);
        }
        if (b->restart && some > b->to_restart)
            some = b->to_restart;
        if (!run(&b->scan, (uint32_t)column, (uint32_t)some))
            return false;
        b->to_restart -= b->restart ? some : 0;
        column += some;
    }
    return true;
}

static struct mr_feed_row slots_of_row(const struct mr_baseline *b)
{
    struct mr_feed_row row = {
        .row = b->row, .first = b->first, .last = b->last, .planes = b->planes};
    for (int i = 0; i < b->planes; i++) {
        const struct mr_plane *p = &b->plane[i];
        row.plane[i] = (struct mr_feed_plane){p->h, p->v, p->slot, p->slots, p->tile, p->tiles};
    }
    return row;
}

static bool feed_row(struct mr_baseline *b)
{
    struct mr_feed_row to = slots_of_row(b);
    return b->feed->row(b->feed->ctx, &to);
}

static bool read_row(struct mr_baseline *b)
{
    if (b->feed)
        return feed_row(b);
    if (b->row < b->top || b->row >= b->made)
        return read_mcus(b, b->runs->skip, b->across);
    return read_mcus(b, b->runs->skip, b->first) &&
           read_mcus(b, b->runs->store, b->last - b->first) &&
           read_mcus(b, b->runs->skip, b->across - b->last);
}

/* The same of a row of blocks. */
static bool make_line(const struct mr_baseline *b, const struct mr_plane *p, struct mr_slot *slot,
                      uint8_t *to)
{
    for (int32_t tile = p->tile; tile < p->tiles; tile++) {
        struct mr_slot *s = &slot[tile];
#if !defined(__x86_64__)
        if (!mr__tile_agrees(&s->tile, p->quant))
            return false;
#endif
        b->kernels->idct(&s->tile, p->quant, to + 32 * (ptrdiff_t)tile, (ptrdiff_t)p->stride,
                         s->used ? s->used - 1 : 0);
        s->used = 0;
    }
    return true;
}

/* Coefficients of the row of MCUs to samples. */
static bool make_samples(struct mr_baseline *b)
{
    for (int i = 0; i < b->planes; i++) {
        struct mr_plane *p = &b->plane[i];
        uint8_t *to = p->samples + p->stride * (b->row % 2 * 8 * p->v);
        for (int32_t line = 0; line < p->v; line++, to += p->stride * 8) {
            if (!make_line(b, p, p->slot + (ptrdiff_t)p->slots * line, to))
                return false;
        }
    }
    return true;
}

/* The next row of MCUs; how many of the crop's rows are ready then. -1: not mine. */
static int32_t advance(struct mr_baseline *b)
{
    int32_t end = b->crop.y + b->crop.h;
    bool made = b->row >= b->top && b->row < b->made;
    if (!read_row(b) || (made && !make_samples(b))) {
        b->dirty = true;
        return -1;
    }
    b->row++;
    /* The last row waits until all that libjpeg-turbo would read was found good. */
    int32_t ready = b->row * b->mcu_h - b->context;
    if (b->row == b->bottom)
        ready = end;
    else if (ready > end - 1)
        ready = end - 1;
    return ready > b->next ? ready - b->next : 0;
}

int mr__baseline_rows(struct mr_baseline *b, int32_t most, const uint8_t **rows, int64_t *stride)
{
    while (b->ready == 0 && b->row < b->bottom)
        b->ready = advance(b);
    if (b->ready <= 0)
        return b->ready;
    int32_t n = most > 0 && most < b->ready ? most : b->ready;
    mr__baseline_pixels(b, b->next, n);
    b->next += n;
    b->ready -= n;
    *rows = b->out;
    *stride = b->pitch;
    return n;
}

int mr__baseline_coefficients(struct mr_baseline *b, struct mr_feed_row *row)
{
    *row = slots_of_row(b);
    if (b->row == b->down)
        return 0;
    memset(b->slots, 0, b->nslots * sizeof *b->slots);
    b->dirty = true;
    if (!read_row(b))
        return -1;
    b->row++;
    return 1;
}

static uint64_t area(const struct mr_baseline *b, int32_t columns, int32_t top, int32_t bottom)
{
    int64_t w = (int64_t)columns * b->mcu_w, h = (int64_t)bottom * b->mcu_h;
    w = w < b->w ? w : b->w;
    h = h < b->h ? h : b->h;
    return (uint64_t)(w * (h - (int64_t)top * b->mcu_h));
}

void mr__baseline_cost(const struct mr_baseline *b, const uint8_t *file,
                       struct mr_decode_cost *cost)
{
    cost->pixels_made = area(b, b->last - b->first, b->top, b->made);
    if (b->feed) {
        cost->bytes = 0;
        cost->pixels_read = cost->pixels_made;
        return;
    }
    ptrdiff_t ahead = b->scan.bytes.end - b->scan.at.at; /* in the window, and not used */
    cost->bytes = (uint64_t)(b->scan.bytes.raw - file - (ahead > 0 ? ahead : 0));
    cost->pixels_read = area(b, b->across, 0, b->bottom);
}
