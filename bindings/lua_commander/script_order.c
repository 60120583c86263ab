/* SPDX-License-Identifier: Apache-2.0
 *
 * script_order.c: pairs() in an order that follows from the keys: numbers, ascending, then texts,
 * by their bytes, then false, true, and what has no order as Lua has it. Lua's own order of texts
 * differs from process to process, and with it what a script makes of a table of weights by name.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

enum rank { NUMBERS, TEXTS, BOOLEANS, OTHERS };

struct key {
    enum rank rank;
    double number;
    const char *text; /* the table holds it */
    size_t n;
    lua_Integer at; /* in Lua's order, from 1 */
};

static int by_place(const struct key *a, const struct key *b)
{
    return (a->at > b->at) - (a->at < b->at);
}

static int by_key(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->rank == TEXTS) {
        int order = memcmp(a->text, b->text, a->n < b->n ? a->n : b->n);
        return order ? order : (a->n > b->n) - (a->n < b->n);
    }
    if (a->rank != OTHERS && a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return by_place(a, b);
}

/* The key at -1. */
static struct key describe(lua_State *L, lua_Integer at)
{
    struct key k = {.at = at};
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER: k.number = lua_tonumber(L, -1); break;
    case LUA_TSTRING:
        k.rank = TEXTS;
        k.text = lua_tolstring(L, -1, &k.n);
        break;
    case LUA_TBOOLEAN:
        k.rank = BOOLEANS;
        k.number = lua_toboolean(L, -1);
        break;
    default: k.rank = OTHERS;
    }
    return k;
}

/* Leaves the table's keys in order, as a list. */
static void push_keys(lua_State *L, int table, lua_Integer n)
{
    lua_Integer at = 0;
    lua_createtable(L, n < 1 << 30 ? (int)n : 0, 0);
    lua_createtable(L, n < 1 << 30 ? (int)n : 0, 0);
    struct key *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
    for (lua_pushnil(L); lua_next(L, table);) {
        lua_pop(L, 1);
        keys[at] = describe(L, at + 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -4, ++at);
    }
    qsort(keys, (size_t)n, sizeof *keys, by_key);
    for (at = 0; at < n; at++) {
        lua_rawgeti(L, -2, keys[at].at);
        lua_rawseti(L, -4, at + 1);
    }
    lua_pop(L, 2);
}

/* Upvalues: the keys, how many were given. A key whose value has gone meanwhile is passed over. */
static int next_pair(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    lua_settop(L, 1);
    while (lua_rawgeti(L, lua_upvalueindex(1), ++at) != LUA_TNIL) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            lua_pushinteger(L, at);
            lua_replace(L, lua_upvalueindex(2));
            return 2;
        }
        lua_settop(L, 1);
    }
    return 1;
}

/* Upvalues: how many entries the list had, how many were given. */
static int next_in_list(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(1)),
                at = lua_tointeger(L, lua_upvalueindex(2));
    lua_settop(L, 1);
    while (++at <= n) {
        lua_pushinteger(L, at);
        lua_copy(L, -1, lua_upvalueindex(2));
        if (lua_rawgeti(L, 1, at) != LUA_TNIL)
            return 2;
        lua_settop(L, 1);
    }
    return 0;
}

static void push_iterator(lua_State *L, lua_Integer n)
{
    bool list = (lua_Unsigned)n == lua_rawlen(L, 1);
    if (list)
        lua_pushinteger(L, n);
    else
        push_keys(L, 1, n);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, list ? next_in_list : next_pair, 2);
}

int script_pairs(lua_State *L)
{
    lua_Integer n = 0;
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        n++;
    script_charge(L, (uint64_t)n);
    push_iterator(L, n);
    lua_pushvalue(L, 1);
    return 2; /* and nil */
}
