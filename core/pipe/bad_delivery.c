/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/bad_delivery.h"

#include "base/crash_point.h"
#include "base/message.h"
#include "base/whole_file.h"
#include "base/printable.h"
#include "pipe/bad_note.h"
#include "pipe/loader.h"
#include "pipe/pick.h"
#include "shm/slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTO_PERCENT 1.0
#define AUTO_LEAST 10
#define AUTO_MOST 1000
#define NAMED 3 /* of the bad samples, in the sentence that ends the run */

/* ---- opening ---- */

int mr__bad_open(mr_loader *l, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    struct mr_arena_spec *spec = &l->s.plan->arena;
    int rc = c->bad_list ? mr__out_file_check(c->bad_list, "the bad list", e) : MR_OK;
    if (rc >= 0 && c->bad_list_in)
        rc = mr__badlist_read(&l->bad.in, c->bad_list_in, &spec->list_hash, e);
    spec->listed_max = (uint32_t)l->bad.in.n;
    l->bad.changed = true; /* an empty list is news, too: an old file must not look like ours */
    return rc;
}

/* Samples that this rank meets in an epoch, 0: nobody knows. */
static double epoch_samples(const mr_loader *l)
{
    const struct mr_index_head *head = l->s.index.head;
    const struct mr_epochs *ep = &l->s.epochs;
    double rows = ep->counted ? (double)ep->batches * (double)ep->batch
                  : head      ? (double)head->samples
                              : 0;
    return rows / (double)l->s.plan->config->world;
}

static uint64_t share(double samples, double percent)
{
    double n = samples * percent / 100;
    return n > (double)(uint64_t)n ? (uint64_t)n + 1 : (uint64_t)n;
}

int mr__bad_start(mr_loader *l, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    double samples = epoch_samples(l);
    l->bad.list_hash = mr__session_list_hash(&l->s);
    if (c->max_bad.count >= 0) {
        l->bad.limit = (uint64_t)c->max_bad.count;
    } else if (c->max_bad.percent >= 0) {
        if (samples <= 0)
            return mr__fail(e, MR_E_CONFIG,
                            "'max_bad: %s' is a part of a data set, and with a user's commander "
                            "nobody knows how large it is: give a number",
                            c->max_bad.text);
        l->bad.limit = c->max_bad.percent >= 100 ? UINT64_MAX : share(samples, c->max_bad.percent);
    } else {
        uint64_t n = samples > 0 ? share(samples, AUTO_PERCENT) : AUTO_MOST;
        l->bad.limit = n < AUTO_LEAST ? AUTO_LEAST : n > AUTO_MOST ? AUTO_MOST : n;
    }
    return MR_OK;
}

void mr__bad_free(mr_loader *l)
{
    mr__badlist_free(&l->bad.list);
    mr__badlist_free(&l->bad.in);
}

/* ---- one attempt ---- */

void mr__bad_event(mr_loader *l, const struct mr_event *event)
{
    l->bad.events[l->bad.nevents++ % MR_BAD_EVENTS] = *event;
}

static const struct mr_event *find_event(mr_loader *l, uint64_t seq, uint32_t row, uint64_t sample)
{
    mr__loader_drain_events(l);
    for (uint32_t i = 0; i < MR_BAD_EVENTS; i++) {
        const struct mr_event *event = &l->bad.events[i];
        if (event->kind && event->seq == seq && event->row == row && event->sample == sample)
            return event;
    }
    return NULL;
}

struct delivered { /* a row of a leased slot */
    mr_loader *l;
    uint32_t slot, row;
    uint64_t seq;
    const struct mr_message *message; /* the row's, and the one that stands for its task */
    const struct mr_message *task;
};

/* Why it was bad, if its bytes were: the row's note, or what the producer said of a late attempt.
 */
static void explain(const struct delivered *d, struct mr_bad *bad, char *text, size_t bytes)
{
    const struct mr_bad_note *note = mr__bad_note(&d->l->s, d->slot, d->row, bad->v.attempt);
    const struct mr_event *event = note ? NULL : find_event(d->l, d->seq, d->row, bad->v.sample);
    int32_t reason = note ? note->reason : event ? event->code : 0;
    bad->v.reason = reason < 0 ? reason : MR_E_DATA;
    bad->v.cause = MR_CAUSE_DATA;
    bad->v.stage = note ? note->stage : MR_DOING_NOTHING;
    if (note) /* not NUL-terminated, if somebody scribbled on it */
        snprintf(text, bytes, "%.*s", (int)sizeof note->text - 1, note->text);
    else
        snprintf(text, bytes, "%s", event ? event->text : mr_strerror(MR_E_DATA));
}

static void describe_attempt(const struct delivered *d, uint32_t attempt, struct mr_bad *bad)
{
    mr_loader *l = d->l;
    char text[MR_EVENT_TEXT];
    struct mr_errbuf none;
    struct mr_verdict found;
    *bad = (struct mr_bad){.v = {.epoch = d->message->epoch,
                                 .position = d->message->position,
                                 .sample = d->message->sample,
                                 .attempt = attempt}};
    if (attempt && l->s.index.head) {
        struct mr_pick pick; /* the choice itself may be known to the commander alone */
        mr__pick_read(d->message, &pick);
        if (mr__session_need_sampler(&l->s, &none) >= 0)
            mr__session_substitute(&l->s, bad->v.epoch, bad->v.position, attempt, &pick);
        else /* no memory */
            pick.sample = UINT64_MAX;
        bad->v.sample = pick.sample;
    }
    if (mr__verdict_find(&l->s.arena, d->task->epoch, d->task->position, attempt,
                         attempt ? bad->v.sample : d->task->sample, &found)) {
        bad->v.reason = found.reason < 0 ? found.reason : MR_E_DATA;
        bad->v.cause = found.cause;
        bad->v.detail = found.detail;
        bad->v.stage = found.stage;
        bad->v.forced = found.forced;
        bad->v.listed = found.listed <= l->bad.in.n ? found.listed : 0;
        mr__verdict_describe(&found, text, sizeof text);
        const char *listed = bad->v.listed ? l->bad.in.v[bad->v.listed - 1].text : NULL;
        bad->text = strdup(listed ? listed : text);
    } else {
        explain(d, bad, text, sizeof text);
        bad->text = strdup(text);
    }
}

/* "'PATH': why", with one path; a sample of a data set that has none is named by its number. */
#define NAME_BYTES (2 * sizeof(struct mr_printable) + 8)
static void name_bad(const mr_loader *l, const struct mr_bad *bad, char text[NAME_BYTES])
{
    const char *why = bad->text ? bad->text : mr_strerror(bad->v.reason);
    char *path = mr__bad_path(bad, &l->s.index, l->s.plan->image_column);
    struct mr_printable p = mr__printable(path ? path : "", path ? strlen(path) : 0);
    bool numbered = !path && l->s.index.head && l->s.plan->image_column >= 0;
    if (path && !strstr(why, path))
        snprintf(text, NAME_BYTES, "'%s': %s", p.text, mr__printable(why, strlen(why)).text);
    else if (numbered && strncmp(why, "sample ", 7))
        snprintf(text, NAME_BYTES, "sample %llu: %s", (unsigned long long)bad->v.sample,
                 mr__printable(why, strlen(why)).text);
    else
        snprintf(text, NAME_BYTES, "%s", mr__printable(why, strlen(why)).text);
    free(path);
}

static void keep(mr_loader *l, struct mr_bad *bad)
{
    MR_CRASH_POINT("trainer.bad_taken");
    l->bad.count += bad->v.listed == 0;
    l->bad.changed = true;
    if (!mr__badlist_add(&l->bad.list, bad) && l->bad.list.n == MR_BADLIST_MAX && l->log)
        l->log(l->log_user, MR_LOG_WARNING, "the bad list is full: this sample is not in it");
}

/* ---- a batch ---- */

static uint32_t attempts_of(const struct delivered *d, bool failed)
{
    uint32_t n = mr__bad_counts(&d->l->s, d->slot)[d->row];
    bool may_be_more = d->l->s.plan->config->on_error == MR_ON_ERROR_REPLACE && d->l->s.index.head;
    if (failed && !n)
        n = 1;
    return n > 1 && !may_be_more ? 1 : n < 1000 ? n : 1000; /* it may have been scribbled on */
}

/* `on_error: fail`: the run ends at this row. */
static int end_at_row(const struct delivered *d, const struct mr_plan_head *head,
                      const struct mr_bad *bad, struct mr_errbuf *e)
{
    mr_loader *l = d->l;
    char text[NAME_BYTES];
    name_bad(l, bad, text);
    mr__fail(&l->failure, MR_E_DATA,
             "epoch %llu, batch %llu, row %u: %.700s (sample %lld); set 'on_error' to replace or "
             "skip to go on without such samples",
             (unsigned long long)head->epoch, (unsigned long long)head->batch, d->row, text,
             (long long)bad->v.sample);
    *e = l->failure;
    return MR_E_DATA;
}

/* The latest that were counted, in the order of the list. */
static void name_last(const mr_loader *l, char *text, size_t bytes)
{
    const struct mr_badlist *list = &l->bad.list;
    size_t first = list->n, at = 0;
    for (int n = 0; first > 0 && n < NAMED; first--)
        n += list->v[first - 1].v.listed == 0;
    text[0] = 0;
    for (size_t i = first; i < list->n && at < bytes; i++) {
        char one[NAME_BYTES];
        if (list->v[i].v.listed)
            continue;
        name_bad(l, &list->v[i], one);
        size_t n = strlen(one), most = 190; /* the end of a long path, and why */
        at += (size_t)snprintf(text + at, bytes - at, "%s%s%s", at ? "; " : "",
                               n > most ? "..." : "", n > most ? one + n - most : one);
    }
}

static int end_over_budget(mr_loader *l, const struct mr_plan_head *head, struct mr_errbuf *e)
{
    const struct mr_config *c = l->s.plan->config;
    char last[640];
    name_last(l, last, sizeof last);
    mr__fail(&l->failure, MR_E_DATA,
             "epoch %llu, batch %llu: %llu bad samples in this epoch are more than the %llu of "
             "'max_bad: %.20s'; the last: %s; %s",
             (unsigned long long)head->epoch, (unsigned long long)head->batch,
             (unsigned long long)l->bad.count, (unsigned long long)l->bad.limit, c->max_bad.text,
             mr__printable(last, strlen(last)).text,
             c->bad_list ? "the file 'bad_list' has them all"
                         : "set 'bad_list' to a file to have them all");
    *e = l->failure;
    return MR_E_DATA;
}

static int take_row(struct delivered *d, const struct mr_plan_head *head, struct mr_errbuf *e)
{
    uint32_t task = d->l->s.arena.shape.tasks == 1 ? 0 : d->row;
    uint64_t word = mr__word_load(&mr__slot_rows(&d->l->s.arena, d->slot)[task]);
    bool failed = mr__row_state(word) == MR_ROW_BAD;
    uint32_t n = attempts_of(d, failed);
    if (!n)
        return MR_OK;
    d->message = mr__plan_message(&d->l->s.arena, d->slot, d->row);
    d->task = mr__plan_message(&d->l->s.arena, d->slot, task);
    if (d->message->sample == UINT64_MAX)
        return MR_OK; /* padding behind a user's batch */
    for (uint32_t attempt = 0; attempt < n; attempt++) {
        struct mr_bad bad;
        describe_attempt(d, attempt, &bad);
        int rc = failed ? end_at_row(d, head, &bad, e) : MR_OK;
        keep(d->l, &bad);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

int mr__bad_deliver(mr_loader *l, uint32_t slot, uint64_t seq, const struct mr_plan_head *head,
                    struct mr_errbuf *e)
{
    struct delivered d = {.l = l, .slot = slot, .seq = seq};
    int rc = MR_OK;
    if (head->epoch != l->bad.epoch)
        l->bad.count = 0;
    l->bad.epoch = head->epoch;
    for (d.row = 0; d.row < head->rows && rc >= 0; d.row++)
        rc = take_row(&d, head, e);
    if (rc >= 0 && l->bad.count > l->bad.limit)
        rc = end_over_budget(l, head, e);
    return rc;
}
