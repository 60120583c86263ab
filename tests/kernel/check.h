/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h: one harness for every kernel: each version against the C one on random and edge inputs,
 * between pages that cannot be touched, and, with --bench, the time of each. The idea is dav1d's
 * checkasm. It is C without GoogleTest, so that a cross compiler builds it (neon_check.sh).
 *
 *     kernel_check --level avx2 [--only WORDS] [--seed N] [--rounds N]
 *     kernel_check --bench [--only WORDS]       every level of this CPU, a table
 *
 * To add a kernel:
 *   1. check_NAME.c in this folder ends in
 *          const struct check_kernel check_NAME = {"NAME", test, bench};
 *      and has a line in the table of check_main.c. Nothing in CMakeLists.txt.
 *   2. `test` is called --rounds times, each time with other random numbers. It takes the version
 *      for check_cpu(c), says what it is about to do with check_case(), gets its memory from
 *      check_room(), runs the C version and the other one on inputs from check_fill() and holds
 *      the outputs together with check_same(). A store or a load beyond what check_room() gave ends
 *      the program with the case's name. At level scalar the C version runs against itself, which
 *      still proves that it keeps its bounds.
 *   3. `bench` (may be NULL) runs the version for check_cpu(c) on fixed sizes in CHECK_BENCH loops.
 *   4. Files with NEON code go into the list of neon_check.sh as well.
 */
#ifndef MR_TESTS_KERNEL_CHECK_H
#define MR_TESTS_KERNEL_CHECK_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check; /* one run of the program */

struct check_kernel {
    const char *name;
    void (*test)(struct check *c);
    void (*bench)(struct check *c);
};

/* The level under test. */
const struct mr_cpu *check_cpu(const struct check *c);

/* Says what comes, for the messages, and gives all memory of the case before back. false: --only
 * leaves it out. */
bool check_case(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A number in [low, high]; one of 64 bits. */
int check_between(struct check *c, int low, int high);
uint64_t check_random(struct check *c);

/* `n` bytes that end where memory ends (or, one time in four, begin where it begins), aligned to
 * `align` (a power of two, at most 64; an end is moved down for it: give sizes that are multiples).
 * Random bytes are in it. Held until the next case. Memory for what a kernel may touch but not
 * alter in a meaningful way, its slack, is part of n. */
void *check_room(struct check *c, size_t n, size_t align);
/* Two rooms of the same kind with the same bytes: for the outputs of the two versions. */
void check_rooms(struct check *c, size_t n, size_t align, void *want_got[2]);
/* Overwrites with one of several patterns: any byte, two extremes in turn or at random, a constant,
 * a ramp. */
void check_fill(struct check *c, void *to, size_t n);

/* n bytes must be the same, and what lies around every room untouched. false after a failure, which
 * is printed with the first byte that differs. */
bool check_same(struct check *c, const char *what, const void *want, const void *got, size_t n);
/* Any other failure. */
void check_fail(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The loop's body is what is timed; `units` is how much work it is. Prints nanoseconds per unit:
 *     CHECK_BENCH(c, 224, "across, rgb, 4 taps, per pixel")
 *         k->across(&axis, 3, src, out);
 */
#define CHECK_BENCH(c, units, ...) \
    for (check_bench_begin(c, units, __VA_ARGS__); check_bench_more(c);)
void check_bench_begin(struct check *c, double units, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool check_bench_more(struct check *c);

#endif
