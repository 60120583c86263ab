/* SPDX-License-Identifier: Apache-2.0
 *
 * worker_run.c: mr_worker_run: a program of its own as a producer.
 */
#include "pipe/last_error.h"
#include "pipe/session.h"
#include "proc/crash.h"
#include "shm/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static int find_place(uint32_t *lane, uint32_t *lease, struct mr_errbuf *e)
{
    const char *place = getenv("MILLRACE_WORKER");
    if (place && sscanf(place, "%u:%u", lane, lease) == 2)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE,
                    "this program is a Millrace producer: name it in a config's "
                    "'producer: {exec: ...}' and run that");
}

static int attach(struct mr_session *s, uint32_t lane, uint32_t lease, struct mr_errbuf *e)
{
    int rc = mr__boot_read(s, e);
    s->feedback.fd = -1; /* what lies there is this program's own */
    if (rc >= 0 && (lane < MR_LANE_PRODUCERS || lane >= mr__lane_count(&s->arena)))
        rc = mr__fail(e, MR_E_USAGE, "there is no lane %u", lane);
    /* The warden watches the process that it started. Another one, a shell's child say, could
     * outlive it unseen and write into rows that have been given to others. */
    if (rc >= 0 && MR_GET(mr__lane(&s->arena, lane)->pid) != (uint32_t)getpid())
        rc = mr__fail(e, MR_E_USAGE,
                      "this is not the process that the warden started: in a script, start the "
                      "producer with exec");
    if (rc >= 0)
        rc = mr__session_bind_copy(s, e);
    if (rc >= 0)
        rc = mr__arena_protect_plan(&s->arena, e);
    if (rc >= 0) {
        MR_SET(mr__lane(&s->arena, lane)->lease, lease);
        mr__crash_install(&s->arena, lane, true);
    }
    return rc;
}

int mr_worker_run(const mr_producer *producer)
{
    struct mr_errbuf e = {0};
    struct mr_session s;
    uint32_t lane, lease;
    int rc = find_place(&lane, &lease, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    rc = attach(&s, lane, lease, &e);
    if (rc >= 0 && producer)
        rc = mr__run_user_producer(&s, lane, lease, producer, &e);
    else if (rc >= 0 && s.plan->pipe)
        rc = mr__run_producer(&s, lane, lease, &e);
    else if (rc >= 0)
        rc = mr__fail(&e, MR_E_USAGE,
                      "mr_worker_run(NULL) runs the config's ops, and this config "
                      "has none");
    if (rc < 0 && s.arena.control)
        mr__fail_run(&s.arena, &e);
    mr__crash_remove();
    mr__session_release(&s);
    return rc < 0 ? mr__keep_error(&e) : MR_OK;
}
