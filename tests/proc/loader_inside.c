/* SPDX-License-Identifier: Apache-2.0
 *
 * loader_inside.c: what the fault tests see of a loader's inside; C, as the header is.
 */
#include "loader_inside.h"

#include "pipe/loader.h"

const struct mr_arena *arena_of(mr_loader *loader)
{
    return &loader->s.arena;
}

pid_t warden_of(mr_loader *loader)
{
    return loader->warden.pid;
}
