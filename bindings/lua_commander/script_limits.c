/* SPDX-License-Identifier: Apache-2.0
 *
 * script_limits.c: how much a script may take. Instructions are counted by Lua's count hook, in
 * steps; it fires in every coroutine by itself, so all add to one sum, and a new coroutine is
 * charged a step, since it might end before its first. Once the sum is too large the hook raises an
 * error at every further instruction: whoever catches one has the next, up to the outermost call.
 */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP 1000
#define BYTES_AN_INSTRUCTION 1024 /* memory that is taken counts, too: filling it takes time */
#define CALLERS 3                 /* that an error names */

struct script *script_of(lua_State *L)
{
    return *(struct script **)lua_getextraspace(L); /* coroutines get a copy */
}

static void *allocate(void *ud, void *p, size_t old, size_t n)
{
    struct script *s = ud;
    size_t had = p ? old : 0; /* else it says what it will be */
    if (n == 0) {
        s->memory -= had;
        free(p);
        return NULL;
    }
    if (n > had && s->memory + (n - had) > s->run->max_memory_bytes)
        return NULL;
    void *q = realloc(p, n);
    if (!q)
        return NULL;
    s->memory = s->memory - had + n;
    s->used += n > had ? (n - had) / BYTES_AN_INSTRUCTION : 0;
    return q;
}

static int no_more(lua_State *L)
{
    lua_pushliteral(L, "too many instructions");
    return lua_error(L);
}

static void on_count(lua_State *L, lua_Debug *at)
{
    struct script *s = script_of(L);
    s->used += STEP;
    if (s->used <= s->allowed && !s->over)
        return;
    if (!s->over) {
        lua_getinfo(L, "Sl", at);
        snprintf(s->sentence, sizeof s->sentence,
                 "%s:%d: more than %llu instructions for one call of '%s': a loop without end, or "
                 "'commander.max_instructions' has to be larger",
                 at->short_src, at->currentline, (unsigned long long)s->allowed, s->doing);
    }
    s->over = true;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    no_more(L);
}

lua_State *script_state_new(struct script *s)
{
    lua_State *L = lua_newstate(allocate, s);
    if (!L)
        return NULL;
    *(struct script **)lua_getextraspace(L) = s;
    s->L = L;
    lua_sethook(L, on_count, LUA_MASKCOUNT, STEP);
    return L;
}

void script_charge(lua_State *L, uint64_t n)
{
    struct script *s = script_of(L);
    s->used += n; /* the hook looks at it soon */
    if (s->over)
        no_more(L);
}

/* ---- errors ---- */

static void add_callers(lua_State *L, luaL_Buffer *b)
{
    lua_Debug at;
    int named = 0;
    for (int level = 2; named < CALLERS && lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline <= 0)
            continue;
        lua_pushfstring(L, "%s%s:%d", named++ ? ", " : "; called from ", at.short_src,
                        at.currentline);
        luaL_addvalue(b);
    }
}

/* The message handler: the sentence, and who called. */
static int explain(lua_State *L)
{
    luaL_Buffer b;
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
    if (!text)
        text = lua_pushfstring(L, "error(...) was called with a %s, not with a text",
                               luaL_typename(L, 1));
    luaL_buffinit(L, &b);
    luaL_addstring(&b, text);
    add_callers(L, &b);
    luaL_pushresult(&b);
    return 1;
}

static void keep_sentence(struct script *s, int status)
{
    lua_State *L = s->L;
    if (s->over)
        return; /* its own is there, whatever came after */
    if (status == LUA_ERRMEM)
        snprintf(s->sentence, sizeof s->sentence,
                 "the script needs more than %.1f MB of memory ('commander.max_memory_bytes')",
                 (double)s->run->max_memory_bytes / 1e6);
    else
        snprintf(s->sentence, sizeof s->sentence, "%s",
                 lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it failed");
}

int script_call(struct script *s, lua_CFunction f, void *ctx, uint64_t share)
{
    lua_State *L = s->L;
    s->used = 0;
    s->allowed = s->run->max_instructions * share;
    s->drawing = false;
    lua_settop(L, 0);
    lua_pushcfunction(L, explain);
    lua_pushcfunction(L, f);
    lua_pushlightuserdata(L, ctx);
    int status = s->over ? LUA_ERRRUN : lua_pcall(L, 1, 0, 1);
    if (status == LUA_OK && !s->over)
        return MR_OK;
    keep_sentence(s, status);
    return MR_E_CODE;
}
