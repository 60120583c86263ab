/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/read_ahead.h"

#include "base/message.h"
#include "pipe/read_clock.h"
#include "shm/report.h"
#include "shm/verdict.h"

#define AT_ONCE 4 /* rows to ask for per row made, until the window is full */
#define MEAN_OF 8 /* rows that the means are about */

/* What asking costs of r->eager, by what the kernel said of the row; a row whose files were not in
 * memory sets it to EAGER. */
static const uint32_t costs[] = {[MR_CACHED_UNKNOWN] = 1, [MR_CACHED] = 8, [MR_CACHED_NOT] = 0};
#define EAGER_FIRST (16 * 8)
#define EAGER (64 * 8)

uint32_t mr__read_ahead_rows(const struct mr_config *c)
{
    const struct mr_source *source = c->source.desc;
    if (!source || !source->ahead || c->read_ahead < 0)
        return 0;
    return c->read_ahead ? (uint32_t)c->read_ahead : MR_AHEAD_ROWS;
}

void mr__read_ahead_begin(struct mr_read_ahead *r, const struct mr_session *s, struct mr_lane *lane,
                          void *source)
{
    const struct mr_config *c = s->plan->config;
    *r = (struct mr_read_ahead){.s = s,
                                .lane = lane,
                                .source = source,
                                .rows = mr__read_ahead_rows(c),
                                .always = c->read_ahead > 0,
                                .eager = EAGER_FIRST};
}

static void take_mean(double *mean, double value)
{
    if (*mean > 0 && value > 4 * *mean) /* a pause, most likely; else it comes again */
        value = 4 * *mean;
    *mean = *mean > 0 ? *mean + (value - *mean) / MEAN_OF : value;
}

uint32_t mr__read_ahead_window(const struct mr_read_ahead *r)
{
    const struct mr_shape *shape = &r->s->arena.shape;
    double rows = r->rows, threads = (double)shape->producers * shape->hands;
    if (r->row_bytes * rows > (double)MR_AHEAD_ROW_BYTES * r->rows)
        rows = (double)MR_AHEAD_ROW_BYTES * r->rows / r->row_bytes;
    if (r->row_ns * rows > (double)MR_AHEAD_NS * threads)
        rows = (double)MR_AHEAD_NS * threads / r->row_ns;
    return rows < 1 ? 1 : (uint32_t)rows;
}

/* The column that a field's rows are read from, -1 when they are in the index. */
static int read_column(const struct mr_plan *plan, int field)
{
    const struct mr_plan_field *f = &plan->fields[field];
    return f->tensor ? f->column : -1;
}

/* Asks for the files of a row; what the kernel said of them. */
static enum mr_cached ask(struct mr_read_ahead *r, const struct mr_upcoming *next)
{
    const struct mr_session *s = r->s;
    const struct mr_plan *plan = s->plan;
    const struct mr_source *source = plan->config->source.desc;
    const int files[] = {plan->image_column, plan->mask_column}, nfiles = 2;
    const struct mr_message *m = mr__plan_message(&s->arena, next->slot, next->row);
    uint64_t sample = MR_GET(m->sample), epoch = MR_GET(m->epoch), position = MR_GET(m->position);
    enum mr_cached all = MR_CACHED;
    /* A file that took somebody too long is not touched again. */
    if (!mr__upcoming_stays(&s->arena, next) || sample >= s->index.head->samples ||
        mr__verdict_find(&s->arena, epoch, position, 0, sample, NULL))
        return MR_CACHED_UNKNOWN;
    for (int i = 0; i < nfiles + plan->nfields; i++) {
        int column = i < nfiles ? files[i] : read_column(plan, i - nfiles);
        if (column < 0)
            continue;
        enum mr_cached one =
            source->ahead(r->source, sample, column, MR_AHEAD_ROW_BYTES * r->rows);
        if (all == MR_CACHED || one == MR_CACHED_NOT)
            all = one;
    }
    mr__lane_count_up(r->lane, MR_COUNT_AHEAD, 1);
    return all;
}

static void ask_some(struct mr_read_ahead *r, const struct mr_claim *claim)
{
    uint32_t window = mr__read_ahead_window(r);
    struct mr_upcoming next;
    mr__hand_doing(mr__my_hand, MR_DOING_AHEAD);
    for (int i = 0; i < AT_ONCE && (r->eager || r->always) &&
                    mr__producer_upcoming(&r->s->arena, claim, window, &next);
         i++) {
        enum mr_cached cached = ask(r, &next);
        if (cached == MR_CACHED_NOT)
            r->eager = EAGER;
        r->eager -= costs[cached] < r->eager ? costs[cached] : r->eager;
    }
}

void mr__read_ahead(struct mr_read_ahead *r, const struct mr_claim *claim, uint64_t bytes,
                    bool waited)
{
    struct mr_read_clock clock;
    if (!r->rows || MR_GET(r->s->arena.control->ahead_off))
        return;
    if (waited)
        r->eager = EAGER;
    if (!r->eager && !r->always) {
        r->last_ns = 0;
        return;
    }
    mr__read_begin(&clock);
    take_mean(&r->row_bytes, (double)bytes);
    if (r->last_ns)
        take_mean(&r->row_ns, (double)(clock.from_ns - r->last_ns));
    r->last_ns = clock.from_ns;
    ask_some(r, claim);
    mr__read_end(&clock, r->lane);
}
