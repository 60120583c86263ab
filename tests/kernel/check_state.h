/* SPDX-License-Identifier: Apache-2.0
 *
 * check_state.h: what the files of the harness share. Kernels' tests see check.h only.
 */
#ifndef MR_TESTS_KERNEL_CHECK_STATE_H
#define MR_TESTS_KERNEL_CHECK_STATE_H

#include "check.h"

enum { CHECK_ROOMS = 64, CHECK_LABEL = 96, CHECK_RESULTS = 512 };

struct check_memory { /* [fence][body][fence]; the room is somewhere in the body */
    uint8_t *map, *body, *at;
    size_t page, body_bytes, bytes;
};

struct check_result {
    char label[CHECK_LABEL];
    double ns[MR_CPU_LEVELS]; /* per unit; 0: not run */
};

struct check_timer {
    double units, started, best; /* ns per call */
    long calls, left;            /* of the repetition under way */
    int repetition;
};

struct check {
    struct mr_cpu cpu;
    const char *only;
    const char *kernel; /* whose turn it is */
    uint64_t seed, state;
    char label[CHECK_LABEL];
    struct check_memory room[CHECK_ROOMS];
    int rooms, failures, cases;
    struct check_timer timer;
    struct check_result result[CHECK_RESULTS];
    int results;
};

/* Gives all rooms back. */
void check_leave(struct check *c);
/* false, after telling it: a byte around a room was altered. */
bool check_around(struct check *c);
/* The table of what CHECK_BENCH has found. */
void check_report(const struct check *c);

#endif
