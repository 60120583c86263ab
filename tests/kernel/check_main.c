/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of kernels, and the program. Exit codes: 0, 1 (a kernel failed), 2 (usage), 77 (this
 * CPU has no such level).
 */
#include "check_state.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct check_kernel check_axis, check_across, check_down, check_put, check_warp;
extern const struct check_kernel check_idct, check_upsample, check_colour, check_coef;
extern const struct check_kernel check_sums, check_turn;

static const struct check_kernel *const kernels[] = {
    &check_axis,
    &check_across,
    &check_down,
    &check_put,
    &check_warp,
    &check_idct,
    &check_upsample,
    &check_colour,
    &check_coef,
    &check_sums,
    &check_turn,
    NULL,
};

enum { MOST_FAILURES = 5, SKIPPED = 77, ROUNDS = 400, PASSES = 8 };

static struct check run; /* static, so that the signal handler can say where it was */

const struct mr_cpu *check_cpu(const struct check *c)
{
    return &c->cpu;
}

uint64_t check_random(struct check *c) /* S. Vigna's xorshift64* */
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * 2685821657736338717u;
}

int check_between(struct check *c, int low, int high)
{
    return low + (int)((check_random(c) >> 33) % (uint64_t)((int64_t)high - low + 1));
}

bool check_case(struct check *c, const char *fmt, ...)
{
    va_list ap;

    check_leave(c);
    va_start(ap, fmt);
    vsnprintf(c->label, sizeof c->label, fmt, ap);
    va_end(ap);
    if (c->only && !strstr(c->label, c->only) && !strstr(c->kernel, c->only))
        return false;
    c->cases++;
    return true;
}

void check_fail(struct check *c, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s %s, %s (seed %llu): ", mr__cpu_name(c->cpu.level), c->kernel, c->label,
            (unsigned long long)c->seed);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    if (++c->failures == MOST_FAILURES)
        exit(1);
}

bool check_same(struct check *c, const char *what, const void *want, const void *got, size_t n)
{
    const uint8_t *w = want, *g = got;

    for (size_t i = 0; i < n; i++) {
        if (w[i] != g[i]) {
            check_fail(c, "%s: byte %zu of %zu is %d and should be %d", what, i, n, g[i], w[i]);
            return false;
        }
    }
    return check_around(c);
}

static void fell(int signal)
{
    char text[2 * CHECK_LABEL + 80];
    int n = snprintf(text, sizeof text, "%s %s, %s: signal %d: it left its memory\n",
                     mr__cpu_name(run.cpu.level), run.kernel, run.label, signal);

    if (write(2, text, (size_t)n) < 0)
        _exit(3);
    _exit(1);
}

static void catch_faults(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], fell);
}

/* Every kernel's tests draw from a seed of their own, so that --only changes nothing for it. */
static void test(int rounds)
{
    for (const struct check_kernel *const *k = kernels; *k; k++) {
        run.kernel = (*k)->name;
        run.state = (run.seed + (uint64_t)(k - kernels)) * 0x9e3779b97f4a7c15u | 1;
        for (int i = 0; i < rounds; i++)
            (*k)->test(&run);
        check_leave(&run);
    }
    printf("kernel_check: %s: %d cases, %d failures\n", mr__cpu_name(run.cpu.level), run.cases,
           run.failures);
}

static void bench_level(const struct check_kernel *k, enum mr_cpu_level level)
{
    run.kernel = k->name;
    run.state = 1;
    if (k->bench && mr__cpu_by_name(&run.cpu, mr__cpu_name(level), NULL) == MR_OK)
        k->bench(&run);
    check_leave(&run);
}

/* Levels take turns, so that what else the machine does hits all of them. */
static void bench(void)
{
    for (const struct check_kernel *const *k = kernels; *k; k++)
        for (int pass = 0; pass < PASSES; pass++)
            for (int level = 0; level < MR_CPU_LEVELS; level++)
                bench_level(*k, (enum mr_cpu_level)level);
    check_report(&run);
}

static int usage(void)
{
    fputs("usage: kernel_check --level LEVEL [--only WORDS] [--seed N] [--rounds N]\n"
          "       kernel_check --bench [--only WORDS]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *level = NULL;
    bool benching = false;
    int rounds = ROUNDS;
    struct mr_errbuf e;

    run.seed = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--bench") == 0)
            benching = true;
        else if (!value)
            return usage();
        else if (strcmp(argv[i++], "--level") == 0)
            level = value;
        else if (strcmp(argv[i - 1], "--only") == 0)
            run.only = value;
        else if (strcmp(argv[i - 1], "--seed") == 0)
            run.seed = strtoull(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--rounds") == 0)
            rounds = atoi(value);
        else
            return usage();
    }
    if (benching)
        bench();
    if (benching || !level)
        return benching ? 0 : usage();
    int rc = mr__cpu_by_name(&run.cpu, level, &e);
    if (rc < 0) {
        fprintf(stderr, "kernel_check: %s\n", e.text);
        return rc == MR_E_UNSUPPORTED ? SKIPPED : 2;
    }
    catch_faults();
    test(rounds);
    return run.failures ? 1 : 0;
}
