/* SPDX-License-Identifier: Apache-2.0
 *
 * cpu.h: which instructions the kernels of this process use. There are a few levels, each a set of
 * extensions that came together; kernels have one version for a level, in a table, best first
 * (augment/kernel/kernel_table.c), and take the first that mr__cpu_runs().
 *
 * The level is the best that the CPU has, or the one that MILLRACE_CPU names. All versions of a
 * kernel give the same bits, so it changes nothing but the time.
 */
#ifndef MR_BASE_CPU_H
#define MR_BASE_CPU_H

#include "base/error.h"

#include <stdbool.h>

enum mr_cpu_level {
    MR_CPU_SCALAR, /* plain C, everywhere */
    MR_CPU_SSE4,   /* 128 bits with byte look-ups: what Nehalem and Bulldozer have. Few kernels */
    MR_CPU_AVX2,   /* what Haswell and Zen brought */
    MR_CPU_AVX512, /* 512 bits: f, bw, dq, vl. More than that is in the flags */
    MR_CPU_NEON,   /* every 64-bit ARM */
    MR_CPU_LEVELS
};

/* What a CPU of level avx512 may have besides. All three came with Ice Lake and Zen 4; before
 * these, instructions of 512 bits made the clock slower, so avx512 is only taken by itself where
 * there is VBMI2. */
enum mr_cpu_flag { MR_CPU_VBMI = 1, MR_CPU_VBMI2 = 2, MR_CPU_VNNI = 4 };

/* For __attribute__((target())) of functions for a level. */
#define MR_TARGET_SSE4 "ssse3,sse4.1,sse4.2,popcnt"
#define MR_TARGET_AVX2 "avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt"
#define MR_TARGET_AVX512 MR_TARGET_AVX2 ",avx512f,avx512bw,avx512dq,avx512vl"

struct mr_cpu {
    enum mr_cpu_level level;
    unsigned flags; /* of enum mr_cpu_flag; 0 below avx512 */
};

/* The level that MILLRACE_CPU names; the best that the CPU has when it is not set or empty.
 * MR_E_USAGE: no level has that name; MR_E_UNSUPPORTED: this CPU lacks it. */
int mr__cpu_choose(struct mr_cpu *cpu, struct mr_errbuf *e);
/* The same for a word; NULL or empty: the best. */
int mr__cpu_by_name(struct mr_cpu *cpu, const char *word, struct mr_errbuf *e);

/* May code that needs this level and these flags run under `cpu`? Scalar code may always, and
 * avx2 under avx512. */
bool mr__cpu_runs(const struct mr_cpu *cpu, enum mr_cpu_level level, unsigned flags);

/* What MILLRACE_CPU calls a level. */
const char *mr__cpu_name(enum mr_cpu_level level);

#endif
