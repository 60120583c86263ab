/* SPDX-License-Identifier: Apache-2.0
 *
 * dump.c: mr_dump: a page for people about a loader that seems to hang: what every process is
 * doing, at which row and sample, for how long, and where every slot stands.
 */
#include "base/text.h"
#include "pipe/loader.h"

#include "shm/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const activities[MR_ACTIVITIES] = {"not started",  "starting",     "waiting",
                                                      "planning",     "reading",      "decoding",
                                                      "in user code", "reading ahead"};
static const char *const states[MR_SLOT_STATES] = {"FREE",       "RESERVED",  "AVAILABLE",
                                                   "PROCESSING", "CANCELLED", "QUARANTINED"};

static double seconds_since(uint64_t ns)
{
    uint64_t now = mr__now_ns();
    return now > ns ? (double)(now - ns) / 1e9 : 0;
}

/* "S" runs or sleeps, "T" was stopped, "D" hangs in the kernel, "Z" has ended; 0: gone. */
static char kernel_state(uint32_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
    fclose(f);
    return end && end[1] == ' ' ? end[2] : 0;
}

static void dump_process(FILE *f, uint32_t pid)
{
    char state = pid ? kernel_state(pid) : 0;
    fprintf(f, ": pid %u%s", pid,
            !state         ? " (gone)"
            : state == 'T' ? " (stopped)"
            : state == 't' ? " (held by a debugger)"
            : state == 'D' ? " (waiting in the kernel)"
            : state == 'Z' ? " (ended)"
                           : "");
}

static void dump_hand(FILE *f, mr_loader *l, uint32_t lane, uint32_t i)
{
    const struct mr_hand *hand = mr__hand(&l->s.arena, lane, i);
    uint32_t activity = MR_GET(hand->activity);
    fprintf(f, "%s for %.3f s", activity < MR_ACTIVITIES ? activities[activity] : "?",
            seconds_since(MR_GET(hand->doing_since_ns)));
    if (!MR_GET(hand->busy))
        return;
    uint64_t sample = MR_GET(hand->sample);
    fprintf(f, ", sequence %" PRIu64 " row %u (slot %u)", MR_GET(hand->seq) - 1, MR_GET(hand->task),
            MR_GET(hand->slot));
    if (sample != UINT64_MAX) {
        const struct mr_index *index = &l->s.index;
        int column = l->s.plan->image_column;
        fprintf(f, ", sample %" PRIu64, sample);
        char *path = index->head && column >= 0 && sample < index->head->samples
                         ? mr__index_full_path(index, column, sample)
                         : NULL;
        if (path && *path)
            fprintf(f, " '%s'", path);
        free(path);
    }
    if (MR_GET(hand->attempt))
        fprintf(f, ", substitute %u", MR_GET(hand->attempt));
    fprintf(f, ", for %.3f s", seconds_since(MR_GET(hand->since_ns)));
}

static void dump_lane(FILE *f, mr_loader *l, uint32_t lane)
{
    const struct mr_arena *a = &l->s.arena;
    const struct mr_lane *own = mr__lane(a, lane);
    if (lane >= MR_LANE_PRODUCERS)
        fprintf(f, "  producer %u", lane - MR_LANE_PRODUCERS);
    else
        fprintf(f, "  %s", lane == MR_LANE_WARDEN ? "warden" : "commander");
    dump_process(f, MR_GET(own->pid));
    if (lane == MR_LANE_WARDEN) {
        fprintf(f, "\n");
        return;
    }
    for (uint32_t i = 0; i < (lane == MR_LANE_COMMANDER ? 1 : a->shape.hands); i++) {
        fprintf(f, a->shape.hands > 1 && i ? "\n    thread %u: " : ", ", i);
        dump_hand(f, l, lane, i);
    }
    fprintf(f, lane >= MR_LANE_PRODUCERS ? ", %" PRIu64 " rows done\n" : "\n",
            MR_GET(own->count[MR_COUNT_ROWS]));
}

static void dump_stuck(FILE *f, const struct mr_stuck *stuck)
{
    uint32_t pid = MR_GET(stuck->pid);
    if (!pid)
        return;
    fprintf(f, "  once producer %u", MR_GET(stuck->lane) - MR_LANE_PRODUCERS);
    dump_process(f, pid);
    fprintf(f, ", killed %.3f s ago and not gone yet\n", seconds_since(MR_GET(stuck->since_ns)));
}

static void dump_slot(FILE *f, const struct mr_arena *a, uint32_t i)
{
    uint64_t w = mr__word_load(&mr__slot(a, i)->word);
    uint32_t count[MR_ROW_STATES] = {0};
    const uint64_t *rows = mr__slot_rows(a, i);
    for (uint32_t r = 0; r < a->shape.tasks; r++) {
        uint64_t word = mr__word_load(&rows[r]);
        if (mr__row_gen(word) == (uint32_t)mr__slot_seq(w) && mr__row_state(word) < MR_ROW_STATES)
            count[mr__row_state(word)]++;
    }
    fprintf(f, "  slot %u: %s%s%s, sequence %" PRId64 ", rows empty %u busy %u done %u bad %u\n", i,
            mr__slot_state(w) < MR_SLOT_STATES ? states[mr__slot_state(w)] : "?",
            mr__slot_moved(w) ? " (its batch has moved)" : "",
            mr__slot_state(w) == MR_SLOT_PROCESSING && mr__trainer_tainted(a, i, mr__slot_seq(w))
                ? " (tainted)"
                : "",
            (int64_t)mr__slot_seq(w) - 1, count[0], count[1], count[2], count[3]);
}

static void dump_feedback(FILE *f, const mr_loader *l)
{
    if (!l->s.feedback.base)
        return;
    const struct mr_feedback_head *head = mr__feedback_head(&l->s.feedback);
    uint64_t waits_for = MR_GET(head->waits_for);
    fprintf(f, "  feedback: of this rank's batches %" PRIu64 " are delivered, %" PRIu64 " applied",
            l->learned.place, MR_GET(head->applied));
    if (waits_for)
        fprintf(f, "; the commander waits for the feedback of number %" PRIu64, waits_for);
    fprintf(f, "\n");
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
    const struct mr_arena *a = &l->s.arena;
    FILE *f = open_memstream(&text, &bytes);
    if (f) {
        fprintf(f, "loader: epoch %" PRIu64 ", %" PRIu64 " batches delivered, %u leased\n",
                l->epoch, l->returned, l->leases);
        for (uint32_t i = 0; i < mr__lane_count(a); i++)
            dump_lane(f, l, i);
        for (uint32_t i = 0; i < MR_STUCK_MAX; i++)
            dump_stuck(f, &a->control->stuck[i]);
        for (uint32_t i = 0; i < a->shape.slots; i++)
            dump_slot(f, a, i);
        dump_feedback(f, l);
        if (mr__run_failed(a, &e))
            fprintf(f, "  failed: %s\n", e.text);
    }
    mr__loader_leave(l);
    if (mr__stream_text(f, &text))
        return text;
    mr__fail(&e, MR_E_MEMORY, "no memory for the dump");
    mr__keep_error(&e);
    return NULL;
}
