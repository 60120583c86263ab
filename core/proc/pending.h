/* SPDX-License-Identifier: Apache-2.0
 *
 * pending.h: stands in for what core/shm does not have yet: quarantine, refill.
 */
#ifndef MR_PROC_PENDING_H
#define MR_PROC_PENDING_H

#include "shm/slot.h"

static inline int mr__warden_quarantine(const struct mr_arena *a, uint32_t lease)
{
    (void)a, (void)lease;
    return MR_E_LIMIT;
}
static inline uint32_t mr__warden_refill(const struct mr_arena *a, uint32_t *tainted)
{
    (void)a, (void)tainted;
    return 0;
}
static inline int mr__arena_check_words(const struct mr_arena *a, struct mr_errbuf *e)
{
    (void)a, (void)e;
    return MR_OK;
}

#endif
