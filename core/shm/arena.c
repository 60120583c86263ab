/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "shm/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than any config allows. */
#define SLOTS_MAX 4096
#define ROWS_MAX (1u << 20)
#define PRODUCERS_MAX 65536
#define HANDS_MAX 65536
#define MESSAGE_MAX (1u << 20)
#define LISTED_MAX (1u << 28)

#define MAGIC 0x314543415252494dull /* "MIRRACE1", little-endian */

_Static_assert(sizeof(struct mr_plan_head) <= MR_LINE, "the head has one line before the messages");
_Static_assert(sizeof(struct mr_slot) == MR_LINE, "one slot word per line");
_Static_assert(sizeof(struct mr_shape) <= offsetof(struct mr_control, free_bell),
               "the shape and max_restarts come first");
_Static_assert(offsetof(struct mr_shape, listed_max) == offsetof(struct mr_control, listed_max),
               "the shape is the head of the control region");

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

/* The sizes and offsets that follow from the numbers of the shape. */
static void lay_out(struct mr_shape *s)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    s->slot_plan_bytes = round_up(MR_LINE + s->rows * s->message_bytes + s->state_bytes, page);
    s->cursor_bytes = round_up(sizeof(struct mr_cursor) + s->state_bytes, page);
    s->off_lanes = round_up(sizeof(struct mr_control), MR_LINE);
    uint64_t lanes = MR_LANE_PRODUCERS + s->producers;
    s->off_hands = s->off_lanes + lanes * sizeof(struct mr_lane);
    s->off_slots = s->off_hands + lanes * s->hands * sizeof(struct mr_hand);
    s->off_rows = s->off_slots + s->slots * sizeof(struct mr_slot);
    s->off_verdicts = s->off_rows + (uint64_t)s->slots * s->tasks * 8;
    s->off_requests = s->off_verdicts;
    s->off_requests += (s->listed_max + 2 * MR_VERDICTS_MAX) * sizeof(struct mr_verdict);
    s->off_requests = round_up(s->off_requests, MR_LINE);
    s->control_bytes = round_up(s->off_requests + 2 * s->state_bytes, page);
    s->plan_bytes = 2 * s->cursor_bytes + s->slots * s->slot_plan_bytes;
    s->data_bytes = s->slots * s->slot_data_bytes;
}

static void shape_from(struct mr_shape *s, const struct mr_arena_spec *spec)
{
    memset(s, 0, sizeof *s);
    s->magic = MAGIC;
    s->signature = spec->signature;
    memcpy(s->build_id, mr__build_id(), strnlen(mr__build_id(), MR_BUILD_ID_BYTES - 1));
    s->slots = spec->slots + spec->spares;
    s->spares = spec->spares;
    s->rows = spec->rows;
    s->tasks = spec->tasks;
    s->producers = spec->producers;
    s->hands = spec->hands ? spec->hands : 1;
    s->listed_max = spec->listed_max;
    s->list_hash = spec->list_hash;
    s->message_bytes = spec->message_bytes;
    s->state_bytes = spec->state_bytes;
    s->slot_data_bytes = spec->slot_data_bytes;
    lay_out(s);
}

static int check_room(uint64_t bytes, const struct mr_arena_spec *s, struct mr_errbuf *e)
{
    const char *why;
    uint64_t room = mr__memory_room(&why);
    if (!room)
        return mr__fail(e, MR_E_MEMORY, "no memory for the arena's %.1f MB can be found: %s",
                        (double)bytes / 1e6, why);
    if (bytes <= room / 5 * 4) /* the rest is for the producers' heaps and the page cache */
        return MR_OK;
    return mr__fail(
        e, MR_E_MEMORY,
        "the arena needs %.1f MB (%u slots and %u spare ones of %.1f MB) and 80 %% of the %.1f MB "
        "that %s leaves are allowed: make 'slots', 'spares', 'batch.size' or the fields' shapes "
        "or dtypes smaller",
        (double)bytes / 1e6, s->slots, s->spares, (double)s->slot_data_bytes / 1e6,
        (double)room / 1e6, why);
}

/* Makes the size be really there: mmap alone would promise pages and break the promise by SIGBUS.
 */
static int reserve(int fd, uint64_t bytes, struct mr_errbuf *e)
{
    errno = posix_fallocate(fd, 0, (off_t)bytes);
    if (!errno)
        return MR_OK;
    return mr__fail_errno(e, MR_E_MEMORY,
                          "cannot reserve %.1f MB of shared memory: make 'slots', 'spares', "
                          "'batch.size' or the fields' shapes or dtypes smaller",
                          (double)bytes / 1e6);
}

int mr__arena_reserve(const struct mr_arena *a, struct mr_errbuf *e)
{
    int rc = reserve(a->plan_fd, a->shape.plan_bytes, e);
    return rc < 0 ? rc : reserve(a->data_fd, a->shape.data_bytes, e);
}

static int make_region(const char *name, uint64_t bytes, bool now, int *fd, void **map,
                       struct mr_errbuf *e)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot create shared memory (memfd_create)");
    if (ftruncate(*fd, (off_t)bytes) < 0)
        return mr__fail_errno(e, MR_E_MEMORY, "cannot make shared memory of %.1f MB",
                              (double)bytes / 1e6);
    if (now && reserve(*fd, bytes, e) < 0)
        return e->code;
    if (fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot seal shared memory");
    *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (*map == MAP_FAILED) {
        *map = NULL;
        return mr__fail_errno(e, MR_E_MEMORY, "cannot map %.1f MB of shared memory",
                              (double)bytes / 1e6);
    }
    return MR_OK;
}

int mr__arena_create(struct mr_arena *a, const struct mr_arena_spec *spec, struct mr_errbuf *e)
{
    memset(a, 0, sizeof *a);
    struct mr_shape *s = &a->shape;
    shape_from(s, spec);
    a->control_fd = a->plan_fd = a->data_fd = a->ready_fd = a->warden_fd = -1;
    int rc = check_room(s->control_bytes + s->plan_bytes + s->data_bytes, spec, e);
    if (rc == MR_OK)
        rc = make_region("millrace-control", s->control_bytes, true, &a->control_fd,
                         (void **)&a->control, e);
    if (rc == MR_OK) {
        memcpy(a->control, s, sizeof *s);
        a->control->max_restarts = 5;
        rc = make_region("millrace-plan", s->plan_bytes, false, &a->plan_fd, (void **)&a->plan, e);
    }
    if (rc == MR_OK)
        rc = make_region("millrace-data", s->data_bytes, false, &a->data_fd, (void **)&a->data, e);
    if (rc != MR_OK)
        mr__arena_unmap(a);
    return rc;
}

static int map_fd(int fd, uint64_t bytes, void **map, const char *name, struct mr_errbuf *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot look at the %s memory", name);
    if ((uint64_t)st.st_size != bytes)
        return mr__fail(e, MR_E_CORRUPT, "the %s memory has %lld bytes instead of %llu", name,
                        (long long)st.st_size, (unsigned long long)bytes);
    *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*map == MAP_FAILED) {
        *map = NULL;
        return mr__fail_errno(e, MR_E_MEMORY, "cannot map the %s memory", name);
    }
    return MR_OK;
}

/* Whether the layout is the one that its own numbers give: then nothing in it can lead outside the
 * mappings, whose sizes are held against the memfds'. */
static bool consistent(const struct mr_shape *s)
{
    struct mr_shape again = *s;
    if (s->listed_max > LISTED_MAX || s->slots > SLOTS_MAX || s->spares >= s->slots ||
        s->rows > ROWS_MAX || s->tasks > s->rows || s->producers > PRODUCERS_MAX ||
        s->hands > HANDS_MAX || s->message_bytes > MESSAGE_MAX || s->state_bytes > s->plan_bytes ||
        s->slot_data_bytes > s->data_bytes)
        return false; /* before anything is multiplied */
    lay_out(&again);
    return memcmp(&again, s, sizeof again) == 0;
}

int mr__arena_attach(struct mr_arena *a, uint64_t signature, struct mr_errbuf *e)
{
    struct mr_shape s;
    if (pread(a->control_fd, &s, sizeof s, 0) != (ssize_t)sizeof s || s.magic != MAGIC)
        return mr__fail(e, MR_E_CORRUPT, "the control memory is not a Millrace arena");
    if (strncmp(s.build_id, mr__build_id(), MR_BUILD_ID_BYTES - 1) != 0)
        return mr__fail(e, MR_E_VERSION,
                        "the trainer's library is build %.*s, this program's is build %s: install "
                        "both from one build, or set MILLRACE_WARDEN to the right one",
                        MR_BUILD_ID_BYTES - 1, s.build_id, mr__build_id());
    if (!consistent(&s))
        return mr__fail(e, MR_E_CORRUPT,
                        "the sizes in the control memory do not fit together: a process has "
                        "written over them");
    if (signature && s.signature != signature)
        return mr__fail(e, MR_E_CORRUPT,
                        "the config compiles to another plan here than in the trainer");
    int rc = map_fd(a->control_fd, s.control_bytes, (void **)&a->control, "control", e);
    if (rc == MR_OK)
        rc = map_fd(a->plan_fd, s.plan_bytes, (void **)&a->plan, "plan", e);
    if (rc == MR_OK)
        rc = map_fd(a->data_fd, s.data_bytes, (void **)&a->data, "data", e);
    a->shape = s;
    return rc;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A mapping of a descriptor that can write may be made writable again; one of a descriptor that can
 * only read may not. Without /proc it is the former. */
int mr__arena_protect_plan(struct mr_arena *a, struct mr_errbuf *e)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", a->plan_fd);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    void *map = mmap(a->plan, a->shape.plan_bytes, PROT_READ, MAP_SHARED | MAP_FIXED,
                     fd >= 0 ? fd : a->plan_fd, 0);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    if (map == MAP_FAILED)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot map the plan read-only");
    return MR_OK;
}

int mr__arena_hide_data(struct mr_arena *a, struct mr_errbuf *e)
{
    if (mprotect(a->data, a->shape.data_bytes, PROT_NONE) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot take the data memory from the commander");
    close_fd(&a->data_fd);
    return MR_OK;
}

int mr__arena_seal_data(struct mr_arena *a, struct mr_errbuf *e)
{
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
    if (fcntl(a->data_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot seal the data memory (Linux 5.1 or newer?)");
    return MR_OK;
}

void mr__arena_unmap(struct mr_arena *a)
{
    if (a->control) {
        if (a->plan)
            munmap(a->plan, a->shape.plan_bytes);
        if (a->data)
            munmap(a->data, a->shape.data_bytes);
        munmap(a->control, a->shape.control_bytes);
    }
    a->control = NULL;
    a->plan = a->data = NULL;
    close_fd(&a->control_fd);
    close_fd(&a->plan_fd);
    close_fd(&a->data_fd);
    close_fd(&a->ready_fd);
    close_fd(&a->warden_fd);
}
