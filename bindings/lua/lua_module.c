/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_module.c: require "millrace.core": open, check, explain, version, and the loader's metatable
 * for millrace.lua.
 */
#include "lua_handles.h"
#include "lua_options.h"

/* check(path, options): true, or raises what is wrong with the config. */
static int check(lua_State *L)
{
    mr_options o;
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 2);
    mr__lua_read_options(L, 2, &o);
    if (mr_check(path, &o) < 0)
        return mr__lua_raise(L, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

static int explain(lua_State *L)
{
    mr_options o;
    char *text = NULL;
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 2);
    mr__lua_read_options(L, 2, &o);
    if (mr_explain(path, &o, &text) < 0)
        return mr__lua_raise(L, NULL);
    lua_pushstring(L, text);
    mr_free(text);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_millrace_core(lua_State *L);

int luaopen_millrace_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"open", mr__lua_open}, {"check", check}, {"explain", explain}, {NULL, NULL}};
    luaL_checkversion(L);
    mr__lua_make_loader(L);
    mr__lua_make_batch(L);
    mr__lua_make_tensor(L);
    luaL_newlib(L, functions);
    lua_pushliteral(L, MR_VERSION_STRING);
    lua_setfield(L, -2, "version");
    luaL_getmetatable(L, "millrace.loader");
    lua_setfield(L, -2, "loader");
    return 1;
}
