/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOADER_INSIDE_H
#define LOADER_INSIDE_H

#include "millrace/millrace.h"
#include "shm/arena.h"

#include <sys/types.h>

const struct mr_arena *arena_of(mr_loader *loader); /* while the loader is open */
pid_t warden_of(mr_loader *loader);

#endif
