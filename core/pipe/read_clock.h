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

/* Of a file that is read in parts, by a decoder: most parts are there already, and asking the
 * kernel costs more than they do. So it is asked before the first, and behind those that took
 * longer than memory does. */
void mr__read_parts_begin(struct mr_read_clock *c);
/* Before a part; the time. */
uint64_t mr__read_part_begin(struct mr_read_clock *c);
/* Behind it: as mr__read_end; *now_ns is the time. */
bool mr__read_part_end(struct mr_read_clock *c, struct mr_lane *lane, uint64_t *now_ns);

#endif
