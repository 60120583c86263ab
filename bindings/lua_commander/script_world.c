/* SPDX-License-Identifier: Apache-2.0
 *
 * script_world.c: what a script sees. Of Lua's own library it has what neither reaches out of the
 * state nor around its limits; random numbers are the run's, so that they repeat.
 */
#include "script.h"

#include <lualib.h>
#include <string.h>

/* ---- Lua's library, less some, and some guarded ---- */

static void forget(lua_State *L, const char *const *names)
{
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
}

int script_pass_on(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* Bytecode is not checked by Lua: only texts are compiled. */
static int load_text(lua_State *L)
{
    const char *mode = luaL_optstring(L, 3, "t");
    bool env = !lua_isnone(L, 4);
    if (strcmp(mode, "t") != 0)
        return luaL_error(L, "load takes texts only (mode 't')");
    lua_settop(L, env ? 4 : 3);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    return script_pass_on(L);
}

/* A finalizer runs outside of the limits. */
static int set_metatable(lua_State *L)
{
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "a script's tables have no finalizers (__gc)");
        lua_pop(L, 1);
    }
    return script_pass_on(L);
}

/* Lua calls a handler inside of the hook that has raised the error, where no hook counts: here it
 * is called when the error is over. */
static int guarded_call(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_insert(L, 1); /* handler, function, handler, arguments */
    lua_remove(L, 3);
    if (lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0) == LUA_OK) {
        lua_pushboolean(L, 1);
        lua_replace(L, 1);
        return lua_gettop(L);
    }
    lua_pcall(L, 1, 1, 0);
    lua_pushboolean(L, 0);
    lua_insert(L, 1);
    return 2;
}

/* Puts `guard` around a function of the table on top. */
static void wrap(lua_State *L, const char *name, lua_CFunction guard)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, guard, 1);
    lua_setfield(L, -2, name);
}

/* ---- random numbers: of the message that is being made ---- */

static mr_rng *rng_of(lua_State *L)
{
    struct script *s = script_of(L);
    if (!s->drawing)
        s->rng = mr_run_rng(s->run, s->epoch, s->position, s->doing);
    s->drawing = true;
    return &s->rng;
}

static uint64_t random64(mr_rng *rng)
{
    uint64_t high = mr_rng_u32(rng);
    return high << 32 | mr_rng_u32(rng);
}

static int random_number(lua_State *L)
{
    mr_rng *rng = rng_of(L);
    int n = lua_gettop(L);
    if (n == 0) {
        lua_pushnumber(L, (double)(random64(rng) >> 11) * 0x1p-53);
        return 1;
    }
    lua_Integer low = n > 1 ? luaL_checkinteger(L, 1) : 1,
                high = luaL_checkinteger(L, n > 1 ? 2 : 1);
    if (n == 1 && high == 0) {
        lua_pushinteger(L, (lua_Integer)random64(rng));
        return 1;
    }
    luaL_argcheck(L, low <= high, n > 1 ? 2 : 1, "interval is empty");
    uint64_t span = (uint64_t)high - (uint64_t)low + 1; /* 0: all there are */
    uint64_t drawn = span ? mr_rng_below(rng, span) : random64(rng);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + drawn));
    return 1;
}

/* permute(index, n [, which]) */
static int permute(lua_State *L)
{
    lua_Integer index = luaL_checkinteger(L, 1), n = luaL_checkinteger(L, 2);
    lua_Integer which = luaL_optinteger(L, 3, 0);
    luaL_argcheck(L, n > 0, 2, "must be at least 1");
    luaL_argcheck(L, index >= 0 && index < n, 1, "must be 0 to n - 1");
    lua_pushinteger(L, (lua_Integer)mr_run_permute(script_of(L)->run, (uint64_t)which,
                                                   (uint64_t)index, (uint64_t)n));
    return 1;
}

/* ---- the data set ---- */

static void push_number(lua_State *L, mr_dtype dtype, const void *data, uint64_t i)
{
    switch (dtype) {
    case MR_U8: lua_pushinteger(L, ((const uint8_t *)data)[i]); break;
    case MR_U16: lua_pushinteger(L, ((const uint16_t *)data)[i]); break;
    case MR_I16: lua_pushinteger(L, ((const int16_t *)data)[i]); break;
    case MR_I32: lua_pushinteger(L, ((const int32_t *)data)[i]); break;
    case MR_I64: lua_pushinteger(L, ((const int64_t *)data)[i]); break;
    case MR_F32: lua_pushnumber(L, (double)((const float *)data)[i]); break;
    case MR_F64: lua_pushnumber(L, ((const double *)data)[i]); break;
    default: luaL_error(L, "the column has numbers that Lua has not");
    }
}

static uint64_t column_of(lua_State *L, const char *column, int index, mr_dtype *dtype,
                          const void **data)
{
    const mr_run *run = script_of(L)->run;
    lua_Integer sample = luaL_checkinteger(L, index);
    uint64_t n = 0;
    if (sample < 0 || (uint64_t)sample >= run->samples)
        luaL_error(L, "there is no sample %I: the data set has samples 0 to %I", sample,
                   (lua_Integer)run->samples - 1);
    if (mr_run_numbers(run, column, (uint64_t)sample, dtype, data, &n) < 0)
        luaL_error(L, "the data set has no column of numbers '%s'", column);
    return n;
}

/* label(sample) */
static int label(lua_State *L)
{
    mr_dtype dtype;
    const void *data;
    if (column_of(L, "label", 1, &dtype, &data) == 0)
        lua_pushnil(L);
    else
        push_number(L, dtype, data, 0);
    return 1;
}

/* numbers(column, sample) */
static int numbers(lua_State *L)
{
    mr_dtype dtype;
    const void *data;
    uint64_t n = column_of(L, luaL_checkstring(L, 1), 2, &dtype, &data);
    lua_createtable(L, n < 1 << 20 ? (int)n : 0, 0);
    for (uint64_t i = 0; i < n; i++) {
        push_number(L, dtype, data, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* ---- the world ---- */

static int print(lua_State *L)
{
    luaL_Buffer b;
    int n = lua_gettop(L);
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&b, ' ');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    mr_run_log(script_of(L)->run, lua_tostring(L, -1));
    return 0;
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void open_run(lua_State *L)
{
    const mr_run *run = script_of(L)->run;
    lua_createtable(L, 0, 10);
    lua_pushlightuserdata(L, (void *)&script_end_epoch);
    lua_setfield(L, -2, "END_EPOCH");
    lua_pushlightuserdata(L, (void *)&script_end);
    lua_setfield(L, -2, "END");
    set_integer(L, "seed", run->seed);
    set_integer(L, "batch", run->batch);
    set_integer(L, "epochs", run->epochs);
    set_integer(L, "rank", run->rank);
    set_integer(L, "world", run->world);
    lua_pushcfunction(L, permute);
    lua_setfield(L, -2, "permute");
    lua_setglobal(L, "millrace");
    if (!run->samples)
        return;
    lua_createtable(L, 0, 4);
    set_integer(L, "samples", run->samples);
    set_integer(L, "classes", run->classes);
    lua_pushcfunction(L, label);
    lua_setfield(L, -2, "label");
    lua_pushcfunction(L, numbers);
    lua_setfield(L, -2, "numbers");
    lua_setglobal(L, "dataset");
}

static void open_library(lua_State *L)
{
    static const luaL_Reg parts[] = {{LUA_GNAME, luaopen_base},        {"string", luaopen_string},
                                     {"table", luaopen_table},         {"math", luaopen_math},
                                     {"coroutine", luaopen_coroutine}, {"utf8", luaopen_utf8}};
    static const char *const base[] = {"dofile", "loadfile", "collectgarbage", "warn", NULL};
    static const char *const dump[] = {"dump", NULL}, *const seed[] = {"randomseed", NULL};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        luaL_requiref(L, parts[i].name, parts[i].func, 1);
        lua_pop(L, 1);
    }
    lua_pushglobaltable(L);
    forget(L, base);
    wrap(L, "load", load_text);
    wrap(L, "setmetatable", set_metatable);
    wrap(L, "xpcall", guarded_call);
    lua_pushcfunction(L, script_pairs);
    lua_setfield(L, -2, "pairs");
    lua_getfield(L, -1, "string");
    forget(L, dump);
    lua_getfield(L, -2, "math");
    forget(L, seed);
    lua_pushcfunction(L, random_number);
    lua_setfield(L, -2, "random");
    lua_getfield(L, -3, "coroutine");
    script_guard_coroutines(L);
    lua_pop(L, 4);
}

void script_open_world(lua_State *L)
{
    open_library(L);
    open_run(L);
    lua_newtable(L);
    lua_pushcclosure(L, script_require, 1);
    lua_setglobal(L, "require");
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
}
