/* SPDX-License-Identifier: Apache-2.0 */
#include "wait.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Never FUTEX_PRIVATE_FLAG: the waiters are other processes. */
static void wake_all(struct mr_bell *bell)
{
    syscall(SYS_futex, &bell->count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void mr__bell_ring(struct mr_bell *bell)
{
    /* Sequentially consistent against the waiter's increment: either the ringer sees the waiter, or
     * the kernel, comparing on the waiter's behalf, sees the new count. */
    __atomic_fetch_add(&bell->count, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&bell->waiters, __ATOMIC_SEQ_CST))
        wake_all(bell);
}

void mr__bell_ring_hard(struct mr_bell *bell)
{
    __atomic_fetch_add(&bell->count, 1, __ATOMIC_SEQ_CST);
    wake_all(bell);
}

void mr__bell_distrust(struct mr_bell *bell)
{
    __atomic_store_n(&bell->waiters, UINT32_MAX / 2, __ATOMIC_SEQ_CST); /* never down to 0 again */
}

void mr__bell_wait(struct mr_bell *bell, uint32_t seen, int64_t timeout_ns)
{
    struct timespec left = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    __atomic_fetch_add(&bell->waiters, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &bell->count, FUTEX_WAIT, seen, timeout_ns < 0 ? NULL : &left, NULL, 0);
    __atomic_fetch_sub(&bell->waiters, 1, __ATOMIC_SEQ_CST);
}

uint64_t mr__now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
