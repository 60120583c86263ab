/* SPDX-License-Identifier: Apache-2.0
 *
 * cpus.c: how many processors there are for us: a container's quota and the affinity count, not the
 * machine.
 */
#include "pipe/plan.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

static int quota(const char *format, const char *path, const char *period_path)
{
    long long max = -1, period = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    int got = fscanf(f, format, &max, &period);
    fclose(f);
    if (got == 1 && period_path && (f = fopen(period_path, "re"))) {
        got += fscanf(f, "%lld", &period) == 1;
        fclose(f);
    }
    return got == 2 && max > 0 && period > 0 ? (int)((max + period - 1) / period) : 0;
}

int mr__cpus(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int limit = quota("%lld %lld", "/sys/fs/cgroup/cpu.max", NULL);
    if (!limit)
        limit = quota("%lld", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
                      "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (limit && limit < n)
        n = limit;
    return n > 0 ? n : 1;
}
