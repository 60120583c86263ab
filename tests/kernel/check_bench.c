/* SPDX-License-Identifier: Apache-2.0
 *
 * The time of a kernel: the least of many repetitions, each of so many calls that the clock does
 * not count.
 */
#include "check_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REPETITIONS = 50, ENOUGH_NS = 20000, MOST_CALLS = 1 << 20 };

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void check_bench_begin(struct check *c, double units, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->label, sizeof c->label, fmt, ap);
    va_end(ap);
    c->timer = (struct check_timer){.units = units, .best = 1e18, .calls = 1};
}

static void keep(struct check *c)
{
    int i = 0;

    while (i < c->results && strcmp(c->result[i].label, c->label) != 0)
        i++;
    if (i == CHECK_RESULTS)
        return;
    double ns = c->timer.best / c->timer.units, *kept = &c->result[i].ns[c->cpu.level];
    c->results += i == c->results;
    strcpy(c->result[i].label, c->label);
    *kept = *kept > 0 && *kept < ns ? *kept : ns;
}

/* A repetition is over. */
static bool next_repetition(struct check *c)
{
    struct check_timer *t = &c->timer;
    double now = now_ns(), took = now - t->started;

    if (t->started > 0 && took < ENOUGH_NS && t->repetition == 0 && t->calls < MOST_CALLS) {
        t->calls *= 2;
    } else if (t->started > 0) {
        double each = took / (double)t->calls;
        t->best = each < t->best ? each : t->best;
        if (++t->repetition == REPETITIONS) {
            keep(c);
            return false;
        }
    }
    t->left = t->calls;
    t->started = now_ns();
    return true;
}

bool check_bench_more(struct check *c)
{
    if (c->only && !strstr(c->label, c->only) && !strstr(c->kernel, c->only))
        return false;
    if (c->timer.left == 0 && !next_repetition(c))
        return false;
    c->timer.left--;
    return true;
}

void check_report(const struct check *c)
{
    printf("%-52s", "nanoseconds");
    for (int i = 0; i < MR_CPU_LEVELS; i++)
        printf("%10s", mr__cpu_name((enum mr_cpu_level)i));
    for (int k = 0; k < c->results; k++) {
        printf("\n%-52s", c->result[k].label);
        for (int i = 0; i < MR_CPU_LEVELS; i++) {
            if (c->result[k].ns[i] > 0)
                printf("%10.3f", c->result[k].ns[i]);
            else
                printf("%10s", "-");
        }
    }
    printf("\n");
}
