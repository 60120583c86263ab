/* SPDX-License-Identifier: Apache-2.0
 *
 * read_ahead.h: between reading a row's files and decoding them, a producer asks the kernel for
 * files of rows to come, so that the disk works while processors do. The kernel puts them into its
 * cache; nothing is read here.
 */
#ifndef MR_PIPE_READ_AHEAD_H
#define MR_PIPE_READ_AHEAD_H

#include "pipe/session.h"

#define MR_AHEAD_ROWS 32                /* `read_ahead: auto` */
#define MR_AHEAD_ROW_BYTES (2ull << 20) /* as many, times the rows, at most */
#define MR_AHEAD_NS                                                          \
    2000000000ull /* no further ahead than is used up in this time: what was \
                     not asked for waits behind all that was */

struct mr_read_ahead { /* of a thread */
    const struct mr_session *s;
    struct mr_lane *lane;
    void *source;
    uint32_t rows;  /* 0: off */
    bool always;    /* else while files are found not to be in memory */
    uint32_t eager; /* how much more to ask for, unless such a file is found: read_ahead.c */
    double row_bytes, row_ns; /* means of what this thread has met; 0: nothing yet */
    uint64_t last_ns;
};

/* How many rows ahead the config allows; 0: none, or rows are no files. */
uint32_t mr__read_ahead_rows(const struct mr_config *c);
/* `source`: the opened one, for this thread. */
void mr__read_ahead_begin(struct mr_read_ahead *r, const struct mr_session *s, struct mr_lane *lane,
                          void *source);
/* To be called once per row, when its files were read: `bytes` of them; `waited`: for the disk. */
void mr__read_ahead(struct mr_read_ahead *r, const struct mr_claim *claim, uint64_t bytes,
                    bool waited);
/* How far ahead now: 1 .. r->rows. */
uint32_t mr__read_ahead_window(const struct mr_read_ahead *r);

#endif
