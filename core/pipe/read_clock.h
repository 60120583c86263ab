/* SPDX-License-Identifier: Apache-2.0
 *
 * read_clock.h: how long reading a file took, and whether the disk made the thread wait: it then
 * gave up its processor of its own accord, which a busy machine does not make it do.
 */
#ifndef MR_PIPE_READ_CLOCK_H
#define MR_PIPE_READ_CLOCK_H

#include "shm/arena.h"

struct mr_read_clock {
    uint64_t from_ns;
    long switches; /* times that the thread gave up its processor */
};

void mr__read_begin(struct mr_read_clock *c);
/* Adds to the lane's MR_COUNT_READ_NS and, if the thread had to wait, MR_COUNT_READ_WAIT_NS.
 * Returns whether it had to. */
bool mr__read_end(const struct mr_read_clock *c, struct mr_lane *lane);

#endif
