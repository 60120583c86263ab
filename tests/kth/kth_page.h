/* SPDX-License-Identifier: Apache-2.0
 *
 * kth_page.h: the page that a sweep shares with every process of a run: who is to fail, at which
 * call, and whether it did. The file's path is in MR_KTH_PAGE; libkth_faults.so, preloaded, maps
 * it.
 */
#ifndef KTH_PAGE_H
#define KTH_PAGE_H

#include <stdint.h>

/* Whose calls count. The sweep's own process counts between kth_arm() and kth_disarm(); the others
 * are known by the name that they give themselves, the command line from main() on. */
enum kth_role {
    KTH_NOBODY,
    KTH_TRAINER,
    KTH_WARDEN,
    KTH_COMMANDER,
    KTH_PRODUCER,
    KTH_INDEX,
    KTH_PROGRAM,
    KTH_FILTER,
    KTH_ROLES
};

enum kth_kind { KTH_ALLOCATION, KTH_CALL, KTH_KINDS };

struct kth_page {
    uint32_t role, kind;
    uint32_t forever; /* 0: the k-th alone; 1: the k-th and all behind it */
    uint64_t at;      /* k, from 1 */
    uint64_t count;   /* calls so far, of all processes of the role together */
    uint64_t hits;    /* that were made to fail */
    char last[32];    /* the function that failed last */
    uint64_t step;    /* the sweep's: grows with every run, for its watchdog */
    uint64_t resume;  /* the sweep's: the k of the run under way */
};

#endif
