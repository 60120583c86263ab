/* SPDX-License-Identifier: Apache-2.0
 *
 * feedback.c: the memory of the feedback: made by the trainer, grown by the warden when the samples
 * are counted, mapped by the trainer and the commander.
 */
#include "shm/feedback.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) / to * to;
}

void mr__feedback_shape(struct mr_feedback *f, uint32_t rows, uint32_t slots, uint32_t delay)
{
    uint64_t row = sizeof(uint64_t) + 2 * sizeof(float);
    *f = (struct mr_feedback){.fd = -1, .rows = rows, .delay = delay};
    f->entries = delay + slots + 2; /* the batches ahead of a place, and those not yet applied */
    f->entry_bytes = sizeof(struct mr_feedback_entry) + round_up(rows * row, MR_LINE);
    f->off_weights = sizeof(struct mr_feedback_head) + f->entries * f->entry_bytes;
}

int mr__feedback_create(struct mr_feedback *f, bool hold, struct mr_errbuf *e)
{
    struct mr_feedback_head head = {.hold = hold};
    f->fd = memfd_create("millrace-feedback", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (f->fd < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot create shared memory (memfd_create)");
    if (pwrite(f->fd, &head, sizeof head, 0) != (ssize_t)sizeof head)
        return mr__fail_errno(e, MR_E_MEMORY, "cannot write shared memory for the feedback");
    return MR_OK;
}

static void lay_out(struct mr_feedback *f, uint64_t leaves)
{
    f->off_given = round_up(f->off_weights + mr__weights_bytes(leaves), MR_LINE);
    f->weights.n = leaves;
    f->bytes = f->off_given + mr__feedback_given_bytes(f);
}

/* The last part is only used when a state brings weights, and costs nothing until then. */
static int reserve(const struct mr_feedback *f, uint64_t leaves, struct mr_errbuf *e)
{
    struct mr_feedback grown = *f;
    const char *why;
    uint64_t room = mr__memory_room(&why);
    if (leaves == 0 || leaves > UINT64_MAX / 64)
        return mr__fail(e, MR_E_LIMIT, "a sampler cannot have %llu weights",
                        (unsigned long long)leaves);
    lay_out(&grown, leaves);
    if (grown.bytes > room / 5 * 4)
        return mr__fail(e, MR_E_MEMORY,
                        "the sampler's %llu weights and its feedback need %.1f MB, and 80 %% of "
                        "the %.1f MB that %s leaves are allowed: use a machine with more memory, "
                        "or a smaller data set",
                        (unsigned long long)leaves, (double)grown.bytes / 1e6, (double)room / 1e6,
                        why);
    if (ftruncate(f->fd, (off_t)grown.bytes) < 0)
        return mr__fail_errno(e, MR_E_MEMORY, "cannot make %.1f MB of shared memory for weights",
                              (double)grown.bytes / 1e6);
    errno = posix_fallocate(f->fd, 0, (off_t)grown.off_given);
    if (errno)
        return mr__fail_errno(e, MR_E_MEMORY, "cannot reserve %.1f MB of shared memory for weights",
                              (double)grown.off_given / 1e6);
    if (pwrite(f->fd, &leaves, sizeof leaves, offsetof(struct mr_feedback_head, leaves)) !=
            (ssize_t)sizeof leaves ||
        fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot seal shared memory");
    return MR_OK;
}

int mr__feedback_grow(const struct mr_feedback *f, const struct mr_learner *learner, void *sampler,
                      struct mr_errbuf *e)
{
    struct mr_feedback own = *f; /* the children map it themselves, if they need it */
    int rc = reserve(f, learner->weights(sampler), e);
    if (rc >= 0)
        rc = mr__feedback_attach(&own, learner, sampler, e);
    if (rc < 0)
        return rc;
    mr__weights_fill(&own.weights, learner->initial(sampler));
    munmap(own.base, own.bytes);
    MR_CRASH_POINT("warden.weights_made");
    return MR_OK;
}

int mr__feedback_attach(struct mr_feedback *f, const struct mr_learner *learner, void *sampler,
                        struct mr_errbuf *e)
{
    struct stat st;
    uint64_t leaves = 0;
    if (fstat(f->fd, &st) < 0 || pread(f->fd, &leaves, sizeof leaves, 0) != (ssize_t)sizeof leaves)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot look at the feedback memory");
    if (leaves && leaves <= UINT64_MAX / 64)
        lay_out(f, leaves);
    if (!f->bytes || (uint64_t)st.st_size != f->bytes || leaves != learner->weights(sampler))
        return mr__fail(e, MR_E_CORRUPT, "the feedback memory is not the sampler's");
    void *map = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (map == MAP_FAILED)
        return mr__fail_errno(e, MR_E_MEMORY, "cannot map the %.1f MB of the feedback memory",
                              (double)f->bytes / 1e6);
    madvise(map, f->bytes, MADV_DONTFORK);
    f->base = map;
    f->learner = learner;
    f->sampler = sampler;
    mr__weights_place(&f->weights, f->base + f->off_weights, leaves);
    return MR_OK;
}

void mr__feedback_close(struct mr_feedback *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

void mr__feedback_release(struct mr_feedback *f)
{
    if (f->base)
        munmap(f->base, f->bytes);
    f->base = NULL;
    mr__feedback_close(f);
}
