/* SPDX-License-Identifier: Apache-2.0 */
#include "oom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All three files have lines "key number". */
static bool read_kills(const char *path, uint64_t *kills)
{
    char line[256];
    bool found = false;
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f))
        if (!strncmp(line, "oom_kill ", 9)) {
            *kills = strtoull(line + 9, NULL, 10);
            found = true;
        }
    fclose(f);
    return found;
}

static bool try_path(struct mr_oom *oom, const char *mount, const char *own, const char *file)
{
    int n = snprintf(oom->path, sizeof oom->path, "%s%s%s", mount, own, file);
    return n > 0 && (size_t)n < sizeof oom->path && read_kills(oom->path, &oom->seen);
}

static bool find_cgroup(struct mr_oom *oom)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        const char *own = strrchr(line, ':');
        if (!own)
            continue;
        if (!strncmp(line, "0::", 3))
            found = try_path(oom, "/sys/fs/cgroup", own + 1, "/memory.events");
        else if (strstr(line, ":memory:"))
            found = try_path(oom, "/sys/fs/cgroup/memory", own + 1, "/memory.oom_control");
        /* In a container the path is the host's, and the mount begins at our own cgroup. */
        if (!found && strstr(line, ":memory:"))
            found = try_path(oom, "/sys/fs/cgroup/memory", "", "/memory.oom_control");
    }
    fclose(f);
    return found;
}

void mr__oom_open(struct mr_oom *oom)
{
    if (!find_cgroup(oom) && !try_path(oom, "/proc/vmstat", "", ""))
        oom->path[0] = 0;
}

bool mr__oom_take(struct mr_oom *oom)
{
    uint64_t kills = 0;
    if (!oom->path[0] || !read_kills(oom->path, &kills) || kills <= oom->seen)
        return false;
    oom->seen++;
    return true;
}

void mr__oom_forget(struct mr_oom *oom)
{
    if (oom->path[0])
        read_kills(oom->path, &oom->seen);
}
