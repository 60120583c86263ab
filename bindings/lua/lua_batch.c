/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_batch.c: a leased batch. Its fields are batch.NAME (or batch:field(NAME), for a name that is
 * a method's too); it is released by batch:release(), at the end of a `local batch <close>`, and in
 * the end by the garbage collector.
 */
#include "lua_handles.h"

#include <string.h>

#define BATCH "millrace.batch"

int mr__lua_push_batch(lua_State *L, mr_batch *batch, int loader)
{
    loader = lua_absindex(L, loader);
    struct lua_batch *b = lua_newuserdatauv(L, sizeof *b, 1);
    b->batch = batch;
    luaL_setmetatable(L, BATCH);
    lua_pushvalue(L, loader);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

mr_batch *mr__lua_check_batch(lua_State *L, int index)
{
    const struct lua_batch *b = luaL_checkudata(L, index, BATCH);
    if (!b->batch)
        luaL_error(L, "the batch was released");
    return b->batch;
}

/* Again is no error: a batch that a loop has released may be released by hand too. */
static int batch_release(lua_State *L)
{
    struct lua_batch *b = luaL_checkudata(L, 1, BATCH);
    mr_batch *batch = b->batch;
    b->batch = NULL;
    if (batch && mr_release(batch) < 0)
        return mr__lua_raise(L, NULL);
    return 0;
}

static int batch_field(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    mr_batch *batch = mr__lua_check_batch(L, 1);
    const mr_tensor *t = mr_field(batch, name);
    mr_batch_info info;
    if (!t && mr_batch_get_info(batch, &info) < 0)
        return mr__lua_raise(L, NULL); /* in a forked child */
    if (!t)
        return luaL_error(L, "the batch has no field '%s'", name);
    return mr__lua_push_tensor(L, t, 1);
}

static int batch_index(lua_State *L)
{
    const char *key = luaL_checkstring(L, 2);
    return luaL_getmetafield(L, 1, key) == LUA_TNIL ? batch_field(L) : 1;
}

static int batch_fields(lua_State *L)
{
    mr_batch *batch = mr__lua_check_batch(L, 1);
    lua_newtable(L);
    for (int32_t i = 0; i < mr_field_count(batch); i++) {
        lua_pushstring(L, mr_field_at(batch, i)->name);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static mr_batch_info check_info(lua_State *L)
{
    mr_batch_info info;
    if (mr_batch_get_info(mr__lua_check_batch(L, 1), &info) < 0)
        mr__lua_raise(L, NULL);
    return info;
}

static void set_integer(lua_State *L, const char *key, lua_Integer value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static int batch_info(lua_State *L)
{
    mr_batch_info info = check_info(L);
    lua_newtable(L);
    set_integer(L, "epoch", (lua_Integer)info.epoch);
    set_integer(L, "batch", (lua_Integer)info.batch);
    set_integer(L, "sequence", (lua_Integer)info.sequence);
    set_integer(L, "rows", info.rows);
    set_integer(L, "valid", info.valid);
    lua_pushboolean(L, info.tainted);
    lua_setfield(L, -2, "tainted");
    return 1;
}

/* Per row the sample's id, false where the row holds none. */
static int batch_ids(lua_State *L)
{
    mr_batch_info info = check_info(L);
    const uint64_t *ids = mr_sample_ids(mr__lua_check_batch(L, 1));
    lua_createtable(L, info.rows, 0);
    for (int32_t i = 0; i < info.rows; i++) {
        if (ids[i] == UINT64_MAX)
            lua_pushboolean(L, 0);
        else
            lua_pushinteger(L, (lua_Integer)ids[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int batch_valid(lua_State *L)
{
    mr_batch_info info = check_info(L);
    const uint8_t *valid = mr_valid(mr__lua_check_batch(L, 1));
    lua_createtable(L, info.rows, 0);
    for (int32_t i = 0; i < info.rows; i++) {
        lua_pushboolean(L, valid[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* The library's sentences count rows from 0. */
static int raise_for_row(lua_State *L, int row)
{
    const char *from_0 = lua_pushfstring(L, "row %d of batch", row - 1);
    const char *from_1 = lua_pushfstring(L, "row %d of batch", row);
    return luaL_error(L, "%s", luaL_gsub(L, mr_error(NULL), from_0, from_1));
}

/* feedback(row, value): rows from 1. */
static int batch_feedback(lua_State *L)
{
    mr_batch *batch = mr__lua_check_batch(L, 1);
    lua_Integer row = luaL_checkinteger(L, 2);
    lua_Number value = luaL_checknumber(L, 3);
    if (row < 1 || row > check_info(L).rows)
        return luaL_error(L, "the batch has no row %I, it has 1 to %d", (LUAI_UACINT)row,
                          (int)check_info(L).rows);
    if (mr_feedback(batch, (int32_t)(row - 1), value) < 0)
        return raise_for_row(L, (int)row);
    return 0;
}

/* An integer with the hash's 64 bits: string.format("%016x", batch:hash()). */
static int batch_hash(lua_State *L)
{
    uint64_t hash;
    if (mr_batch_hash(mr__lua_check_batch(L, 1), &hash) < 0)
        return mr__lua_raise(L, NULL);
    lua_pushinteger(L, (lua_Integer)hash);
    return 1;
}

static int batch_tostring(lua_State *L)
{
    const struct lua_batch *b = luaL_checkudata(L, 1, BATCH);
    mr_batch_info info;
    if (!b->batch || mr_batch_get_info(b->batch, &info) < 0)
        lua_pushliteral(L, "millrace.batch (released)");
    else
        lua_pushfstring(L, "millrace.batch %I of epoch %I, %d rows", (LUAI_UACINT)info.batch,
                        (LUAI_UACINT)info.epoch, (int)info.rows);
    return 1;
}

void mr__lua_make_batch(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"release", batch_release},
        {"field", batch_field},
        {"fields", batch_fields},
        {"info", batch_info},
        {"ids", batch_ids},
        {"valid", batch_valid},
        {"hash", batch_hash},
        {"feedback", batch_feedback},
        {"__index", batch_index},
        {"__gc", batch_release},
        {"__close", batch_release},
        {"__tostring", batch_tostring},
        {NULL, NULL},
    };
    luaL_newmetatable(L, BATCH);
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 1);
}
