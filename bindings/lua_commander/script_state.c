/* SPDX-License-Identifier: Apache-2.0
 *
 * script_state.c: what a script's `save` returns as bytes, and back for `load`: a tag, then the
 * value; tables as their list and their other keys, sorted, so that equal values give equal bytes.
 * The bytes may come from a file: they are not believed.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 32

enum tag { NIL = 'n', FALSE = 'f', TRUE = 't', WHOLE = 'i', FLOAT = 'd', TEXT = 's', TABLE = '{' };

/* ---- saving ---- */

struct out {
    lua_State *L;
    uint8_t *to;
    size_t n, cap;
};

static void put(struct out *o, const void *data, size_t n)
{
    if (n > o->cap - o->n)
        luaL_error(o->L, "save has returned more than fits into %I bytes", (lua_Integer)o->cap);
    if (n)
        memcpy(o->to + o->n, data, n);
    o->n += n;
}

static void put_tag(struct out *o, enum tag tag)
{
    uint8_t byte = (uint8_t)tag;
    put(o, &byte, 1);
}

static void put_text(struct out *o, const char *text, size_t bytes)
{
    uint32_t n = (uint32_t)bytes;
    put(o, &n, sizeof n);
    put(o, text, bytes);
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void save_value(struct out *o, int depth);

static void save_number(struct out *o)
{
    int64_t i = lua_tointeger(o->L, -1);
    double d = lua_tonumber(o->L, -1);
    bool whole = lua_isinteger(o->L, -1);
    put_tag(o, whole ? WHOLE : FLOAT);
    put(o, whole ? (void *)&i : (void *)&d, 8);
}

/* Whole numbers that are keys of the table, sorted, in a userdata on top. */
static int64_t *whole_keys(lua_State *L, int table, uint32_t *n)
{
    size_t count = 0, at = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        count += lua_isinteger(L, -2) != 0;
        if (!lua_isinteger(L, -2) && lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L,
                       "save has returned a table with a %s as a key: they are texts and whole "
                       "numbers",
                       luaL_typename(L, -2));
    }
    int64_t *keys = lua_newuserdatauv(L, (count + 1) * sizeof *keys, 0);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        if (lua_isinteger(L, -2))
            keys[at++] = lua_tointeger(L, -2);
    if (count > 1)
        qsort(keys, count, sizeof *keys, by_number);
    *n = (uint32_t)count;
    return keys;
}

static void save_table(struct out *o, int depth)
{
    lua_State *L = o->L;
    int table = lua_gettop(L);
    uint32_t whole;
    struct script_keys names;
    int64_t *numbers = whole_keys(L, table, &whole);
    script_text_keys(L, table, &names);
    uint32_t n = (uint32_t)names.n;
    put_tag(o, TABLE);
    put(o, &whole, sizeof whole);
    put(o, &n, sizeof n);
    for (uint32_t i = 0; i < whole; i++) {
        put(o, &numbers[i], sizeof numbers[i]);
        lua_rawgeti(L, table, numbers[i]);
        save_value(o, depth + 1);
        lua_pop(L, 1);
    }
    for (uint32_t i = 0; i < n; i++) {
        put_text(o, names.text[i], strlen(names.text[i]));
        lua_pushstring(L, names.text[i]);
        lua_rawget(L, table);
        save_value(o, depth + 1);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
}

static void save_value(struct out *o, int depth)
{
    lua_State *L = o->L;
    size_t n;
    const char *text;
    luaL_checkstack(L, 12, NULL);
    if (depth > DEPTH)
        luaL_error(L, "save has returned tables nested more than %d deep (or one in itself)",
                   DEPTH);
    switch (lua_type(L, -1)) {
    case LUA_TNIL: put_tag(o, NIL); break;
    case LUA_TBOOLEAN: put_tag(o, lua_toboolean(L, -1) ? TRUE : FALSE); break;
    case LUA_TNUMBER: save_number(o); break;
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &n);
        put_tag(o, TEXT);
        put_text(o, text, n);
        break;
    case LUA_TTABLE: save_table(o, depth); break;
    default:
        luaL_error(L, "save has returned a %s: numbers, texts, booleans and tables can be kept",
                   luaL_typename(L, -1));
    }
}

size_t script_save_value(lua_State *L, int index, uint8_t *to, size_t cap)
{
    struct out o = {L, to, 0, cap};
    lua_pushvalue(L, index);
    save_value(&o, 0);
    lua_pop(L, 1);
    return o.n;
}

/* ---- loading ---- */

struct in {
    lua_State *L;
    const uint8_t *from;
    size_t n;
};

static const void *take(struct in *in, size_t n)
{
    if (n > in->n)
        luaL_error(in->L, "the saved state is cut");
    const void *at = in->from;
    in->from += n;
    in->n -= n;
    return at;
}

static uint32_t take_count(struct in *in)
{
    uint32_t n;
    memcpy(&n, take(in, sizeof n), sizeof n);
    return n;
}

static void load_value(struct in *in, int depth);

static void load_text(struct in *in)
{
    uint32_t n = take_count(in);
    lua_pushlstring(in->L, take(in, n), n);
}

static void load_table(struct in *in, int depth)
{
    lua_State *L = in->L;
    uint32_t whole = take_count(in), named = take_count(in);
    lua_newtable(L);
    for (uint32_t i = 0; i < whole; i++) {
        int64_t key;
        memcpy(&key, take(in, sizeof key), sizeof key);
        load_value(in, depth + 1);
        lua_rawseti(L, -2, key);
    }
    for (uint32_t i = 0; i < named; i++) {
        load_text(in);
        load_value(in, depth + 1);
        lua_rawset(L, -3);
    }
}

static void load_value(struct in *in, int depth)
{
    lua_State *L = in->L;
    int64_t i;
    double d;
    luaL_checkstack(L, 12, NULL);
    uint8_t tag = *(const uint8_t *)take(in, 1);
    switch (depth > DEPTH ? 0 : tag) {
    case NIL: lua_pushnil(L); break;
    case FALSE: lua_pushboolean(L, 0); break;
    case TRUE: lua_pushboolean(L, 1); break;
    case WHOLE:
        memcpy(&i, take(in, sizeof i), sizeof i);
        lua_pushinteger(L, i);
        break;
    case FLOAT:
        memcpy(&d, take(in, sizeof d), sizeof d);
        lua_pushnumber(L, d);
        break;
    case TEXT: load_text(in); break;
    case TABLE: load_table(in, depth); break;
    default: luaL_error(L, "the saved state is not one of a script");
    }
}

void script_load_value(lua_State *L, const uint8_t *from, size_t bytes)
{
    struct in in = {L, from, bytes};
    load_value(&in, 0);
    if (in.n)
        luaL_error(L, "the saved state is not one of a script");
}
