/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include "shm/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC 0x314543415252494dull /* "MIRRACE1", little-endian */

_Static_assert(sizeof(struct mr_plan_head) <= MR_LINE, "the head has one line before the messages");
_Static_assert(sizeof(struct mr_slot) == MR_LINE, "one slot word per line");

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

static void lay_out(struct mr_control *c, const struct mr_arena_spec *s)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    c->magic = MAGIC;
    c->signature = s->signature;
    memcpy(c->build_id, mr__build_id(), strnlen(mr__build_id(), MR_BUILD_ID_BYTES - 1));
    c->slots = s->slots;
    c->rows = s->rows;
    c->tasks = s->tasks;
    c->producers = s->producers;
    c->hands = s->hands ? s->hands : 1;
    c->max_restarts = 5;
    c->message_bytes = s->message_bytes;
    c->slot_data_bytes = s->slot_data_bytes;
    c->slot_plan_bytes = round_up(MR_LINE + s->rows * s->message_bytes + s->state_bytes, page);
    c->state_bytes = s->state_bytes;
    c->cursor_bytes = round_up(sizeof(struct mr_cursor) + s->state_bytes, page);
    c->off_lanes = round_up(sizeof *c, MR_LINE);
    uint64_t lanes = MR_LANE_PRODUCERS + s->producers;
    c->off_hands = c->off_lanes + lanes * sizeof(struct mr_lane);
    c->off_slots = c->off_hands + lanes * c->hands * sizeof(struct mr_hand);
    c->off_rows = c->off_slots + s->slots * sizeof(struct mr_slot);
    c->listed_max = s->listed_max;
    c->list_hash = s->list_hash;
    c->off_verdicts = c->off_rows + (uint64_t)s->slots * s->tasks * 8;
    c->control_bytes = c->off_verdicts;
    c->control_bytes += (s->listed_max + 2 * MR_VERDICTS_MAX) * sizeof(struct mr_verdict);
    c->control_bytes = round_up(c->control_bytes, page);
    c->plan_bytes = 2 * c->cursor_bytes + s->slots * c->slot_plan_bytes;
    c->data_bytes = s->slots * c->slot_data_bytes;
}

static int check_room(uint64_t bytes, const struct mr_arena_spec *s, struct mr_errbuf *e)
{
    const char *why;
    uint64_t room = mr__memory_room(&why);
    if (bytes <= room / 5 * 4) /* the rest is for the producers' heaps and the page cache */
        return MR_OK;
    return mr__fail(
        e, MR_E_MEMORY,
        "the arena needs %.1f MB (%u slots of %.1f MB) and 80 %% of the %.1f MB that %s "
        "leaves are allowed: make 'slots', 'batch.size' or the fields' shapes or dtypes "
        "smaller",
        (double)bytes / 1e6, s->slots, (double)s->slot_data_bytes / 1e6, (double)room / 1e6, why);
}

/* A memfd of a size that is really there: mmap alone would promise pages and break the promise by
 * SIGBUS. */
static int make_region(const char *name, uint64_t bytes, int *fd, void **map, struct mr_errbuf *e)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot create shared memory (memfd_create)");
    int rc = posix_fallocate(*fd, 0, (off_t)bytes);
    if (rc) {
        errno = rc;
        return mr__fail_errno(e, MR_E_MEMORY, "cannot reserve %.1f MB of shared memory",
                              (double)bytes / 1e6);
    }
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

int mr__arena_create(struct mr_arena *a, const struct mr_arena_spec *s, struct mr_errbuf *e)
{
    struct mr_control c;
    memset(&c, 0, sizeof c);
    lay_out(&c, s);
    memset(a, 0, sizeof *a);
    a->control_fd = a->plan_fd = a->data_fd = a->ready_fd = a->warden_fd = -1;
    int rc = check_room(c.control_bytes + c.plan_bytes + c.data_bytes, s, e);
    if (rc == MR_OK)
        rc = make_region("millrace-control", c.control_bytes, &a->control_fd, (void **)&a->control,
                         e);
    if (rc == MR_OK) { /* before the others, so that unmapping knows their sizes */
        memcpy(a->control, &c, sizeof c);
        rc = make_region("millrace-plan", c.plan_bytes, &a->plan_fd, (void **)&a->plan, e);
    }
    if (rc == MR_OK)
        rc = make_region("millrace-data", c.data_bytes, &a->data_fd, (void **)&a->data, e);
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

int mr__arena_attach(struct mr_arena *a, uint64_t signature, struct mr_errbuf *e)
{
    struct mr_control c;
    if (pread(a->control_fd, &c, sizeof c, 0) != (ssize_t)sizeof c || c.magic != MAGIC)
        return mr__fail(e, MR_E_CORRUPT, "the control memory is not a Millrace arena");
    if (strncmp(c.build_id, mr__build_id(), MR_BUILD_ID_BYTES - 1) != 0)
        return mr__fail(e, MR_E_VERSION,
                        "the trainer's library is build %.*s, this program's is build %s: install "
                        "both from one build, or set MILLRACE_WARDEN to the right one",
                        MR_BUILD_ID_BYTES - 1, c.build_id, mr__build_id());
    if (signature && c.signature != signature)
        return mr__fail(e, MR_E_CORRUPT,
                        "the config compiles to another plan here than in the trainer");
    int rc = map_fd(a->control_fd, c.control_bytes, (void **)&a->control, "control", e);
    if (rc == MR_OK)
        rc = map_fd(a->plan_fd, c.plan_bytes, (void **)&a->plan, "plan", e);
    if (rc == MR_OK)
        rc = map_fd(a->data_fd, c.data_bytes, (void **)&a->data, "data", e);
    return rc;
}

int mr__arena_protect_plan(struct mr_arena *a, struct mr_errbuf *e)
{
    void *map =
        mmap(a->plan, a->control->plan_bytes, PROT_READ, MAP_SHARED | MAP_FIXED, a->plan_fd, 0);
    if (map == MAP_FAILED)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot map the plan read-only");
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

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void mr__arena_unmap(struct mr_arena *a)
{
    if (a->control) {
        if (a->plan)
            munmap(a->plan, a->control->plan_bytes);
        if (a->data)
            munmap(a->data, a->control->data_bytes);
        munmap(a->control, a->control->control_bytes);
    }
    a->control = NULL;
    a->plan = a->data = NULL;
    close_fd(&a->control_fd);
    close_fd(&a->plan_fd);
    close_fd(&a->data_fd);
    close_fd(&a->ready_fd);
    close_fd(&a->warden_fd);
}
