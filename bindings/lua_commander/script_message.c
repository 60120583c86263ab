/* SPDX-License-Identifier: Apache-2.0
 *
 * script_message.c: Lua's values as messages and back. Lists of numbers become arrays, other tables
 * lists; texts, whole numbers and floats are what they are. Keys are sorted, since the order in
 * which Lua keeps them differs from process to process.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 8 /* lists within lists */

/* Where in a message something stands, for a sentence. */
struct place {
    const struct place *up;
    const char *key; /* NULL: an entry of a list */
    lua_Integer index;
    int depth;
};

struct writing {
    lua_State *L;
    mr_message *m;
};

static const char *describe(lua_State *L, const struct place *p)
{
    if (!p->up)
        return lua_pushstring(L, p->key);
    const char *up = describe(L, p->up);
    return p->key ? lua_pushfstring(L, "%s.%s", up, p->key)
                  : lua_pushfstring(L, "%s[%I]", up, p->index);
}

static void refuse(const struct writing *w, const struct place *p, const char *why)
{
    luaL_checkstack(w->L, 2 * DEPTH + 4, NULL);
    luaL_error(w->L, "%s %s", describe(w->L, p), why);
}

/* What a setter has said. */
static void judge(const struct writing *w, const struct place *p, int rc)
{
    if (rc == MR_E_LIMIT)
        refuse(w, p, "does not fit: the message is larger than 'message_bytes'");
    if (rc < 0)
        refuse(w, p, "is no key: one has 1 to 255 bytes");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void take_key(lua_State *L, const char **keys, size_t at)
{
    keys[at] = lua_tostring(L, -2); /* the table holds it */
    if (strlen(keys[at]) != lua_rawlen(L, -2))
        luaL_error(L, "a key has a NUL byte in it");
}

void script_text_keys(lua_State *L, int index, struct script_keys *k)
{
    k->n = k->others = 0;
    k->text = k->few;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            k->others++;
        else if (k->n++ < SCRIPT_FEW)
            take_key(L, k->text, k->n - 1);
    }
    if (k->n > SCRIPT_FEW) {
        size_t at = 0;
        k->text = lua_newuserdatauv(L, k->n * sizeof *k->text, 0);
        for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
            if (lua_type(L, -2) == LUA_TSTRING)
                take_key(L, k->text, at++);
    }
    if (k->n > 1)
        qsort(k->text, k->n, sizeof *k->text, by_text);
}

/* ---- writing ---- */

enum numbers { NO_NUMBERS, WHOLE, FLOATS };

/* What the `n` entries of the list on top are, if it has no others. */
static enum numbers classify(lua_State *L, lua_Integer n)
{
    enum numbers all = n ? WHOLE : NO_NUMBERS;
    lua_Integer keys = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        keys++;
    if (keys != n)
        return NO_NUMBERS;
    for (lua_Integer i = 1; i <= n && all; i++) {
        int type = lua_rawgeti(L, -1, i);
        if (type != LUA_TNUMBER)
            all = NO_NUMBERS;
        else if (!lua_isinteger(L, -1))
            all = FLOATS;
        lua_pop(L, 1);
    }
    return all;
}

static int write_array(const struct writing *w, const char *key, lua_Integer n, enum numbers kind)
{
    lua_State *L = w->L;
    union {
        int64_t i;
        double d;
    } *v = lua_newuserdatauv(L, (size_t)n * sizeof *v, 0);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, -2, i + 1);
        if (kind == WHOLE)
            v[i].i = lua_tointeger(L, -1);
        else
            v[i].d = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    int rc = kind == WHOLE ? mr_message_set_i64s(w->m, key, &v->i, (size_t)n)
                           : mr_message_set_f64s(w->m, key, &v->d, (size_t)n);
    lua_pop(L, 1);
    return rc;
}

static void write_value(const struct writing *w, const struct place *p);

/* The entries 1 .. n of the table on top, then those with a name. */
static void write_entries(const struct writing *w, const struct place *p, lua_Integer n)
{
    lua_State *L = w->L;
    int table = lua_gettop(L);
    struct script_keys keys;
    for (lua_Integer i = 1; i <= n; i++) {
        struct place one = {p, NULL, i, p->depth + 1};
        lua_rawgeti(L, table, i);
        write_value(w, &one);
        lua_pop(L, 1);
    }
    script_text_keys(L, table, &keys);
    if (keys.others != (size_t)n)
        refuse(w, p, "has a hole, or a key that is neither a text nor a number from 1 on");
    for (size_t i = 0; i < keys.n; i++) {
        struct place one = {p, keys.text[i], 0, p->depth + 1};
        lua_pushstring(L, keys.text[i]);
        lua_rawget(L, table);
        write_value(w, &one);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
}

static void write_table(const struct writing *w, const struct place *p)
{
    lua_Integer n = (lua_Integer)lua_rawlen(w->L, -1);
    enum numbers kind = classify(w->L, n);
    if (kind) {
        judge(w, p, write_array(w, p->key, n, kind));
        return;
    }
    if (p->depth > DEPTH)
        refuse(w, p, "is nested more than 8 lists deep");
    judge(w, p, mr_message_begin_list(w->m, p->key));
    write_entries(w, p, n);
    mr_message_end_list(w->m);
}

static int write_text(const struct writing *w, const struct place *p)
{
    size_t n;
    const char *text = lua_tolstring(w->L, -1, &n);
    return strlen(text) == n ? mr_message_set_str(w->m, p->key, text)
                             : mr_message_set_bytes(w->m, p->key, text, n);
}

/* The value on top. */
static void write_value(const struct writing *w, const struct place *p)
{
    lua_State *L = w->L;
    luaL_checkstack(L, 12, NULL);
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        judge(w, p,
              lua_isinteger(L, -1) ? mr_message_set_i64(w->m, p->key, lua_tointeger(L, -1))
                                   : mr_message_set_f64(w->m, p->key, lua_tonumber(L, -1)));
        break;
    case LUA_TBOOLEAN: judge(w, p, mr_message_set_i64(w->m, p->key, lua_toboolean(L, -1))); break;
    case LUA_TSTRING: judge(w, p, write_text(w, p)); break;
    case LUA_TTABLE: write_table(w, p); break;
    default:
        lua_pushfstring(L, "is a %s: a message holds numbers, texts, booleans and lists of them",
                        luaL_typename(L, -1));
        refuse(w, p, lua_tostring(L, -1));
    }
}

/* What the header says; true: it is no entry. */
static bool write_header(const struct writing *w, const struct place *p)
{
    lua_State *L = w->L;
    bool sample = !strcmp(p->key, "sample"), epoch = !strcmp(p->key, "epoch");
    if (!sample && !epoch && strcmp(p->key, "position") != 0)
        return false;
    if (!lua_isinteger(L, -1))
        refuse(w, p, "has to be a whole number");
    lua_Integer value = lua_tointeger(L, -1);
    if (sample && value < 0)
        refuse(w, p, "is negative: samples are counted from 0");
    if (sample)
        mr_message_set_sample(w->m, (uint64_t)value);
    else if ((uint64_t)value != (epoch ? mr_message_epoch(w->m) : mr_message_position(w->m)))
        refuse(w, p, "was changed: where the row stands is the loader's to say");
    return true;
}

void script_write_message(lua_State *L, int index, mr_message *m)
{
    struct writing w = {L, m};
    struct place top = {NULL, "message", 0, 0};
    struct script_keys keys;
    script_text_keys(L, index, &keys);
    if (keys.others)
        luaL_error(L, "the message has entries without a name: '{index = 5}', not '{5}'");
    for (size_t i = 0; i < keys.n; i++) {
        struct place one = {&top, keys.text[i], 0, 1};
        lua_pushstring(L, keys.text[i]);
        lua_rawget(L, index);
        if (!write_header(&w, &one))
            write_value(&w, &one);
        lua_pop(L, 1);
    }
}

/* ---- reading ---- */

static void push_entry(lua_State *L, const mr_entry *e)
{
    switch (e->type) {
    case MR_T_STR:
    case MR_T_BYTES: lua_pushlstring(L, e->data, (size_t)e->n); return;
    case MR_T_LIST: lua_newtable(L); return;
    default: break;
    }
    bool whole = e->type == MR_T_I64;
    if (e->n != 1)
        lua_createtable(L, e->n < 1 << 20 ? (int)e->n : 0, 0);
    for (uint64_t i = 0; i < e->n; i++) {
        if (whole)
            lua_pushinteger(L, ((const int64_t *)e->data)[i]);
        else
            lua_pushnumber(L, ((const double *)e->data)[i]);
        if (e->n != 1)
            lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* The tables that are open lie on the stack, the outermost first. */
void script_push_message(lua_State *L, const mr_message *m)
{
    lua_Integer count[DEPTH + 2] = {0};
    uint64_t cursor = 0;
    mr_entry e;
    luaL_checkstack(L, DEPTH + 8, NULL);
    lua_newtable(L);
    int base = lua_gettop(L);
    while (m && mr_message_walk(m, &cursor, &e) == MR_OK && e.depth <= DEPTH) {
        lua_settop(L, base + e.depth);
        push_entry(L, &e);
        lua_pushvalue(L, -1);
        if (e.key)
            lua_setfield(L, base + e.depth, e.key);
        else
            lua_rawseti(L, base + e.depth, ++count[e.depth]);
        count[e.depth + 1] = 0;
    }
    lua_settop(L, base);
}
