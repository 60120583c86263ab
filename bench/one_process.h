/* SPDX-License-Identifier: Apache-2.0
 *
 * one_process.h: what programs share that time their own work in one process.
 */
#ifndef BENCH_ONE_PROCESS_H
#define BENCH_ONE_PROCESS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Seconds of processor time of this process: others on the machine do not count. */
static inline double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The end of a program that cannot go on. */
static inline void stop(const char *text, const char *what)
{
    fprintf(stderr, "%s%s\n", text, what);
    exit(1);
}

#endif
