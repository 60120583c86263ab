/* SPDX-License-Identifier: Apache-2.0
 *
 * script.h: one Lua script and what it may do: the module that runs `commander: {script: ...}`.
 * Every call into Lua is protected, counted and bounded; nothing of a script's leaves its state but
 * messages, saved states and sentences.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <lauxlib.h>
#include <lua.h>
#include <millrace/plugin.h>
#include <stdbool.h>

#define SCRIPT_SENTENCE 700

struct script {
    const mr_run *run;
    lua_State *L;
    int next, save, load, set_epoch; /* in the registry; LUA_NOREF: the script has none */
    /* limits */
    uint64_t used, allowed; /* instructions of this call */
    bool over;              /* they were used up: nothing is run any more, whoever catches what */
    size_t memory;
    /* the call under way */
    const char *doing;
    uint64_t epoch, position;
    mr_rng rng;
    bool drawing; /* rng is open */
    char sentence[SCRIPT_SENTENCE];
};

/* The script that a state, or a coroutine of it, belongs to. */
struct script *script_of(lua_State *L);

/* ---- script_limits.c ---- */

/* A state whose memory and instructions are counted. NULL: memory is out. */
lua_State *script_state_new(struct script *s);
/* Counts `n` instructions more than the machine has. Raises an error once too many were counted. */
void script_charge(lua_State *L, uint64_t n);
/* Calls f(L) with `ctx` as its only argument (a light userdata), protected: MR_OK, or MR_E_CODE
 * with s->sentence. `share`: how many times as much as a message it may take. */
int script_call(struct script *s, lua_CFunction f, void *ctx, uint64_t share);

/* ---- script_world.c ---- */

/* millrace.END_EPOCH and millrace.END are light userdata of their addresses: no script makes such a
 * value. */
extern const char script_end_epoch, script_end;
/* Calls upvalue 1, the function that a guard stands before, with the same arguments. */
int script_pass_on(lua_State *L);
/* What a script sees: parts of Lua's library, `millrace`, `dataset`, `require`, `print`. */
void script_open_world(lua_State *L);

/* ---- script_order.c ---- */

/* pairs(t), whose order does not differ from process to process as Lua's own does. */
int script_pairs(lua_State *L);

/* ---- script_coroutine.c ---- */

/* Guards the functions of the table `coroutine`, which is on top. */
void script_guard_coroutines(lua_State *L);

/* ---- script_files.c ---- */

/* Reads a file of the script's folder and leaves the compiled chunk on the stack. `name` NULL: the
 * script itself. Raises errors. */
void script_load_file(lua_State *L, const char *name);
int script_require(lua_State *L);

/* ---- script_message.c, script_state.c: all raise errors ---- */

/* A message as a table, left on the stack. */
void script_push_message(lua_State *L, const mr_message *m);
/* The table at `index` into an empty message. */
void script_write_message(lua_State *L, int index, mr_message *m);
/* The value at `index` as bytes; returns how many. */
size_t script_save_value(lua_State *L, int index, uint8_t *to, size_t cap);
void script_load_value(lua_State *L, const uint8_t *from, size_t bytes);
/* The table's keys that are texts, sorted; `others` counts those that are not. Many of them lie in
 * a userdata that is left on the stack. Raises an error for a NUL in one. */
#define SCRIPT_FEW 16
struct script_keys {
    size_t n, others;
    const char **text, *few[SCRIPT_FEW];
};
void script_text_keys(lua_State *L, int index, struct script_keys *keys);

#endif
