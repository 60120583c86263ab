/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c: figures and the page of text about a running loader.
 */
#include "base/text.h"
#include "pipe/loader.h"

#include "shm/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t sum(const struct mr_arena *a, enum mr_counter counter)
{
    uint64_t total = 0;
    for (uint32_t i = MR_LANE_PRODUCERS; i < mr__lane_count(a); i++)
        total += MR_GET(mr__lane(a, i)->count[counter]);
    return total;
}

/* Time of waits that have not ended yet, so that a long one shows before it is over. */
static uint64_t waiting_now(const struct mr_lane *lane)
{
    uint64_t since = MR_GET(lane->since_ns), now = mr__now_ns();
    return MR_GET(lane->activity) == MR_DOING_WAIT && now > since ? now - since : 0;
}

static void fill(const mr_loader *l, mr_stats *s)
{
    const struct mr_arena *a = &l->s.arena;
    const struct mr_control *c = a->control;
    s->samples = l->s.index.head ? l->s.index.head->samples : 0;
    s->batches_per_epoch = l->s.epochs.steps;
    s->batches = l->returned;
    s->rows = l->rows;
    s->bad_samples = sum(a, MR_COUNT_BAD);
    s->respawns = MR_GET(c->respawns);
    s->wait_ns = l->wait_ns;
    s->read_ns = sum(a, MR_COUNT_READ_NS);
    s->decode_ns = sum(a, MR_COUNT_DECODE_NS);
    s->augment_ns = sum(a, MR_COUNT_AUGMENT_NS);
    s->idle_ns = sum(a, MR_COUNT_IDLE_NS);
    for (uint32_t i = MR_LANE_PRODUCERS; i < mr__lane_count(a); i++)
        s->idle_ns += waiting_now(mr__lane(a, i));
    s->commander_idle_ns = MR_GET(mr__lane(a, MR_LANE_COMMANDER)->count[MR_COUNT_IDLE_NS]) +
                           waiting_now(mr__lane(a, MR_LANE_COMMANDER));
    s->bytes_read = sum(a, MR_COUNT_BYTES_READ);
    s->arena_bytes = c->control_bytes + c->plan_bytes + c->data_bytes;
    s->producers = (int32_t)c->producers;
    s->slots = (int32_t)c->slots;
}

int mr_get_stats(mr_loader *l, mr_stats *stats)
{
    struct mr_errbuf e;
    if (!stats || stats->size != sizeof *stats) {
        mr__fail(&e, MR_E_USAGE, "mr_stats.size is not sizeof(mr_stats)");
        return mr__keep_error(&e);
    }
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    fill(l, stats);
    mr__loader_leave(l);
    return MR_OK;
}

/* ---- mr_dump ---- */

static const char *const activities[MR_ACTIVITIES] = {
    "not started", "starting", "waiting", "planning", "reading", "decoding", "in user code"};
static const char *const states[MR_SLOT_STATES] = {"FREE",       "RESERVED",  "AVAILABLE",
                                                   "PROCESSING", "CANCELLED", "QUARANTINED"};

static void dump_lane(FILE *f, const struct mr_arena *a, uint32_t i)
{
    const struct mr_lane *l = mr__lane(a, i);
    uint32_t activity = MR_GET(l->activity);
    const char *what = activity < MR_ACTIVITIES ? activities[activity] : "?";
    fprintf(f, i < MR_LANE_PRODUCERS ? "  %s" : "  %s %u",
            i == MR_LANE_WARDEN      ? "warden"
            : i == MR_LANE_COMMANDER ? "commander"
                                     : "producer",
            i - MR_LANE_PRODUCERS);
    fprintf(f, ": pid %u", MR_GET(l->pid));
    if (i == MR_LANE_WARDEN) {
        fprintf(f, "\n");
        return;
    }
    fprintf(f, ", %s for %.3f s", what, (double)(mr__now_ns() - MR_GET(l->since_ns)) / 1e9);
    if (i >= MR_LANE_PRODUCERS && activity > MR_DOING_PLAN)
        fprintf(f, ", sequence %" PRIu64 " row %u sample %" PRIu64, MR_GET(l->seq) - 1,
                MR_GET(l->row), MR_GET(l->sample));
    fprintf(f, ", %" PRIu64 " rows done\n", MR_GET(l->count[MR_COUNT_ROWS]));
}

static void dump_slot(FILE *f, const struct mr_arena *a, uint32_t i)
{
    uint64_t w = mr__word_load(&mr__slot(a, i)->word);
    uint32_t count[MR_ROW_STATES] = {0};
    const uint64_t *rows = mr__slot_rows(a, i);
    for (uint32_t r = 0; r < a->control->tasks; r++) {
        uint64_t word = mr__word_load(&rows[r]);
        if (mr__row_gen(word) == (uint32_t)mr__slot_seq(w) && mr__row_state(word) < MR_ROW_STATES)
            count[mr__row_state(word)]++;
    }
    fprintf(f, "  slot %u: %s, sequence %" PRId64 ", rows empty %u busy %u done %u bad %u\n", i,
            mr__slot_state(w) < MR_SLOT_STATES ? states[mr__slot_state(w)] : "?",
            (int64_t)mr__slot_seq(w) - 1, count[0], count[1], count[2], count[3]);
}

char *mr_dump(mr_loader *l)
{
    struct mr_errbuf e;
    char *text = NULL;
    size_t bytes;
    if (mr__loader_enter(l, &e) < 0) {
        mr__keep_error(&e);
        return NULL;
    }
    FILE *f = open_memstream(&text, &bytes);
    if (f) {
        fprintf(f, "loader: epoch %" PRIu64 ", %" PRIu64 " batches delivered, %u leased\n",
                l->epoch, l->returned, l->leases);
        for (uint32_t i = 0; i < mr__lane_count(&l->s.arena); i++)
            dump_lane(f, &l->s.arena, i);
        for (uint32_t i = 0; i < l->s.arena.control->slots; i++)
            dump_slot(f, &l->s.arena, i);
        if (mr__run_failed(&l->s.arena, &e))
            fprintf(f, "  failed: %s\n", e.text);
    }
    mr__loader_leave(l);
    if (mr__stream_text(f, &text))
        return text;
    mr__fail(&e, MR_E_MEMORY, "no memory for the dump");
    mr__keep_error(&e);
    return NULL;
}

/* ---- names ---- */

/* The index has the names without a NUL behind them, so each is copied when it is first asked for.
 */
const char *mr_class_name(mr_loader *l, uint64_t label)
{
    struct mr_errbuf e;
    size_t n;
    if (mr__loader_enter(l, &e) < 0) {
        mr__keep_error(&e);
        return NULL;
    }
    if (!l->s.index.head || label >= l->s.index.head->classes) {
        mr__loader_leave(l);
        return NULL;
    }
    if (!l->classes)
        l->classes = calloc(l->s.index.head->classes, sizeof *l->classes);
    if (l->classes && !l->classes[label]) {
        const char *name = mr__index_class(&l->s.index, label, &n);
        l->classes[label] = strndup(name, n);
    }
    const char *name = l->classes ? l->classes[label] : NULL;
    mr__loader_leave(l);
    return name;
}

char *mr_sample_path(mr_loader *l, uint64_t sample)
{
    struct mr_errbuf e;
    char *path = NULL;
    if (mr__loader_enter(l, &e) < 0) {
        mr__keep_error(&e);
        return NULL;
    }
    const struct mr_index *index = &l->s.index;
    int column = index->head ? mr__index_column(index, "image") : -1;
    if (column >= 0 && sample < index->head->samples)
        path = mr__index_full_path(index, column, sample);
    mr__loader_leave(l);
    return path;
}
