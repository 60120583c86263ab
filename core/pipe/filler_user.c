/* SPDX-License-Identifier: Apache-2.0
 *
 * filler_user.c: a user's producer, and the rows it is given (plugin.h): one, or a whole batch with
 * `unit: batch`.
 */
#include "base/crash_point.h"
#include "base/message.h"
#include "base/rng.h"
#include "pipe/bad_note.h"
#include "shm/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mr_rows {
    struct mr_session *s;
    const mr_producer *vtable;
    void *self;
    uint32_t lane_number;
    struct mr_lane *lane;
    uint32_t slot, first;
    int32_t count;
    struct mr_tensor fields[MR_MAX_FIELDS];
    char sentence[512];
};

/* ---- what plugin.h offers ---- */

int32_t mr_rows_count(const mr_rows *rows)
{
    return rows->count;
}

const mr_message *mr_rows_message(const mr_rows *rows, int32_t row)
{
    if (row < 0 || row >= rows->count)
        return NULL;
    return mr__plan_message(&rows->s->arena, rows->slot, rows->first + (uint32_t)row);
}

static int find_field(const mr_rows *rows, const char *name)
{
    for (int i = 0; i < rows->s->plan->nfields; i++)
        if (!strcmp(rows->s->plan->fields[i].p.name, name))
            return i;
    return -1;
}

const mr_tensor *mr_rows_field(mr_rows *rows, const char *name)
{
    int i = find_field(rows, name);
    return i < 0 ? NULL : &rows->fields[i];
}

int mr_rows_set_count(mr_rows *rows, const char *name, int32_t row, uint32_t count)
{
    int i = find_field(rows, name);
    if (i < 0 || row < 0 || row >= rows->count)
        return MR_E_USAGE;
    const struct mr_plan_field *f = &rows->s->plan->fields[i];
    if (count > f->p.max_entries)
        return MR_E_USAGE;
    uint8_t *slot = mr__slot_data(&rows->s->arena, rows->slot);
    ((uint32_t *)(slot + f->counts))[rows->first + (uint32_t)row] = count;
    return MR_OK;
}

mr_rng mr_rows_rng(const mr_rows *rows, int32_t row, const char *name)
{
    const mr_message *m = mr_rows_message(rows, row);
    struct mr_row_key key = {(uint64_t)rows->s->plan->config->seed, m ? m->epoch : 0,
                             m ? m->position : 0, 0};
    return mr__rng_open(&key, name, 0);
}

int mr_rows_fail(mr_rows *rows, int code, const char *sentence)
{
    snprintf(rows->sentence, sizeof rows->sentence, "%s", sentence);
    return code;
}

/* ---- filling ---- */

/* Zeros in every field, id and valid byte of the rows: a user's producer may leave bytes out, an
 * earlier batch's must not show. */
static void clear_rows(const struct mr_rows *rows, uint32_t first, uint32_t count)
{
    const struct mr_plan *plan = rows->s->plan;
    uint8_t *slot = mr__slot_data(&rows->s->arena, rows->slot);
    for (int i = 0; i < plan->nfields; i++) {
        const struct mr_plan_field *f = &plan->fields[i];
        memset(slot + f->offset + first * f->p.row_bytes, 0, count * f->p.row_bytes);
        if (f->p.max_entries)
            memset(slot + f->counts + first * sizeof(uint32_t), 0, count * sizeof(uint32_t));
    }
    memset(slot + plan->ids + first * sizeof(uint64_t), 0xff, count * sizeof(uint64_t));
    memset(slot + plan->valid + first, 0, count);
    for (uint32_t i = 0; i < count; i++)
        mr__bad_none(rows->s, rows->slot, first + i);
}

static void mark_valid(const struct mr_rows *rows)
{
    uint8_t *slot = mr__slot_data(&rows->s->arena, rows->slot);
    for (int32_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->first + (uint32_t)i;
        ((uint64_t *)(slot + rows->s->plan->ids))[row] = mr_rows_message(rows, i)->sample;
        (slot + rows->s->plan->valid)[row] = 1;
    }
}

static int check_messages(const struct mr_rows *rows, struct mr_errbuf *e)
{
    for (int32_t i = 0; i < rows->count; i++)
        if (mr__message_check(mr_rows_message(rows, i), rows->s->arena.shape.message_bytes) < 0)
            return mr__fail(e, MR_E_CORRUPT, "the message of row %u is damaged",
                            rows->first + (uint32_t)i);
    return MR_OK;
}

/* Padded rows (sample ~0, always behind the others) are not shown to the user. */
static void choose_rows(struct mr_rows *rows, const struct mr_claim *claim)
{
    const struct mr_arena *a = &rows->s->arena;
    bool whole = a->shape.tasks == 1;
    uint32_t count = whole ? MR_GET(mr__plan_head(a, claim->slot)->rows) : 1;
    if (count > a->shape.rows)
        count = a->shape.rows;
    rows->slot = claim->slot;
    rows->first = whole ? 0 : claim->task;
    clear_rows(rows, rows->first, count);
    const struct mr_message *m;
    while (count && (m = mr__plan_message(a, claim->slot, rows->first + count - 1)) &&
           m->sample == UINT64_MAX)
        count--;
    rows->count = (int32_t)count;
    for (int i = 0; i < rows->s->plan->nfields; i++)
        mr__plan_tensor(rows->s->plan, i, mr__slot_data(a, claim->slot), rows->first, count,
                        &rows->fields[i]);
}

/* Calls the user's fill, unless a verdict knows better. *bad: the rows are, through no fault of the
 * run. */
static int try_rows(struct mr_rows *rows, const struct mr_bad_row *attempt, uint32_t *stage,
                    bool *bad, struct mr_errbuf *e)
{
    int rc = mr__bad_verdict(attempt, stage, e);
    *bad = rc < 0;
    if (rc < 0)
        return rc;
    uint64_t from = mr__now_ns();
    *stage = MR_DOING_USER;
    snprintf(rows->sentence, sizeof rows->sentence, "the producer's fill failed");
    mr__hand_attempt(mr__my_hand, attempt->key.attempt, attempt->sample);
    mr__hand_doing(mr__my_hand, MR_DOING_USER);
    rc = rows->vtable->fill(rows->self, rows);
    mr__lane_count_up(rows->lane, MR_COUNT_AUGMENT_NS, mr__now_ns() - from);
    *bad = rc == MR_E_DATA;
    if (*bad)
        return mr__fail(e, rc, "%s", rows->sentence);
    return rc < 0 ? mr__fail(e, MR_E_CODE, "%s (%d, %s)", rows->sentence, rc, mr_strerror(rc))
                  : MR_OK;
}

static void keep_bad(const struct mr_rows *rows, struct mr_bad_row attempt, uint32_t stage,
                     const struct mr_errbuf *e)
{
    for (int32_t i = 0; i < rows->count; i++) {
        attempt.row = rows->first + (uint32_t)i;
        mr__bad_keep(&attempt, stage, e);
    }
    attempt.row = rows->first;
    mr__bad_report(&attempt, (uint32_t)rows->count, e);
}

static int fill(void *ctx, const struct mr_claim *claim, uint32_t *bad, struct mr_errbuf *e)
{
    struct mr_rows *rows = ctx;
    choose_rows(rows, claim);
    if (rows->count == 0)
        return MR_OK;
    int rc = check_messages(rows, e);
    if (rc < 0)
        return rc;
    const struct mr_message *m = mr_rows_message(rows, 0); /* it stands for a whole batch */
    struct mr_bad_row attempt = {
        .s = rows->s,
        .lane = rows->lane_number,
        .claim = claim,
        .key = {(uint64_t)rows->s->plan->config->seed, m->epoch, m->position, 0},
        .sample = m->sample};
    uint32_t stage = MR_DOING_NOTHING;
    bool is_bad;
    MR_CRASH_POINT("producer.rows_shown");
    rc = try_rows(rows, &attempt, &stage, &is_bad, e);
    if (rc < 0 && !is_bad)
        return rc;
    mr__lane_count_up(rows->lane, MR_COUNT_ROWS, (uint64_t)rows->count);
    if (rc >= 0) {
        MR_CRASH_POINT("producer.user_filled");
        mark_valid(rows);
        mr__lane_count_up(rows->lane, MR_COUNT_MADE, (uint64_t)rows->count);
        return MR_OK;
    }
    clear_rows(rows, rows->first, (uint32_t)rows->count);
    keep_bad(rows, attempt, stage, e);
    /* Nobody knows a substitute for a user's message: `replace` can only leave the row out, as
     * `skip`. */
    if (rows->s->plan->config->on_error == MR_ON_ERROR_FAIL)
        *bad = (uint32_t)-rc;
    return MR_OK;
}

int mr__run_user_producer(struct mr_session *s, uint32_t lane, uint32_t lease,
                          const mr_producer *producer, struct mr_errbuf *e)
{
    struct mr_rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        return mr__fail(e, MR_E_MEMORY, "no memory for a producer");
    *rows = (struct mr_rows){.s = s,
                             .vtable = producer,
                             .self = producer->user,
                             .lane_number = lane,
                             .lane = mr__lane(&s->arena, lane)};
    struct mr_filler vtable = {rows, fill};
    int rc = producer->build ? producer->build(&rows->self, s->plan->config->producer.params) : 0;
    if (rc < 0)
        rc = mr__fail(e, MR_E_CODE, "the producer's build returned %d (%s)", rc, mr_strerror(rc));
    else
        rc = mr__producer_loop(&s->arena, lane, lease, &vtable, e);
    if (rc >= 0 && producer->destroy)
        producer->destroy(rows->self);
    free(rows);
    return rc;
}
