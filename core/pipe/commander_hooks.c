/* SPDX-License-Identifier: Apache-2.0
 *
 * commander_hooks.c: calling a user's commander. Its interpreter counts a script's instructions,
 * but one of them may be a library function that runs for years ("string.find" can): a clock of the
 * process's own time sees to that.
 */
#include "pipe/commander_run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>

#define LEAST_S 3u              /* an instruction takes some nanoseconds ... */
#define INSTRUCTIONS_S 1000000u /* ... and so many of them a second on the slowest machine */
#define BUILD_SHARE 100u        /* build and load may have that many times as much */

static sigjmp_buf way_out;
static volatile sig_atomic_t inside, ticks;
static uint64_t allowed_s;
static bool dead; /* a call was ended in the middle of anything */

static void on_tick(int number)
{
    (void)number;
    if (!inside || (uint64_t)++ticks < allowed_s)
        return;
    inside = 0;
    siglongjmp(way_out, 1);
}

void mr__hook_clock(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_NODEFER | SA_RESTART};
    struct itimerval each = {{1, 0}, {1, 0}}; /* second of processor time */
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &each, NULL);
}

static int over(struct mr_commander_run *r)
{
    snprintf(r->sentence, sizeof r->sentence,
             "it took more than %llu s of processor time, which is more than its instructions "
             "could: a library function does not come to an end; 'commander.max_instructions' "
             "allows a second for every million",
             (unsigned long long)allowed_s);
    dead = true;
    return MR_E_TIMEOUT;
}

static void begin(const struct mr_commander_run *r, uint64_t share)
{
    uint64_t s = r->run.max_instructions / INSTRUCTIONS_S;
    allowed_s = (s > LEAST_S ? s : LEAST_S) * share;
    ticks = 0;
    inside = 1;
}

/* The frame that is jumped to has to be the caller's. */
#define WATCHED(r, share, call)            \
    do {                                   \
        if (!(r)->run.script)              \
            return call;                   \
        if (dead || sigsetjmp(way_out, 0)) \
            return over(r);                \
        begin(r, share);                   \
        int code = call;                   \
        inside = 0;                        \
        return code;                       \
    } while (0)

int mr__hook_build(struct mr_commander_run *r, const mr_commander *c, void **self,
                   const mr_message *params)
{
    if (!c->build)
        return MR_OK;
    WATCHED(r, BUILD_SHARE, c->build(self, params));
}

int mr__hook_next(struct mr_commander_run *r, const mr_commander *c, void *self, mr_message *m)
{
    WATCHED(r, 1, c->next(self, m));
}

int mr__hook_save(struct mr_commander_run *r, const mr_commander *c, void *self, void *state,
                  size_t cap, size_t *bytes)
{
    WATCHED(r, 1, c->save(self, state, cap, bytes));
}

int mr__hook_load(struct mr_commander_run *r, const mr_commander *c, void *self, const void *state,
                  size_t bytes)
{
    WATCHED(r, BUILD_SHARE, c->load(self, state, bytes));
}

int mr__hook_set_epoch(struct mr_commander_run *r, const mr_commander *c, void *self,
                       uint64_t epoch)
{
    WATCHED(r, BUILD_SHARE, c->set_epoch(self, epoch));
}

bool mr__hook_destroy(const mr_commander *c, void *self)
{
    if (dead)
        return false;
    if (c && c->destroy)
        c->destroy(self);
    return true;
}
