/* SPDX-License-Identifier: Apache-2.0
 *
 * wait.h: waiting across processes without spinning. A bell is a 32-bit counter in shared memory:
 * look at the counter, look at the slots, then wait only while the counter is still the same.
 * Ringing wakes everybody: a wake given to one can die with its receiver (core/README.md).
 */
#ifndef MR_SHM_WAIT_H
#define MR_SHM_WAIT_H

#include <stdint.h>

struct mr_bell {
    uint32_t count;
    uint32_t waiters; /* a hint that saves system calls: too high after a waiter was killed, never
                         too low */
};

static inline uint32_t mr__bell_look(const struct mr_bell *bell)
{
    return __atomic_load_n(&bell->count, __ATOMIC_ACQUIRE);
}

/* Makes every later look different and wakes all who wait. No system call when nobody does. */
void mr__bell_ring(struct mr_bell *bell);
/* Rings and wakes without trusting the hint: for the warden after a death. */
void mr__bell_ring_hard(struct mr_bell *bell);
/* From now on the hint is never believed: a crashed process may have written over it. */
void mr__bell_distrust(struct mr_bell *bell);
/* Waits until the count differs from `seen`, a signal comes, or `timeout_ns` is over (< 0: no end).
 * Returns at once when it differs already. Spurious returns are possible: look again. */
void mr__bell_wait(struct mr_bell *bell, uint32_t seen, int64_t timeout_ns);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t mr__now_ns(void);

#endif
