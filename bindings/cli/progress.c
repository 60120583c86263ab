/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAR 30

void progress_begin(struct progress *p, const char *verb, const char *unit, uint64_t total,
                    bool silent)
{
    const char *term = getenv("TERM");
    int64_t now = cli_now_ns();
    *p = (struct progress){.verb = verb,
                           .unit = unit,
                           .total = total,
                           .began_ns = now,
                           .drawn_ns = now,
                           .silent = silent,
                           .terminal = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"))};
}

static void draw_bar(const struct progress *p, uint64_t done)
{
    char bar[BAR + 1];
    int full = done >= p->total ? BAR : (int)((double)done / (double)p->total * BAR);
    memset(bar, ' ', BAR);
    memset(bar, '=', (size_t)full);
    bar[BAR] = 0;
    fprintf(stderr, "[%s] ", bar);
}

static void draw(const struct progress *p, uint64_t done, int64_t now)
{
    double seconds = (double)(now - p->began_ns) * 1e-9;
    fputs(p->terminal ? "\r\033[K" : "", stderr);
    if (p->terminal && p->total)
        draw_bar(p, done);
    fprintf(stderr, "%s %s: %llu", p->verb, p->unit, (unsigned long long)done);
    if (p->total)
        fprintf(stderr, " of %llu", (unsigned long long)p->total);
    fprintf(stderr, ", %.0f/s", seconds > 0 ? (double)done / seconds : 0.0);
    fputs(p->terminal ? "" : "\n", stderr);
    fflush(stderr);
}

void progress_step(struct progress *p, uint64_t done)
{
    int64_t now = cli_now_ns();
    int64_t every = p->terminal ? 100000000 : 5000000000;
    if (p->silent || now - p->drawn_ns < every)
        return;
    p->drawn_ns = now;
    p->drawn = true;
    draw(p, done, now);
}

void progress_end(struct progress *p)
{
    if (p->drawn && p->terminal)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
