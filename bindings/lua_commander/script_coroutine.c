/* SPDX-License-Identifier: Apache-2.0
 *
 * script_coroutine.c: coroutines within the limits. An error that the count hook raises leaves its
 * coroutine dead and without hooks, so nothing of it may run any more: what it has yet to close
 * (`local x <close>`) would not be counted.
 */
#include "script.h"

#define COROUTINE_COST 1000 /* a hook's step: it might end before its first */

static int create(lua_State *L)
{
    script_charge(L, COROUTINE_COST);
    return script_pass_on(L);
}

static int close_one(lua_State *L)
{
    script_charge(L, COROUTINE_COST);
    return script_pass_on(L);
}

enum { RESUME = 1, CLOSE, COROUTINE }; /* upvalues of what `wrap` returns */

/* As Lua's own: an error closes the coroutine, and goes on with its place in front. */
static int fail_wrapped(lua_State *L, lua_State *co)
{
    int status = lua_status(co);
    lua_settop(L, 2); /* false, the error */
    script_charge(L, 0);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushvalue(L, lua_upvalueindex(CLOSE));
        lua_pushvalue(L, lua_upvalueindex(COROUTINE));
        lua_call(L, 1, 2);
        if (lua_toboolean(L, -2) || lua_isnil(L, -1))
            lua_settop(L, 2);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrapped(lua_State *L)
{
    int n = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(RESUME));
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(COROUTINE));
    lua_insert(L, 2);
    lua_call(L, n + 1, LUA_MULTRET);
    if (!lua_toboolean(L, 1))
        return fail_wrapped(L, lua_tothread(L, lua_upvalueindex(COROUTINE)));
    return lua_gettop(L) - 1;
}

/* Upvalues: create, resume, close. */
static int wrap(lua_State *L)
{
    script_charge(L, COROUTINE_COST);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_pushcclosure(L, wrapped, COROUTINE);
    return 1;
}

void script_guard_coroutines(lua_State *L)
{
    lua_getfield(L, -1, "create");
    lua_getfield(L, -2, "resume");
    lua_getfield(L, -3, "close");
    lua_pushcclosure(L, wrap, 3);
    lua_setfield(L, -2, "wrap");
    lua_getfield(L, -1, "create");
    lua_pushcclosure(L, create, 1);
    lua_setfield(L, -2, "create");
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, close_one, 1);
    lua_setfield(L, -2, "close");
}
