/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c: figures and the page of text about a running loader.
 */
#include "pipe/loader.h"
#include "pipe/profile.h"
#include "pipe/read_ahead.h"
#include "shm/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t mr__lanes_sum(const struct mr_arena *a, enum mr_counter counter)
{
    uint64_t total = 0;
    for (uint32_t i = MR_LANE_PRODUCERS; i < mr__lane_count(a); i++)
        total += MR_GET(mr__lane(a, i)->count[counter]);
    return total;
}

/* Time of waits that have not ended yet, so that a long one shows before it is over. */
static uint64_t waiting_now(const struct mr_arena *a, uint32_t lane)
{
    uint64_t sum_ns = 0, now = mr__now_ns();
    for (uint32_t i = 0; i < a->shape.hands; i++) {
        const struct mr_hand *hand = mr__hand(a, lane, i);
        uint64_t since = MR_GET(hand->doing_since_ns);
        if (MR_GET(hand->activity) == MR_DOING_WAIT && now > since)
            sum_ns += now - since;
    }
    return sum_ns;
}

uint64_t mr__lanes_idle(const struct mr_arena *a)
{
    uint64_t idle_ns = mr__lanes_sum(a, MR_COUNT_IDLE_NS);
    for (uint32_t i = MR_LANE_PRODUCERS; i < mr__lane_count(a); i++)
        idle_ns += waiting_now(a, i);
    return idle_ns;
}

static void fill_tally(const struct mr_tally *t, mr_stats *s)
{
    s->respawns = MR_GET(t->respawns);
    s->crashes = MR_GET(t->crashes);
    s->timeouts = MR_GET(t->timeouts);
    s->stopped = MR_GET(t->stopped);
    s->oom_kills = MR_GET(t->oom_kills);
    s->reissued = MR_GET(t->reissued);
    s->refills = MR_GET(t->refills);
    s->tainted = MR_GET(t->tainted);
    s->quarantines = MR_GET(t->quarantines);
}

static void fill(const mr_loader *l, mr_stats *s)
{
    const struct mr_arena *a = &l->s.arena;
    const struct mr_control *c = a->control;
    s->samples = l->s.index.head ? l->s.index.head->samples : 0;
    s->batches_per_epoch = l->s.epochs.positions ? mr__epochs_steps(&l->s.epochs, 0) : 0;
    s->batches = l->returned;
    s->rows = l->rows;
    s->bad_samples = mr__lanes_sum(a, MR_COUNT_BAD);
    fill_tally(&c->tally, s);
    s->wait_ns = l->wait_ns;
    s->read_ns = mr__lanes_sum(a, MR_COUNT_READ_NS);
    s->decode_ns = mr__lanes_sum(a, MR_COUNT_DECODE_NS);
    s->augment_ns = mr__lanes_sum(a, MR_COUNT_AUGMENT_NS);
    s->idle_ns = mr__lanes_idle(a);
    s->commander_idle_ns = MR_GET(mr__lane(a, MR_LANE_COMMANDER)->count[MR_COUNT_IDLE_NS]) +
                           waiting_now(a, MR_LANE_COMMANDER);
    s->bytes_read = mr__lanes_sum(a, MR_COUNT_BYTES_READ);
    s->arena_bytes = a->shape.control_bytes + a->shape.plan_bytes + a->shape.data_bytes +
                     (l->s.feedback.base ? l->s.feedback.off_given : 0);
    s->producers = (int32_t)a->shape.producers;
    s->slots = (int32_t)mr__trainer_slots(a);
    s->rank = (int32_t)l->s.plan->config->rank;
    s->world = (int32_t)l->s.plan->config->world;
    s->ranks_from = l->s.plan->config->ranks_from;
    s->reads = mr__lanes_sum(a, MR_COUNT_READS);
    s->reads_waited = mr__lanes_sum(a, MR_COUNT_READS_WAITED);
    s->read_wait_ns = mr__lanes_sum(a, MR_COUNT_READ_WAIT_NS);
    s->read_aheads = mr__lanes_sum(a, MR_COUNT_AHEAD);
    s->read_ahead = (int32_t)mr__read_ahead_rows(l->s.plan->config);
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
    if (!name) {
        mr__fail(&e, MR_E_MEMORY, "no memory for the name of class %" PRIu64, label);
        mr__keep_error(&e);
        errno = ENOMEM;
    }
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
    if (column >= 0 && sample < index->head->samples &&
        index->head->column[column].kind == MR_COL_PATH)
        path = mr__index_full_path(index, column, sample);
    mr__loader_leave(l);
    return path;
}
