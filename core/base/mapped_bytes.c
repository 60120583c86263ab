/* SPDX-License-Identifier: Apache-2.0
 *
 * mapped_bytes.c: the handler leaves by siglongjmp. It may: what it interrupts is a load of a use,
 * which holds no lock and has nothing to put back.
 */
#include "mapped_bytes.h"

#include "stream_copy.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_bool allowed;

static _Thread_local struct {
    volatile uintptr_t first, end; /* what is looked at; 0, 0: nothing */
    sigjmp_buf out;
} looking;

void mr__mapped_allow(bool allow)
{
    atomic_store_explicit(&allowed, allow, memory_order_relaxed);
}

void mr__mapped_fault_here(int signo, const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    if (signo != SIGBUS || info->si_code <= 0 || at < looking.first || at >= looking.end)
        return;
    mr__mapped_allow(false);
    siglongjmp(looking.out, 1);
}

static bool look(const char *map, size_t bytes, size_t at, mr_mapped_use *use, void *ctx)
{
    bool done = false;
    if (sigsetjmp(looking.out, 1) == 0) {
        looking.first = (uintptr_t)map;
        looking.end = (uintptr_t)map + bytes;
        atomic_signal_fence(memory_order_seq_cst);
        use(ctx, (const uint8_t *)map + at);
        atomic_signal_fence(memory_order_seq_cst);
        done = true;
    }
    looking.first = looking.end = 0;
    return done;
}

void mr__mapped_copy(void *ctx, const uint8_t *bytes)
{
    const struct mr_mapped_copy *copy = ctx;
    mr__stream_copy(copy->to, bytes, copy->n);
}

bool mr__mapped_bytes(int fd, uint64_t at, size_t n, mr_mapped_use *use, void *ctx)
{
    size_t before = at % (size_t)sysconf(_SC_PAGESIZE), bytes = before + n;
    if (!MR_STREAM_COPY || !atomic_load_explicit(&allowed, memory_order_relaxed) ||
        n < MR_MAPPED_LEAST)
        return false;
    char *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, (off_t)(at - before));
    if (map == MAP_FAILED)
        return false;
    bool done = look(map, bytes, before, use, ctx);
    munmap(map, bytes);
    return done;
}
