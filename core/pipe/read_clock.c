/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/read_clock.h"

#include "shm/report.h"

#include <sys/resource.h>

static long switches_so_far(void)
{
    struct rusage u;
    return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_nvcsw : 0;
}

void mr__read_begin(struct mr_read_clock *c)
{
    *c = (struct mr_read_clock){mr__now_ns(), switches_so_far()};
}

bool mr__read_end(const struct mr_read_clock *c, struct mr_lane *lane)
{
    bool waited = switches_so_far() != c->switches;
    uint64_t ns = mr__now_ns() - c->from_ns;
    mr__lane_count_up(lane, MR_COUNT_READ_NS, ns);
    if (waited)
        mr__lane_count_up(lane, MR_COUNT_READ_WAIT_NS, ns);
    return waited;
}
