/* SPDX-License-Identifier: Apache-2.0
 *
 * script_try.c: what `millrace check` does with a script: it runs it a little, in a child process,
 * so that nothing of it stays.
 */
#include "pipe/commander_run.h"

#include "base/message.h"
#include "proc/child.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE_BYTES 65536

struct trial {
    const struct mr_config *config;
    mr_commander hooks;
    struct mr_commander_run run;
    void *self;
};

static int hook_error(const struct trial *t, int rc, const char *hook, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_CODE, "the commander's %s failed: %s", hook,
                    t->run.sentence[0] ? t->run.sentence : mr_strerror(rc));
}

static int ask(struct trial *t, struct mr_errbuf *e)
{
    size_t bytes = (size_t)t->config->message_bytes, saved = 0;
    uint64_t *room = calloc(1, bytes + 8), *state = calloc(1, STATE_BYTES);
    mr_message *m = room ? mr__message_init(room, bytes, 0, 0, 0) : NULL;
    int rc = m && state ? MR_OK : mr__fail(e, MR_E_MEMORY, "no memory to try the script");
    const char *hook = "save";
    bool saves = rc >= 0 && t->hooks.save && t->hooks.load;
    if (saves)
        rc = mr__hook_save(&t->run, &t->hooks, t->self, state, STATE_BYTES, &saved);
    if (rc == MR_E_UNSUPPORTED) { /* the script has none */
        saves = false;
        rc = MR_OK;
    }
    if (rc >= 0) {
        hook = "next";
        rc = mr__hook_next(&t->run, &t->hooks, t->self, m);
    }
    if (rc >= 0 && saves) {
        hook = "load";
        rc = mr__hook_load(&t->run, &t->hooks, t->self, state, saved);
    }
    if (rc < 0 && m && state)
        rc = hook_error(t, rc, hook, e);
    free(room);
    free(state);
    return rc < 0 ? rc : MR_OK;
}

static int try_it(const struct mr_config *config, struct mr_errbuf *e)
{
    struct trial t = {.config = config};
    int rc = mr__commander_load(config, &t.hooks, e);
    mr__commander_run_begin(&t.run, config, NULL, NULL);
    t.run.run.only_read = config->source.desc != NULL;
    if (rc >= 0)
        rc = mr__script_confine(config, NULL, e);
    if (rc < 0)
        return rc;
    t.self = &t.run;
    rc = mr__hook_build(&t.run, &t.hooks, &t.self, config->commander.params);
    if (rc < 0)
        return hook_error(&t, rc, "build", e);
    rc = t.run.run.only_read ? MR_OK : mr__hook_set_epoch(&t.run, &t.hooks, t.self, 0);
    if (rc < 0 && rc != MR_E_UNSUPPORTED)
        return hook_error(&t, rc, "set_epoch", e);
    return config->source.desc ? MR_OK : ask(&t, e);
}

static int judge(int status, const struct mr_errbuf *said, struct mr_errbuf *e)
{
    char death[96];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return MR_OK;
    if (said->code < 0) {
        *e = *said;
        return e->code;
    }
    mr__child_describe(status, death, sizeof death);
    return mr__fail(e, MR_E_CODE, "the process that tried the script %s", death);
}

int mr__script_try(const struct mr_config *config, struct mr_errbuf *e)
{
    struct mr_child child = {0};
    struct mr_errbuf *said =
        mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (said == MAP_FAILED)
        return mr__fail_errno(e, MR_E_MEMORY, "no memory to try the script");
    int rc = mr__child_fork(&child, "mr-check", e);
    if (rc == 0)
        _exit(try_it(config, said) < 0);
    if (rc > 0) { /* the script's own limits end it */
        struct pollfd p = {.fd = child.pidfd, .events = POLLIN};
        while (poll(&p, 1, -1) < 0 && errno == EINTR)
            ;
        rc = judge(mr__child_reap(&child), said, e);
    }
    munmap(said, sizeof *said);
    return rc < 0 ? rc : MR_OK;
}
