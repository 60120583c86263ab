/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/read_clock.h"

#include "shm/report.h"

#include <sys/resource.h>

#define LONG_NS 10000 /* no device answers sooner */

static long switches_so_far(void)
{
    struct rusage u;
    return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_nvcsw : 0;
}

void mr__read_begin(struct mr_read_clock *c)
{
    *c = (struct mr_read_clock){mr__now_ns(), switches_so_far()};
}

static void count(struct mr_lane *lane, uint64_t ns, bool waited)
{
    mr__lane_count_up(lane, MR_COUNT_READ_NS, ns);
    if (waited)
        mr__lane_count_up(lane, MR_COUNT_READ_WAIT_NS, ns);
}

bool mr__read_end(const struct mr_read_clock *c, struct mr_lane *lane)
{
    bool waited = switches_so_far() != c->switches;
    count(lane, mr__now_ns() - c->from_ns, waited);
    return waited;
}

void mr__read_parts_begin(struct mr_read_clock *c)
{
    c->switches = switches_so_far();
}

uint64_t mr__read_part_begin(struct mr_read_clock *c)
{
    return c->from_ns = mr__now_ns();
}

bool mr__read_part_end(struct mr_read_clock *c, struct mr_lane *lane, uint64_t *now_ns)
{
    *now_ns = mr__now_ns();
    uint64_t ns = *now_ns - c->from_ns;
    long before = c->switches;
    if (ns >= LONG_NS)
        c->switches = switches_so_far();
    count(lane, ns, c->switches != before);
    return c->switches != before;
}
