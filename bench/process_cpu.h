/* SPDX-License-Identifier: Apache-2.0
 *
 * process_cpu.h: CPU time of this process and of all that it has started, to the nanosecond.
 */
#ifndef BENCH_PROCESS_CPU_H
#define BENCH_PROCESS_CPU_H

/* CPU seconds used so far by this process and every living process below it; *processes, when not
 * NULL, becomes their number. Time of processes that have ended is not in it. */
double process_cpu_seconds(int *processes);

#endif
