/* SPDX-License-Identifier: Apache-2.0
 *
 * memory_room.c: how much memory can be reserved now. A memfd that grows over a cgroup's limit is
 * not refused: the OOM killer answers. So the arithmetic comes first.
 */
#include "arena.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct room {
    uint64_t bytes;
    const char *why;
};

static void tighten(struct room *room, uint64_t bytes, const char *why)
{
    if (bytes < room->bytes) {
        room->bytes = bytes;
        room->why = why;
    }
}

static _Thread_local bool blind; /* a figure is there and could not be read */

static FILE *open_figures(const char *path)
{
    FILE *f = fopen(path, "re");
    blind |= !f && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
    return f;
}

static bool read_number(const char *folder, const char *file, uint64_t *value)
{
    char path[512], text[64];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *f = open_figures(path);
    if (!f)
        return false;
    bool ok = fgets(text, sizeof text, f) != NULL && text[0] >= '0' && text[0] <= '9';
    fclose(f);
    if (ok)
        *value = strtoull(text, NULL, 10);
    return ok;
}

static uint64_t cgroup_stat(const char *folder, const char *key)
{
    char path[512], line[256];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    FILE *f = open_figures(path);
    if (!f)
        return 0;
    size_t n = strlen(key);
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, n) && line[n] == ' ')
            bytes = strtoull(line + n + 1, NULL, 10);
    fclose(f);
    return bytes;
}

static void tighten_folder(struct room *room, const char *folder, const char *limit,
                           const char *usage, const char *file_key, const char *shmem_key,
                           const char *why)
{
    uint64_t max, now;
    if (!read_number(folder, limit, &max) || !read_number(folder, usage, &now))
        return;
    /* File pages are given back under pressure, so they count as room; shared memory is counted
     * among them and is not. */
    uint64_t file = cgroup_stat(folder, file_key), shmem = cgroup_stat(folder, shmem_key);
    uint64_t given_back = file > shmem ? file - shmem : 0;
    uint64_t used = now > given_back ? now - given_back : 0;
    tighten(room, max > used ? max - used : 0, why);
}

/* Every level from the process's own cgroup up to the root can limit. */
static void tighten_tree(struct room *room, const char *mount, const char *own, bool v2)
{
    char folder[400];
    snprintf(folder, sizeof folder, "%s%s", mount, own);
    for (;;) {
        if (v2)
            tighten_folder(room, folder, "memory.max", "memory.current", "file", "shmem",
                           "the cgroup's memory.max");
        else
            tighten_folder(room, folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
                           "total_cache", "total_shmem", "the cgroup's memory.limit_in_bytes");
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < strlen(mount))
            return;
        *slash = 0;
    }
}

static void tighten_cgroups(struct room *room)
{
    char line[512];
    FILE *f = open_figures("/proc/self/cgroup");
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *path = strrchr(line, ':');
        if (!path || strlen(path) > 300)
            continue;
        if (!strncmp(line, "0::", 3))
            tighten_tree(room, "/sys/fs/cgroup", path + 1, true);
        else if (strstr(line, ":memory:"))
            tighten_tree(room, "/sys/fs/cgroup/memory", path + 1, false);
    }
    fclose(f);
}

static void tighten_meminfo(struct room *room)
{
    char line[256];
    FILE *f = open_figures("/proc/meminfo");
    if (!f)
        return;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, "MemAvailable:", 13))
            tighten(room, strtoull(line + 13, NULL, 10) * 1024, "MemAvailable");
    fclose(f);
}

uint64_t mr__memory_room(const char **why)
{
    struct room room = {UINT64_MAX, "nothing"};
    struct rlimit fsize;
    blind = false;
    tighten_cgroups(&room);
    tighten_meminfo(&room);
    if (getrlimit(RLIMIT_FSIZE, &fsize) == 0 && fsize.rlim_cur != RLIM_INFINITY)
        tighten(&room, fsize.rlim_cur, "RLIMIT_FSIZE (ulimit -f)");
    if (blind) /* not "no limit" */
        tighten(&room, 0, "no file descriptor is left: raise RLIMIT_NOFILE ('ulimit -n')");
    *why = room.why;
    return room.bytes;
}
