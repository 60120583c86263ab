/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#define PLACES 64

struct place {
    mr_loader *loader;      /* NULL: free; &taken: being written */
    uintptr_t first, bytes; /* its batch handles; valid while the loader stays the same */
};

static struct place places[PLACES];
static mr_loader taken;
static uint32_t used;    /* places that ever were taken */
static uint32_t missing; /* living loaders that found no place */

static void raise_used(uint32_t to)
{
    uint32_t n = __atomic_load_n(&used, __ATOMIC_RELAXED);
    while (n < to &&
           !__atomic_compare_exchange_n(&used, &n, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
}

void mr__known_add(mr_loader *l)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        mr_loader *nobody = NULL;
        if (!__atomic_compare_exchange_n(&places[i].loader, &nobody, &taken, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        MR_SET(places[i].first, (uintptr_t)l->pool);
        MR_SET(places[i].bytes, (uintptr_t)l->npool * sizeof *l->pool);
        __atomic_store_n(&places[i].loader, l, __ATOMIC_RELEASE); /* a reader's acquire */
        raise_used(i + 1);
        return;
    }
    l->unlisted = true;
    __atomic_fetch_add(&missing, 1, __ATOMIC_ACQ_REL);
}

void mr__known_remove(mr_loader *l)
{
    for (uint32_t i = 0; !l->unlisted && i < PLACES; i++)
        if (__atomic_load_n(&places[i].loader, __ATOMIC_ACQUIRE) == l)
            __atomic_store_n(&places[i].loader, NULL, __ATOMIC_RELEASE);
    if (l->unlisted)
        __atomic_fetch_sub(&missing, 1, __ATOMIC_ACQ_REL);
}

bool mr__known_loader(const mr_loader *l)
{
    uint32_t n = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++)
        if (__atomic_load_n(&places[i].loader, __ATOMIC_ACQUIRE) == l)
            return true;
    return __atomic_load_n(&missing, __ATOMIC_ACQUIRE) != 0;
}

mr_loader *mr__known_batch(const mr_batch *b)
{
    uint32_t n = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < n; i++) { /* only the table is read: a loader may be going */
        mr_loader *l = __atomic_load_n(&places[i].loader, __ATOMIC_ACQUIRE);
        uintptr_t at = (uintptr_t)b - MR_GET(places[i].first);
        if (l && l != &taken && at < MR_GET(places[i].bytes) && at % sizeof *b == 0)
            return l;
    }
    return __atomic_load_n(&missing, __ATOMIC_ACQUIRE) ? b->loader : NULL;
}
