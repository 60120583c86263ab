/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "base/crash_point.h"
#include "shm/slot.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t one_writer = PTHREAD_MUTEX_INITIALIZER;

static void append(struct mr_lane *lane, const struct mr_event *event)
{
    uint32_t head = MR_GET(lane->event_head);
    uint32_t tail = __atomic_load_n(&lane->event_tail, __ATOMIC_ACQUIRE);
    if (head - tail >= MR_LANE_EVENTS) {
        mr__lane_count_up(lane, MR_COUNT_EVENTS_LOST, 1);
        return;
    }
    struct mr_event *cell = &lane->events[head % MR_LANE_EVENTS];
    *cell = *event;
    cell->time_ns = mr__now_ns();
    /* Release: the reader that sees the head sees the cell. A writer that dies before leaves
     * nothing. */
    MR_CRASH_POINT("report.written");
    __atomic_store_n(&lane->event_head, head + 1, __ATOMIC_RELEASE);
}

void mr__report(const struct mr_arena *a, uint32_t lane, const struct mr_event *event)
{
    pthread_mutex_lock(&one_writer);
    append(mr__lane(a, lane), event);
    pthread_mutex_unlock(&one_writer);
    MR_CRASH_POINT("report.appended");
    mr__signal_ready(a);
}

void mr__report_log(const struct mr_arena *a, uint32_t lane, int level, const char *fmt, ...)
{
    struct mr_event event = {.kind = MR_EVENT_LOG, .code = level};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(event.text, sizeof event.text, fmt, ap);
    va_end(ap);
    mr__report(a, lane, &event);
}

bool mr__report_take(const struct mr_arena *a, uint32_t lane, struct mr_event *event)
{
    struct mr_lane *l = mr__lane(a, lane);
    uint32_t tail = MR_GET(l->event_tail);
    uint32_t head = __atomic_load_n(&l->event_head, __ATOMIC_ACQUIRE);
    if (head - tail > MR_LANE_EVENTS) { /* scribbled on: nothing there is worth reading */
        __atomic_store_n(&l->event_tail, head, __ATOMIC_RELEASE);
        return false;
    }
    if (head == tail)
        return false;
    *event = l->events[tail % MR_LANE_EVENTS];
    event->text[sizeof event->text - 1] = 0; /* the cell may have been scribbled on */
    __atomic_store_n(&l->event_tail, tail + 1, __ATOMIC_RELEASE);
    return true;
}

void mr__fail_run(const struct mr_arena *a, const struct mr_errbuf *e)
{
    struct mr_control *c = a->control;
    uint32_t none = MR_FAILURE_NONE;
    if (!__atomic_compare_exchange_n(&c->failure, &none, MR_FAILURE_WRITING, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return;
    MR_CRASH_POINT("fail.claimed");
    c->failure_code = e->code;
    snprintf(c->failure_text, sizeof c->failure_text, "%s", e->text);
    MR_CRASH_POINT("fail.written");
    __atomic_store_n(&c->failure, MR_FAILURE_SET, __ATOMIC_RELEASE);
    MR_CRASH_POINT("fail.set");
    mr__warden_wake_all(a);
}

void mr__finish_failure(const struct mr_arena *a)
{
    struct mr_control *c = a->control;
    uint32_t writing = MR_FAILURE_WRITING;
    for (int i = 0; i < 10; i++) { /* a living writer needs microseconds */
        if (__atomic_load_n(&c->failure, __ATOMIC_ACQUIRE) != MR_FAILURE_WRITING)
            return;
        poll(NULL, 0, 1);
    }
    c->failure_code = MR_E_DIED;
    snprintf(c->failure_text, sizeof c->failure_text,
             "a process of the loader failed, and died before it could say why");
    if (__atomic_compare_exchange_n(&c->failure, &writing, MR_FAILURE_SET, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        mr__warden_wake_all(a);
}

bool mr__run_failed(const struct mr_arena *a, struct mr_errbuf *e)
{
    const struct mr_control *c = a->control;
    if (__atomic_load_n(&c->failure, __ATOMIC_ACQUIRE) != MR_FAILURE_SET)
        return false;
    e->code = c->failure_code < 0 ? c->failure_code : MR_E_CORRUPT;
    e->placed = false;
    memcpy(e->text, c->failure_text, sizeof e->text);
    e->text[sizeof e->text - 1] = 0;
    return true;
}
