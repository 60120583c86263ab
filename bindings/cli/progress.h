/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.h: how far a long job is, on stderr: one line that is drawn over on a terminal, a plain
 * line now and then otherwise.
 */
#ifndef MR_CLI_PROGRESS_H
#define MR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *verb, *unit; /* "writing", "images" */
    uint64_t total;          /* 0: unknown */
    int64_t began_ns, drawn_ns;
    bool terminal, silent, drawn;
};

/* Begins. The texts must live until progress_end(). `silent`: nothing is ever drawn. */
void progress_begin(struct progress *p, const char *verb, const char *unit, uint64_t total,
                    bool silent);
/* `done` of the total are done; draws ten times a second at most on a terminal, every five seconds
 * otherwise. Not thread-safe. */
void progress_step(struct progress *p, uint64_t done);
/* Clears the terminal's line; plain lines stay. */
void progress_end(struct progress *p);

#endif
