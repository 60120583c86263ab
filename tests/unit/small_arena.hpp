// SPDX-License-Identifier: Apache-2.0
// An arena for tests that need one, and no more of it than there must be.
#pragma once

extern "C" {
#include "shm/arena.h"
}

// 4 slots of 8 rows, one task each, for 2 producers.
inline int small_arena(mr_arena *a, mr_errbuf *e)
{
    mr_arena_spec spec = {};
    spec.slots = 4;
    spec.rows = spec.tasks = 8;
    spec.producers = 2;
    spec.slot_data_bytes = 4096;
    spec.message_bytes = 64;
    return mr__arena_create(a, &spec, e);
}
