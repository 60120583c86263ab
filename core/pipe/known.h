/* SPDX-License-Identifier: Apache-2.0
 *
 * known.h: the loaders that are alive, so that a pointer to one that is gone, or a batch of it, is
 * an error and not a crash. A table without locks: in a forked child, whose other threads are gone,
 * a lock might be held for ever.
 */
#ifndef MR_PIPE_KNOWN_H
#define MR_PIPE_KNOWN_H

#include "pipe/loader.h"

/* Before the first handle of a loader is given out, and before its memory goes. */
void mr__known_add(mr_loader *l);
void mr__known_remove(mr_loader *l);

/* False: no such loader is alive. (With more loaders at a time than the table holds it is not
 * known, and true.) */
bool mr__known_loader(const mr_loader *l);
/* The loader that a batch handle is of; NULL: of none that is alive, or no handle at all. */
mr_loader *mr__known_batch(const mr_batch *b);

#endif
