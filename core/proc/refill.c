/* SPDX-License-Identifier: Apache-2.0
 *
 * refill.c: after a crash by SEGV, BUS, ILL or ABRT nobody knows where the process has stored
 * before. What is not delivered yet is made again: by then no producer may live, so all are ended.
 * Until then the trainer leases nothing (control->doubt), and the rows of the dead are not given
 * back, or their slots could be finished by others around the damage.
 * The plan is safe (producers map it read-only), and since a row is a function of its message, the
 * second filling is the first one bit for bit.
 */
#include "seats.h"

#include "base/crash_point.h"
#include "shm/report.h"

void mr__refill_begin(struct mr_warden *w)
{
    w->refilling = true;
    __atomic_store_n(&w->a->control->doubt, 1, __ATOMIC_SEQ_CST);
    MR_CRASH_POINT("warden.refill_begun");
    for (uint32_t i = MR_LANE_PRODUCERS; i < w->nseats; i++)
        mr__fence_begin(w, i, MR_WHY_REFILL);
}

static bool somebody_lives(const struct mr_warden *w)
{
    for (uint32_t i = MR_LANE_PRODUCERS; i < w->nseats; i++)
        if (w->seats[i].child.pid)
            return true;
    return false;
}

void mr__refill_check(struct mr_warden *w)
{
    struct mr_errbuf e;
    uint32_t tainted = 0;
    if (!w->refilling || somebody_lives(w))
        return;
    MR_CRASH_POINT("warden.all_ended");
    w->refilling = false;
    for (uint32_t i = MR_LANE_PRODUCERS; i < w->nseats; i++) {
        if (w->seats[i].owed)
            mr__warden_recover(w->a, w->seats[i].owed);
        w->seats[i].owed = 0;
    }
    if (mr__arena_check_words(w->a, &e) < 0) {
        mr__context(&e, "a producer that crashed has written into the loader's control memory");
        mr__fail_run(w->a, &e);
        return;
    }
    uint32_t slots = mr__warden_refill(w->a, &tainted);
    __atomic_store_n(&w->a->control->doubt, 0, __ATOMIC_SEQ_CST);
    mr__signal_ready(w->a);
    MR_CRASH_POINT("warden.refilled");
    MR_TALLY(w, refills, 1);
    MR_TALLY(w, tainted, tainted);
    mr__report_log(w->a, MR_LANE_WARDEN, MR_REPORT_WARNING,
                   "after the crash %u slots are filled again, since stray stores may have hit "
                   "them%s",
                   slots,
                   tainted ? "; batches that the trainer holds now cannot be, and are marked as "
                             "tainted"
                           : "");
}
