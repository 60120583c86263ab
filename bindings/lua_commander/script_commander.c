/* SPDX-License-Identifier: Apache-2.0
 *
 * script_commander.c: the commander that a script is: its hooks call the functions of the table
 * that the script has returned.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUILD_SHARE \
    100 /* build, load and set_epoch may take that many times as much as a message */

const char script_end_epoch = 1, script_end = 2;

struct asked {
    struct script *s;
    const mr_message *params;
    mr_message *m;
    uint8_t *state;
    const uint8_t *given;
    size_t bytes, cap;
    int rc;
};

/* The sentence goes to the run. */
static int told(struct script *s, int rc)
{
    return rc < 0 ? mr_run_fail(s->run, rc, s->sentence) : rc;
}

/* ---- build ---- */

static int take_function(lua_State *L, const char *name)
{
    int type = lua_getfield(L, -1, name);
    if (type != LUA_TFUNCTION && type != LUA_TNIL)
        luaL_error(L, "'%s' of the script's table is a %s, not a function", name,
                   lua_typename(L, type));
    if (type == LUA_TFUNCTION)
        return luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    return LUA_NOREF;
}

/* The chunk's result is on top. */
static void take_functions(lua_State *L, struct script *s)
{
    if (!lua_istable(L, -1))
        luaL_error(L, "the script has returned %s: end it with 'return {next = ...}'",
                   lua_isnil(L, -1) ? "nothing" : luaL_typename(L, -1));
    s->next = take_function(L, "next");
    s->save = take_function(L, "save");
    s->load = take_function(L, "load");
    s->set_epoch = take_function(L, "set_epoch");
    if (s->next == LUA_NOREF)
        luaL_error(L, "the script's table has no function 'next'");
    if ((s->save == LUA_NOREF) != (s->load == LUA_NOREF))
        luaL_error(L, "the script's table has '%s' without '%s'",
                   s->save == LUA_NOREF ? "load" : "save", s->save == LUA_NOREF ? "save" : "load");
}

static int do_build(lua_State *L)
{
    struct asked *a = lua_touserdata(L, 1);
    script_open_world(L);
    script_load_file(L, NULL);
    if (a->s->run->only_read)
        return 0;
    lua_call(L, 0, 1);
    take_functions(L, a->s);
    int type = lua_getfield(L, -1, "build");
    if (type == LUA_TNIL)
        return 0;
    if (type != LUA_TFUNCTION)
        luaL_error(L, "'build' of the script's table is a %s, not a function",
                   lua_typename(L, type));
    script_push_message(L, a->params);
    lua_call(L, 1, 0);
    return 0;
}

static void destroy(void *self)
{
    struct script *s = self;
    if (s && s->L)
        lua_close(s->L);
    free(s);
}

static int build(void **self, const mr_message *params)
{
    const mr_run *run = *self;
    if (!run || run->size != sizeof *run || !run->script)
        return MR_E_VERSION; /* named as a plug-in, or by another version */
    struct script *s = calloc(1, sizeof *s);
    if (!s)
        return MR_E_MEMORY;
    s->run = run;
    s->next = s->save = s->load = s->set_epoch = LUA_NOREF;
    s->doing = "build";
    if (!script_state_new(s)) {
        destroy(s);
        return MR_E_MEMORY;
    }
    struct asked a = {.s = s, .params = params};
    int rc = told(s, script_call(s, do_build, &a, BUILD_SHARE));
    *self = s;
    return rc;
}

/* ---- next ---- */

/* What next has returned is on top, the message it was given below. */
static int judge(lua_State *L, struct asked *a)
{
    const void *end = lua_touserdata(L, -1);
    if (end == &script_end_epoch || end == &script_end)
        return end == &script_end ? MR_END : MR_END_EPOCH;
    if (!lua_isnil(L, -1) && !lua_istable(L, -1)) {
        const char *type = luaL_typename(L, -1);
        luaL_error(L,
                   "next has returned %s (a %s): it returns the message's table, nothing when it "
                   "has filled the one it was given, millrace.END_EPOCH or millrace.END",
                   luaL_tolstring(L, -1, NULL), type);
    }
    script_write_message(L, lua_gettop(L) - lua_isnil(L, -1), a->m);
    return MR_OK;
}

static int do_next(lua_State *L)
{
    struct asked *a = lua_touserdata(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)a->s->epoch);
    lua_setfield(L, -2, "epoch");
    lua_pushinteger(L, (lua_Integer)a->s->position);
    lua_setfield(L, -2, "position");
    lua_rawgeti(L, LUA_REGISTRYINDEX, a->s->next);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    a->rc = judge(L, a);
    return 0;
}

static int next(void *self, mr_message *m)
{
    struct script *s = self;
    struct asked a = {.s = s, .m = m};
    char why[SCRIPT_SENTENCE];
    s->doing = "next";
    s->epoch = mr_message_epoch(m);
    s->position = mr_message_position(m);
    if (script_call(s, do_next, &a, 1) >= 0)
        return a.rc;
    memcpy(why, s->sentence, sizeof why);
    snprintf(s->sentence, sizeof s->sentence, "position %llu of epoch %llu: %.640s",
             (unsigned long long)s->position, (unsigned long long)s->epoch, why);
    return told(s, MR_E_CODE);
}

/* ---- save and load ---- */

static int do_save(lua_State *L)
{
    struct asked *a = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, a->s->save);
    lua_call(L, 0, 1);
    a->bytes = lua_isnil(L, -1) ? 0 : script_save_value(L, lua_gettop(L), a->state, a->cap);
    return 0;
}

static int save(void *self, void *state, size_t cap, size_t *bytes)
{
    struct script *s = self;
    struct asked a = {.s = s, .state = state, .cap = cap};
    s->doing = "save";
    if (s->save == LUA_NOREF)
        return MR_E_UNSUPPORTED;
    int rc = told(s, script_call(s, do_save, &a, 1));
    *bytes = a.bytes;
    return rc;
}

static int do_load(lua_State *L)
{
    struct asked *a = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, a->s->load);
    if (a->bytes)
        script_load_value(L, a->given, a->bytes);
    else
        lua_pushnil(L);
    lua_call(L, 1, 0);
    return 0;
}

static int load(void *self, const void *state, size_t bytes)
{
    struct script *s = self;
    struct asked a = {.s = s, .given = state, .bytes = bytes};
    s->doing = "load";
    if (s->load == LUA_NOREF)
        return MR_E_UNSUPPORTED;
    return told(s, script_call(s, do_load, &a, BUILD_SHARE));
}

/* ---- set_epoch ---- */

static int do_set_epoch(lua_State *L)
{
    struct asked *a = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, a->s->set_epoch);
    lua_pushinteger(L, (lua_Integer)a->s->epoch);
    lua_call(L, 1, 0);
    return 0;
}

static int set_epoch(void *self, uint64_t epoch)
{
    struct script *s = self;
    struct asked a = {.s = s};
    s->doing = "set_epoch";
    if (s->set_epoch == LUA_NOREF)
        return MR_E_UNSUPPORTED;
    s->epoch = epoch;
    s->position = 0;
    return told(s, script_call(s, do_set_epoch, &a, BUILD_SHARE));
}

static const mr_commander commander = {.size = sizeof(mr_commander),
                                       .abi = MR_PLUGIN_ABI,
                                       .build = build,
                                       .next = next,
                                       .save = save,
                                       .load = load,
                                       .destroy = destroy,
                                       .set_epoch = set_epoch};

extern MR_API const mr_plugin mr_plugin_entry;
MR_API const mr_plugin mr_plugin_entry = {sizeof(mr_plugin), MR_PLUGIN_ABI, &commander, NULL};
