/* SPDX-License-Identifier: Apache-2.0
 *
 * run_verdict.c: a chain is as fast as its slowest link, and the slowest link is the one that
 * nobody makes wait. The consumer that never waits is it; else the producers, if they hardly wait,
 * and of their work the largest part; else the commander. Producers that wait for a disk leave
 * their processors to others: that is worth telling before it is the largest part.
 */
#include "run_verdict.h"

#include <inttypes.h>
#include <stdio.h>

/* Below these shares a wait is taken for noise, above for what it is. */
#define HARDLY 0.10
#define MOSTLY 0.50
#define SLOW_DISK 0.25

struct shares { /* of the producers' time */
    double read, decode, augment, idle;
    double disk; /* of `read`: waiting for it */
};

static struct shares shares_of(const mr_stats *s)
{
    double all =
        (double)s->read_ns + (double)s->decode_ns + (double)s->augment_ns + (double)s->idle_ns;
    if (all <= 0)
        return (struct shares){0};
    return (struct shares){(double)s->read_ns / all, (double)s->decode_ns / all,
                           (double)s->augment_ns / all, (double)s->idle_ns / all,
                           (double)s->read_wait_ns / all};
}

static void say_producers(const struct verdict_input *in, const struct shares *p, char *text,
                          size_t cap)
{
    static const struct {
        const char *what, *advice;
    } limits[] = {
        {"reading files", "a local disk, fewer larger files"},
        {"decoding", "smaller images"},
        {"augmenting", "fewer or cheaper ops, a smaller output"},
    };
    int worst = p->decode >= p->read && p->decode >= p->augment ? 1 : p->read >= p->augment ? 0 : 2;
    int n = in->stats->producers;
    const char *pack = worst == 1 && !in->packed
                           ? "'millrace pack --mode coef' (JPEGs decode faster, to the same "
                             "pixels), or "
                           : "";
    char more[64] = "";
    if (n < in->cores)
        snprintf(more, sizeof more, "%d producers (this machine has %d cores), or ", in->cores,
                 in->cores);
    snprintf(
        text, cap,
        "%s is the limit: %d producer%s spent %.0f %% of their time reading, %.0f %% decoding, "
        "%.0f %% augmenting, %.0f %% waiting; try %s%s%s",
        limits[worst].what, n, n == 1 ? "" : "s", 100 * p->read, 100 * p->decode, 100 * p->augment,
        100 * p->idle, more, pack, limits[worst].advice);
}

/* Reads that wait can go on side by side, up to what the disk can do at a time: nobody knows yet
 * whether it is there when nothing was read ahead. */
static void say_disk(const struct verdict_input *in, const struct shares *p, char *text, size_t cap)
{
    const mr_stats *s = in->stats;
    int more = 2 * s->producers;
    double ms = s->reads_waited ? (double)s->read_wait_ns * 1e-6 / (double)s->reads_waited : 0;
    int n = snprintf(
        text, cap,
        "the disk or network is the limit: %d producer%s spent %.0f %% of their time waiting for "
        "it, %.1f ms for each of %" PRIu64 " files (of %" PRIu64 "), and got %.1f MB/s; ",
        s->producers, s->producers == 1 ? "" : "s", 100 * p->disk, ms, s->reads_waited, s->reads,
        in->mb_per_s);
    if (n < 0 || (size_t)n >= cap)
        return;
    if (s->read_ahead)
        snprintf(text + n, cap - (size_t)n,
                 "it was asked up to %d rows ahead: if it can do more at a time, try 'read_ahead: "
                 "%d' or %d producers, else a faster disk or fewer, larger files",
                 s->read_ahead, 4 * s->read_ahead, more);
    else
        snprintf(text + n, cap - (size_t)n,
                 "nothing is read ahead ('read_ahead' is off, or the source is on a server): try "
                 "%d producers (waiting needs no core), a faster disk or network, or fewer, larger "
                 "files",
                 more);
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
    else if (p.idle < MOSTLY && p.disk >= SLOW_DISK)
        say_disk(in, &p, text, cap);
    else if (p.idle < MOSTLY)
        say_producers(in, &p, text, cap);
    else
        snprintf(text, cap,
                 "the hand-over is the limit: producers waited %.0f %% of their time and the "
                 "consumer %.0f %%; try more slots (now %d) or larger batches",
                 100 * p.idle, 100 * waited, in->stats->slots);
}
