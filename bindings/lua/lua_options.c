/* SPDX-License-Identifier: Apache-2.0 */
#include "lua_options.h"

#include <lauxlib.h>
#include <string.h>

static const char *const known[] = {"set", "state", "weights", "text", "warden", "log"};
#define NKNOWN (sizeof known / sizeof *known)

static void check_keys(lua_State *L, int table)
{
    lua_pushnil(L);
    while (lua_next(L, table)) {
        size_t i = 0;
        lua_pop(L, 1);
        while (i < NKNOWN &&
               (lua_type(L, -1) != LUA_TSTRING || strcmp(known[i], lua_tostring(L, -1))))
            i++;
        if (i == NKNOWN)
            luaL_error(L,
                       "unknown option '%s': there are set, state, weights, text, warden and log",
                       luaL_tolstring(L, -1, NULL));
    }
}

/* A text option, kept in the table at `keep`; NULL when absent. */
static const char *text_option(lua_State *L, int table, const char *key, int keep)
{
    if (lua_getfield(L, table, key) == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "option '%s' must be a string", key);
    const char *text = lua_tostring(L, -1);
    lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    return text;
}

/* One entry of `set`, key at -2 and value at -1: leaves "key=value" in place of both. */
static void make_override(lua_State *L)
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        luaL_error(L, "option 'set': a value is a string, a number or a boolean, not a %s",
                   luaL_typename(L, -1));
    const char *value = luaL_tolstring(L, -1, NULL);
    if (lua_type(L, -3) == LUA_TSTRING)
        lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), value);
    else
        lua_pushvalue(L, -1); /* an entry of the array part */
    lua_replace(L, -4);
    lua_pop(L, 2);
}

static int count_entries(lua_State *L, int table)
{
    int n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        n++;
    return n;
}

/* An array of texts, NULL behind the last, in a userdata kept at `keep`. */
static const char *const *set_option(lua_State *L, int table, int keep)
{
    if (lua_getfield(L, table, "set") == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    luaL_checktype(L, -1, LUA_TTABLE);
    int set = lua_gettop(L), n = 0;
    const char **texts =
        lua_newuserdatauv(L, ((size_t)count_entries(L, set) + 1) * sizeof *texts, 0);
    lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    lua_pushnil(L);
    while (lua_next(L, set)) {
        lua_pushvalue(L, -2); /* lua_next needs the key as it is */
        lua_insert(L, -2);
        make_override(L);
        texts[n++] = lua_tostring(L, -1);
        lua_rawseti(L, keep, (lua_Integer)lua_rawlen(L, keep) + 1);
    }
    texts[n] = NULL;
    lua_pop(L, 1);
    return texts;
}

void mr__lua_read_options(lua_State *L, int table, mr_options *o)
{
    *o = (mr_options){.size = sizeof *o};
    lua_newtable(L);
    int keep = lua_gettop(L);
    if (lua_isnoneornil(L, table))
        return;
    luaL_checktype(L, table, LUA_TTABLE);
    check_keys(L, table);
    o->set = set_option(L, table, keep);
    o->state = text_option(L, table, "state", keep);
    o->weights = text_option(L, table, "weights", keep);
    o->config_text = text_option(L, table, "text", keep);
    o->warden = text_option(L, table, "warden", keep);
}
