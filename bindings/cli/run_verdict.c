/* SPDX-License-Identifier: Apache-2.0
 *
 * run_verdict.c: a chain is as fast as its slowest link, and the slowest link is the one that
 * nobody makes wait. The consumer that never waits is it; else the producers, if they hardly wait,
 * and of their work the largest part; else the commander.
 */
#include "run_verdict.h"

#include <stdio.h>

/* Below these shares a wait is taken for noise, above for what it is. */
#define HARDLY 0.10
#define MOSTLY 0.50

struct shares { /* of the producers' time */
    double read, decode, augment, idle;
};

static struct shares shares_of(const mr_stats *s)
{
    double all =
        (double)s->read_ns + (double)s->decode_ns + (double)s->augment_ns + (double)s->idle_ns;
    if (all <= 0)
        return (struct shares){0};
    return (struct shares){(double)s->read_ns / all, (double)s->decode_ns / all,
                           (double)s->augment_ns / all, (double)s->idle_ns / all};
}

static void say_producers(const struct verdict_input *in, const struct shares *p, char *text,
                          size_t cap)
{
    static const struct {
        const char *what, *advice;
    } limits[] = {
        {"reading files", "a local disk, fewer larger files"},
        {"decoding", "smaller files"},
        {"augmenting", "fewer or cheaper ops, a smaller output"},
    };
    int worst = p->decode >= p->read && p->decode >= p->augment ? 1 : p->read >= p->augment ? 0 : 2;
    int n = in->stats->producers;
    char more[64] = "";
    if (n < in->cores)
        snprintf(more, sizeof more, "%d producers (this machine has %d cores), or ", in->cores,
                 in->cores);
    snprintf(
        text, cap,
        "%s is the limit: %d producer%s spent %.0f %% of their time reading, %.0f %% decoding, "
        "%.0f %% augmenting, %.0f %% waiting; try %s%s",
        limits[worst].what, n, n == 1 ? "" : "s", 100 * p->read, 100 * p->decode, 100 * p->augment,
        100 * p->idle, more, limits[worst].advice);
}

void verdict_write(const struct verdict_input *in, char *text, size_t cap)
{
    struct shares p = shares_of(in->stats);
    double waited = in->seconds > 0 ? in->waited / in->seconds : 0;
    if (in->batches < 2)
        snprintf(text, cap, "too short to tell what limits it; take more batches");
    else if (waited < HARDLY)
        snprintf(text, cap,
                 "the consumer is the limit: it waited %.0f %% of the time for batches; the loader "
                 "has more to give",
                 100 * waited);
    else if (p.idle < MOSTLY)
        say_producers(in, &p, text, cap);
    else
        snprintf(text, cap,
                 "the hand-over is the limit: producers waited %.0f %% of their time and the "
                 "consumer %.0f %%; try more slots (now %d) or larger batches",
                 100 * p.idle, 100 * waited, in->stats->slots);
}
