/* SPDX-License-Identifier: Apache-2.0
 *
 * filler.c: the built-in producer: a message becomes a row. A sample that cannot be made is data,
 * not death: it is reported, and `on_error` says what stands in its place.
 */
#include "base/crash_point.h"
#include "base/message.h"
#include "pipe/bad_note.h"
#include "pipe/columns.h"
#include "pipe/pick.h"
#include "pipe/profile.h"
#include "pipe/read_ahead.h"
#include "pipe/read_clock.h"
#include "pipe/row_tensor.h"
#include "shm/report.h"
#include "shm/row_pages.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ATTEMPTS \
    100 /* substitutes in a row that are bad too: the data set is, not the sample */

/* A file of the row that is being made: whole, or read as its decoder asks. */
struct file {
    struct filler *f;
    struct mr_buf whole;
    struct mr_ranges own, given; /* the source's; the decoder's. given.get NULL: it is whole */
    bool waited;                 /* for the disk */
};

struct filler {
    struct mr_session *s;
    uint32_t lane_number;
    struct mr_lane *lane;
    struct mr_rowwork *work;
    void *source;
    struct file image, mask;
    struct mr_buf numbers; /* of a tensor, before they have the field's type */
    uint64_t read_ns;      /* that ranges have taken */
    struct mr_read_clock parts;
    struct mr_read_ahead ahead;
    struct mr_row_pages pages;
    const struct mr_claim *claim;
    bool waited; /* for the disk, since files were last asked for ahead */
};

/* Where one row lies. */
struct row {
    uint8_t *slot;
    uint32_t number;
};

static void *field_row(const struct filler *f, const struct row *r, int field)
{
    const struct mr_plan_field *pf = &f->s->plan->fields[field];
    return r->slot + pf->offset + r->number * pf->p.row_bytes;
}

static void set_count(const struct filler *f, const struct row *r, int field, uint32_t count)
{
    const struct mr_plan_field *pf = &f->s->plan->fields[field];
    if (pf->p.max_entries)
        ((uint32_t *)(r->slot + pf->counts))[r->number] = count;
}

static void set_sample(const struct filler *f, const struct row *r, uint64_t sample, bool valid)
{
    ((uint64_t *)(r->slot + f->s->plan->ids))[r->number] = sample;
    (r->slot + f->s->plan->valid)[r->number] = valid;
}

/* A row that holds nothing: zeros, so that no earlier batch's bytes are ever seen. */
static void clear_row(const struct filler *f, const struct row *r)
{
    for (int i = 0; i < f->s->plan->nfields; i++) {
        memset(field_row(f, r, i), 0, f->s->plan->fields[i].p.row_bytes);
        set_count(f, r, i, 0);
    }
    set_sample(f, r, UINT64_MAX, false);
}

/* ---- a good row ---- */

/* Behind mr__read_begin(); `bytes`: of a read that went well. */
static void count_read(struct filler *f, const struct mr_read_clock *clock, int rc, uint64_t bytes)
{
    bool waited = mr__read_end(clock, f->lane);
    f->waited |= waited;
    mr__lane_count_up(f->lane, MR_COUNT_READS, 1);
    mr__lane_count_up(f->lane, MR_COUNT_READS_WAITED, waited);
    if (rc >= 0)
        mr__lane_count_up(f->lane, MR_COUNT_BYTES_READ, bytes);
}

static int read_whole(struct filler *f, uint64_t sample, int column, struct mr_buf *buf,
                      struct mr_errbuf *e)
{
    const struct mr_source *source = f->s->plan->config->source.desc;
    struct mr_read_clock clock;
    mr__read_begin(&clock);
    int rc = source->read(f->source, sample, column, buf, e);
    count_read(f, &clock, rc, buf->n);
    return rc;
}

/* The fields that the source reads straight into the row. Adds their bytes to *bytes. */
static int fill_tensors(struct filler *f, const struct row *r, uint64_t sample, uint64_t *bytes,
                        struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (int i = 0; rc >= 0 && i < f->s->plan->nfields; i++) {
        struct mr_read_clock clock;
        uint64_t n = 0;
        if (!f->s->plan->fields[i].tensor)
            continue;
        mr__read_begin(&clock);
        rc = mr__row_tensor(f->s, f->source, i, sample, field_row(f, r, i), &f->numbers, &n, e);
        count_read(f, &clock, rc, n);
        *bytes += n;
    }
    return rc;
}

/* A decoder asks: it is reading that may take long now, or fail. */
static int get_range(void *ctx, uint64_t at, uint64_t bytes, const uint8_t **data,
                     struct mr_errbuf *e)
{
    struct file *file = ctx;
    struct filler *f = file->f;
    uint64_t from = mr__read_part_begin(&f->parts), to;
    mr__hand_doing_since(mr__my_hand, MR_DOING_READ, from);
    int rc = file->own.get(file->own.ctx, at, bytes, data, e);
    bool waited = mr__read_part_end(&f->parts, f->lane, &to);
    f->read_ns += to - from;
    f->waited |= waited;
    mr__lane_count_up(f->lane, MR_COUNT_READS_WAITED, waited && !file->waited);
    file->waited |= waited;
    if (rc < 0)
        return rc;
    mr__lane_count_up(f->lane, MR_COUNT_BYTES_READ, bytes);
    mr__hand_doing_since(mr__my_hand, MR_DOING_DECODE, to);
    return MR_OK;
}

static int open_file(struct filler *f, uint64_t sample, int column, struct file *file,
                     struct mr_errbuf *e)
{
    const struct mr_source *source = f->s->plan->config->source.desc;
    file->f = f;
    file->own = file->given = (struct mr_ranges){0};
    file->waited = false;
    int rc = source->ranges ? source->ranges(f->source, sample, column, &file->own, e) : MR_OK;
    if (rc < 0 || !file->own.get)
        return rc < 0 ? rc : read_whole(f, sample, column, &file->whole, e);
    mr__lane_count_up(f->lane, MR_COUNT_READS, 1);
    mr__read_parts_begin(&f->parts);
    file->given = (struct mr_ranges){.n = file->own.n, .get = get_range, .ctx = file};
    return MR_OK;
}

/* To the rowpipe: the bytes or the ranges. */
static uint64_t give_file(const struct file *file, const uint8_t **bytes,
                          const struct mr_ranges **ranges)
{
    bool whole = !file->given.get;
    *bytes = whole ? file->whole.data : NULL;
    *ranges = whole ? NULL : &file->given;
    return whole ? file->whole.n : file->given.n;
}

static void fill_column(const struct filler *f, const struct row *r, int i, uint64_t sample)
{
    const struct mr_plan_field *pf = &f->s->plan->fields[i];
    const struct mr_column *c = &f->s->index.head->column[pf->column];
    uint64_t entries;
    const void *numbers = mr__index_numbers(&f->s->index, pf->column, sample, &entries);
    if (pf->p.max_entries && entries > pf->p.max_entries)
        entries = pf->p.max_entries;
    uint64_t n = entries * c->width, size = mr_dtype_size(pf->p.dtype);
    uint8_t *to = field_row(f, r, i);
    mr__convert_numbers(to, pf->p.dtype, numbers, (mr_dtype)c->dtype, n);
    memset(to + n * size, 0, pf->p.row_bytes - n * size);
    set_count(f, r, i, (uint32_t)entries);
}

static void row_tensor(const struct filler *f, const struct row *r, int i, struct mr_tensor *t)
{
    struct mr_tensor whole;
    mr__plan_tensor(f->s->plan, i, r->slot, r->number, 1, &whole);
    *t = whole;
    t->ndim = whole.ndim - 1; /* one row: without the batch dimension */
    memmove(t->shape, whole.shape + 1, sizeof t->shape - sizeof t->shape[0]);
    memmove(t->strides, whole.strides + 1, sizeof t->strides - sizeof t->strides[0]);
}

static void describe_outputs(struct filler *f, const struct row *r, struct mr_row_output *out)
{
    const struct mr_plan *plan = f->s->plan;
    for (int i = 0; i < plan->nfields; i++) {
        if (plan->fields[i].p.kind == MR_FIELD_IMAGE)
            row_tensor(f, r, i, &out->image);
        if (plan->fields[i].p.kind == MR_FIELD_MASK)
            row_tensor(f, r, i, &out->mask);
    }
    if (plan->boxes_field >= 0) {
        out->boxes = field_row(f, r, plan->boxes_field);
        out->boxes_max = plan->fields[plan->boxes_field].p.max_entries;
    }
}

static int read_inputs(struct filler *f, uint64_t sample, struct mr_row_input *in,
                       struct mr_errbuf *e)
{
    const struct mr_plan *plan = f->s->plan;
    int rc = open_file(f, sample, plan->image_column, &f->image, e);
    if (rc >= 0 && plan->mask_column >= 0)
        rc = open_file(f, sample, plan->mask_column, &f->mask, e);
    if (rc < 0)
        return rc;
    in->read_ns = &f->read_ns;
    in->image_bytes = give_file(&f->image, &in->image, &in->image_ranges);
    if (plan->mask_column >= 0)
        in->mask_bytes = give_file(&f->mask, &in->mask, &in->mask_ranges);
    if (plan->boxes_field >= 0) {
        uint64_t n;
        in->boxes =
            mr__index_numbers(&f->s->index, plan->fields[plan->boxes_field].column, sample, &n);
        in->nboxes = (uint32_t)n;
    }
    return MR_OK;
}

/* Pixels, masks and boxes out of what was read, or is. */
static int fill_pixels(struct filler *f, const struct row *r, const struct mr_row_input *in,
                       struct mr_errbuf *e)
{
    const struct mr_plan *plan = f->s->plan;
    struct mr_row_output out = {0};
    describe_outputs(f, r, &out);
    mr__hand_doing(mr__my_hand, MR_DOING_DECODE);
    int rc = mr__rowpipe_run(plan->pipe, f->work, in, &out, e);
    mr__lane_count_up(f->lane, MR_COUNT_DECODE_NS, out.decode_ns);
    mr__lane_count_up(f->lane, MR_COUNT_AUGMENT_NS, out.augment_ns);
    if (rc < 0)
        return rc;
    mr__profile_add(f->lane, mr__rowwork_cost(f->work), plan->config->nops, in->image_bytes);
    MR_CRASH_POINT("producer.decoded");
    if (plan->boxes_field >= 0) {
        memset(out.boxes + 4 * (size_t)out.nboxes, 0,
               sizeof(float) * 4 * (out.boxes_max - out.nboxes));
        set_count(f, r, plan->boxes_field, out.nboxes);
    }
    return MR_OK;
}

/* All that does not stand in the index. */
static int fill_read(struct filler *f, const struct row *r, const struct mr_row_key *key,
                     const struct mr_pick *pick, struct mr_errbuf *e)
{
    bool image = f->s->plan->image_column >= 0;
    struct mr_row_input in = {.key = *key, .window = pick->window};
    uint64_t bytes = 0;
    mr__hand_doing(mr__my_hand, MR_DOING_READ);
    int rc = fill_tensors(f, r, pick->sample, &bytes, e);
    if (rc >= 0 && image)
        rc = read_inputs(f, pick->sample, &in, e);
    if (rc < 0)
        return rc;
    MR_CRASH_POINT("producer.read");
    mr__read_ahead(&f->ahead, f->claim, bytes + in.image_bytes + in.mask_bytes, f->waited);
    f->waited = false;
    return image ? fill_pixels(f, r, &in, e) : MR_OK;
}

/* x, y, w, h */
static void fill_window(const struct filler *f, const struct row *r, int i,
                        const struct mr_rect *window)
{
    const int32_t numbers[4] = {window->x, window->y, window->w, window->h};
    mr__convert_numbers(field_row(f, r, i), f->s->plan->fields[i].p.dtype, numbers, MR_I32, 4);
}

static int make_row(struct filler *f, const struct row *r, const struct mr_row_key *key,
                    const struct mr_pick *pick, struct mr_errbuf *e)
{
    const struct mr_plan *plan = f->s->plan;
    mr__hand_attempt(mr__my_hand, (uint32_t)key->attempt, pick->sample);
    if (plan->reads) {
        int rc = fill_read(f, r, key, pick, e);
        if (rc < 0)
            return rc;
    }
    MR_CRASH_POINT("producer.half_row");
    uint64_t from = mr__now_ns();
    for (int i = 0; i < plan->nfields; i++) {
        if (plan->fields[i].p.kind == MR_FIELD_COLUMN && !plan->fields[i].tensor)
            fill_column(f, r, i, pick->sample);
        if (plan->fields[i].p.kind == MR_FIELD_WINDOW)
            fill_window(f, r, i, &pick->window);
    }
    set_sample(f, r, pick->sample, true);
    mr__profile_add_columns(f->lane, mr__now_ns() - from);
    mr__lane_count_up(f->lane, MR_COUNT_MADE, 1);
    MR_CRASH_POINT("producer.row_made");
    return MR_OK;
}

/* ---- bad samples ---- */

static bool is_bad_sample(int rc)
{
    return rc == MR_E_DATA || rc == MR_E_IO || rc == MR_E_LIMIT;
}

/* One attempt at the row. *bad: it failed through the sample's own fault. */
static int try_row(struct filler *f, const struct row *r, const struct mr_bad_row *attempt,
                   const struct mr_pick *pick, bool *bad, struct mr_errbuf *e)
{
    uint32_t stage = MR_DOING_NOTHING;
    bool named = f->s->plan->image_column < 0; /* there is no path, or *e names it */
    int rc = mr__bad_verdict(attempt, &stage, e);
    *bad = rc < 0;
    if (rc >= 0) {
        rc = make_row(f, r, &attempt->key, pick, e);
        *bad = is_bad_sample(rc);
        stage = mr__my_hand ? MR_GET(mr__my_hand->activity) : (uint32_t)MR_DOING_NOTHING;
        named = named || stage == MR_DOING_READ;
    }
    if (!*bad)
        return rc;
    mr__bad_keep(attempt, stage, e);
    if (!named) {
        char *name = mr__index_name(&f->s->index, f->s->plan->image_column, attempt->sample);
        mr__context(e, "%s", name ? name : "?");
        free(name);
    }
    mr__bad_report(attempt, 1, e);
    return rc;
}

static void get_pages(struct filler *f, const struct row *r, uint32_t slot)
{
    if (!mr__row_pages_first(&f->pages, slot, r->number))
        return;
    for (int i = 0; i < f->s->plan->nfields; i++)
        mr__row_pages_get(field_row(f, r, i), f->s->plan->fields[i].p.row_bytes);
}

static int fill(void *ctx, const struct mr_claim *claim, uint32_t *bad, struct mr_errbuf *e)
{
    struct filler *f = ctx;
    f->claim = claim;
    const struct mr_message *m = mr__plan_message(&f->s->arena, claim->slot, claim->task);
    struct row r = {mr__slot_data(&f->s->arena, claim->slot), claim->task};
    struct mr_bad_row attempt = {
        .s = f->s,
        .lane = f->lane_number,
        .claim = claim,
        .row = claim->task,
        .key = {(uint64_t)f->s->plan->config->seed, m->epoch, m->position, 0},
        .sample = m->sample};
    int on_error = f->s->plan->config->on_error;
    mr__bad_none(f->s, claim->slot, claim->task);
    get_pages(f, &r, claim->slot);
    struct mr_pick first, pick;
    mr__pick_read(m, &first);
    for (pick = first;;) {
        bool is_bad;
        if (attempt.sample == UINT64_MAX) {
            clear_row(f, &r); /* padding */
            break;
        }
        int rc = try_row(f, &r, &attempt, &pick, &is_bad, e);
        if (rc >= 0)
            break;
        if (!is_bad)
            return rc;
        if (on_error == MR_ON_ERROR_FAIL) {
            *bad = (uint32_t)-rc;
            break;
        }
        if (on_error == MR_ON_ERROR_SKIP) {
            attempt.sample = UINT64_MAX;
            continue;
        }
        if (++attempt.key.attempt > MAX_ATTEMPTS)
            return mr__context(e, "%d substitutes in a row were bad too; the last", MAX_ATTEMPTS);
        MR_CRASH_POINT("producer.substituting");
        pick = first;
        mr__session_substitute(f->s, m->epoch, m->position, attempt.key.attempt, &pick);
        attempt.sample = pick.sample;
    }
    mr__lane_count_up(f->lane, MR_COUNT_ROWS, 1);
    return MR_OK;
}

/* ---- a producer's life ---- */

static int open_filler(struct filler *f, struct mr_session *s, uint32_t lane, struct mr_errbuf *e)
{
    const struct mr_config *c = s->plan->config;
    const struct mr_source *source = c->source.desc;
    *f = (struct filler){.s = s, .lane_number = lane, .lane = mr__lane(&s->arena, lane)};
    MR_CRASH_POINT("producer.opening");
    int rc = mr__rowwork_open(&f->work, s->plan->pipe, e);
    if (rc >= 0)
        rc = source->open(c->source.params, &s->index, &c->limits, &f->source, e);
    mr__read_ahead_begin(&f->ahead, s, f->lane, f->source);
    mr__row_pages_begin(&f->pages, &s->arena);
    return rc;
}

static void close_filler(struct filler *f)
{
    const struct mr_source *source = f->s->plan->config->source.desc;
    if (f->source)
        source->close(f->source);
    mr__rowwork_close(f->work);
    mr__row_pages_end(&f->pages);
    mr__buf_free(&f->image.whole);
    mr__buf_free(&f->mask.whole);
    mr__buf_free(&f->numbers);
}

static int run_thread(struct mr_session *s, uint32_t lane, uint32_t lease, struct mr_errbuf *e)
{
    struct filler f;
    struct mr_filler vtable = {&f, fill};
    int rc = open_filler(&f, s, lane, e);
    if (rc >= 0)
        rc = mr__producer_loop(&s->arena, lane, lease, &vtable, e);
    close_filler(&f);
    return rc;
}

int mr__run_producer(struct mr_session *s, uint32_t lane, uint32_t lease, struct mr_errbuf *e)
{
    int threads = (int)s->plan->config->producers.threads;
    int rc = MR_OK;
#ifdef _OPENMP
    if (threads > 1) { /* every thread claims rows for itself, under the one lease of the process */
#pragma omp parallel num_threads(threads)
        {
            struct mr_errbuf mine = {0};
            int one = run_thread(s, lane, lease, &mine);
            if (one < 0) {
#pragma omp critical
                {
                    rc = one;
                    *e = mine;
                    mr__fail_run(&s->arena, &mine); /* the other threads would wait for ever */
                    __atomic_store_n(&s->arena.control->stop, 1, __ATOMIC_RELEASE);
                    mr__warden_wake_all(&s->arena);
                }
            }
        }
        return rc;
    }
#endif
    (void)threads;
    rc = run_thread(s, lane, lease, e);
    return rc;
}
