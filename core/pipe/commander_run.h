/* SPDX-License-Identifier: Apache-2.0
 *
 * commander_run.h: the run as a user's commander sees it (mr_run), and the sentence that it leaves
 * when a hook fails.
 */
#ifndef MR_PIPE_COMMANDER_RUN_H
#define MR_PIPE_COMMANDER_RUN_H

#include "base/config.h"
#include "shm/arena.h"

#include <stdbool.h>

#define MR_RUN_SENTENCE 701

struct mr_commander_run {
    mr_run run;                   /* first: users hold a pointer to it */
    const struct mr_index *index; /* NULL: there is no data set */
    const struct mr_arena *arena; /* for the log; NULL: none is kept */
    char sentence[MR_RUN_SENTENCE];
};

/* Begins it: mr_commander_run() answers from here on. `index` may be unmapped (head NULL), and that
 * or NULL says that there is no data set. */
void mr__commander_run_begin(struct mr_commander_run *r, const struct mr_config *config,
                             const struct mr_index *index, const struct mr_arena *arena);

/* Finds the module that runs scripts: $MILLRACE_LUA, beside the library, or where it is installed.
 * Left out when its headers are missing where the library was built. malloc'ed; NULL with
 * MR_E_UNSUPPORTED or MR_E_MEMORY and a sentence. */
char *mr__script_module(struct mr_errbuf *e);
/* The hooks of a user's struct, which may be from before it had all of them; without `next` or of
 * another ABI it is none: false. */
bool mr__commander_hooks(const mr_commander *given, mr_commander *hooks);
/* In the commander's process: the hooks of the config's script or plug-in. MR_E_CODE: it has none.
 */
int mr__commander_load(const struct mr_config *config, mr_commander *hooks, struct mr_errbuf *e);

/* The hooks. A script's are ended when they take much more processor time than their instructions
 * could (MR_E_TIMEOUT, with a sentence; nothing of the script may be called any more). build: NULL
 * is no hook. */
int mr__hook_build(struct mr_commander_run *r, const mr_commander *c, void **self,
                   const mr_message *params);
int mr__hook_next(struct mr_commander_run *r, const mr_commander *c, void *self, mr_message *m);
int mr__hook_save(struct mr_commander_run *r, const mr_commander *c, void *self, void *state,
                  size_t cap, size_t *bytes);
int mr__hook_load(struct mr_commander_run *r, const mr_commander *c, void *self, const void *state,
                  size_t bytes);
int mr__hook_set_epoch(struct mr_commander_run *r, const mr_commander *c, void *self,
                       uint64_t epoch);
/* NULL: nothing is to be called. False, of a script that was ended in the middle: nothing was, and
 * no memory may be freed any more. */
bool mr__hook_destroy(const mr_commander *c, void *self);
/* Starts the clock for them; before the process is confined. */
void mr__hook_clock(void);

/* Tries a script in a process of its own, confined like the real one: reads it, and, where no data
 * set is missing that is not there yet, builds it, asks for one message, saves and loads.
 * MR_E_CODE with what the script did wrong. */
int mr__script_try(const struct mr_config *config, struct mr_errbuf *e);
/* Confines this process, which is to run nothing but a script: it can read the script's folder.
 * A layer that is missing is a warning in the log, or with `sandbox: require` MR_E_SYSTEM. */
int mr__script_confine(const struct mr_config *config, struct mr_arena *arena, struct mr_errbuf *e);

#endif
