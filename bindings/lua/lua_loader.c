/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_loader.c: the loader, call by call. millrace.lua puts iteration on top.
 */
#include "lua_handles.h"
#include "lua_log.h"
#include "lua_options.h"

#include <stdlib.h>
#include <string.h>

#define LOADER "millrace.loader"

int mr__lua_raise(lua_State *L, const mr_loader *loader)
{
    return luaL_error(L, "%s", mr_error(loader));
}

static mr_loader *check_loader(lua_State *L)
{
    const struct lua_loader *l = luaL_checkudata(L, 1, LOADER);
    if (!l->loader)
        luaL_error(L, "the loader is closed");
    return l->loader;
}

/* Pending log lines, then the result that is on the stack. */
static void deliver_log(lua_State *L)
{
    const struct lua_loader *l = lua_touserdata(L, 1);
    mr__lua_log_deliver(L, l->log, 1);
}

static void take_log_option(lua_State *L, struct lua_loader *l, int self, mr_options *o)
{
    if (lua_isnoneornil(L, 2) || lua_getfield(L, 2, "log") == LUA_TNIL)
        return;
    luaL_checktype(L, -1, LUA_TFUNCTION);
    lua_setiuservalue(L, self, 1);
    l->log = mr__lua_log_new();
    if (!l->log)
        luaL_error(L, "not enough memory for the log");
    o->log = mr__lua_log_keep;
    o->log_user = l->log;
}

int mr__lua_open(lua_State *L)
{
    mr_options o;
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 2);
    mr__lua_read_options(L, 2, &o);
    if (!path && !o.config_text)
        return luaL_argerror(L, 1, "the path of a config is missing");
    struct lua_loader *l = lua_newuserdatauv(L, sizeof *l, 1);
    *l = (struct lua_loader){0};
    luaL_setmetatable(L, LOADER);
    int self = lua_gettop(L);
    take_log_option(L, l, self, &o);
    lua_settop(L, self);
    if (mr_open(&l->loader, path, &o) < 0)
        return mr__lua_raise(L, NULL);
    mr__lua_log_deliver(L, l->log, self);
    return 1;
}

/* nil and why there is no batch: "epoch", "end" or "timeout". */
static int no_batch(lua_State *L, const char *why)
{
    deliver_log(L);
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
}

/* loader:_next([seconds]): a batch, or no_batch(). */
static int loader_next(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    double seconds = luaL_optnumber(L, 2, -1);
    mr_batch *batch;
    int64_t patience = seconds < 0     ? MR_FOREVER
                       : seconds > 1e9 ? 1000000000000
                                       : (int64_t)(seconds * 1000);
    int rc = mr_next(loader, &batch, patience);
    if (rc == MR_E_LEASED && lua_gc(L, LUA_GCCOLLECT) == 0) /* dropped batches are leased still */
        rc = mr_next(loader, &batch, patience);
    if (rc == MR_E_TIMEOUT)
        return no_batch(L, "timeout");
    if (rc < 0) {
        lua_pushstring(L, mr_error(loader)); /* before a log function calls something else */
        deliver_log(L);
        return luaL_error(L, "%s", lua_tostring(L, -1));
    }
    if (rc != MR_OK)
        return no_batch(L, rc == MR_END ? "end" : "epoch");
    mr__lua_push_batch(L, batch, 1);
    deliver_log(L);
    return 1;
}

/* Again is no error. */
static int loader_close(lua_State *L)
{
    struct lua_loader *l = luaL_checkudata(L, 1, LOADER);
    mr_close(&l->loader);
    return 0;
}

static int loader_gc(lua_State *L)
{
    struct lua_loader *l = luaL_checkudata(L, 1, LOADER);
    mr_close(&l->loader);
    mr__lua_log_free(l->log);
    l->log = NULL;
    return 0;
}

static int loader_save_state(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    char text[4096];
    size_t bytes;
    if (mr_save_state(loader, text, sizeof text, &bytes) < 0)
        return mr__lua_raise(L, loader);
    lua_pushlstring(L, text, bytes - 1);
    return 1;
}

static int loader_load_state(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    return mr_load_state(loader, luaL_checkstring(L, 2)) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_save_weights(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    return mr_save_weights(loader, luaL_checkstring(L, 2)) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_load_weights(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    return mr_load_weights(loader, luaL_checkstring(L, 2)) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_end_epoch(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    return mr_end_epoch(loader) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_set_epoch(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    lua_Integer epoch = luaL_checkinteger(L, 2);
    luaL_argcheck(L, epoch >= 0, 2, "epochs begin at 0");
    return mr_set_epoch(loader, (uint64_t)epoch) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_begin_hash(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    return mr_stream_hash_begin(loader) < 0 ? mr__lua_raise(L, loader) : 0;
}

static int loader_hash(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    uint64_t hash;
    if (mr_stream_hash(loader, &hash) < 0)
        return mr__lua_raise(L, loader);
    lua_pushinteger(L, (lua_Integer)hash);
    return 1;
}

static int loader_fd(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    int fd = mr_fd(loader);
    if (fd < 0)
        return mr__lua_raise(L, loader);
    lua_pushinteger(L, fd);
    return 1;
}

static int push_text(lua_State *L, char *text)
{
    if (!text)
        lua_pushnil(L);
    else
        lua_pushstring(L, text);
    mr_free(text);
    return 1;
}

static int loader_dump(lua_State *L)
{
    return push_text(L, mr_dump(check_loader(L)));
}

static int loader_sample_path(lua_State *L)
{
    return push_text(L, mr_sample_path(check_loader(L), (uint64_t)luaL_checkinteger(L, 2)));
}

/* Labels begin at 0, as they stand in the batch. */
static int loader_class_name(lua_State *L)
{
    const char *name = mr_class_name(check_loader(L), (uint64_t)luaL_checkinteger(L, 2));
    lua_pushstring(L, name); /* nil for NULL */
    return 1;
}

static int loader_stats(lua_State *L)
{
    mr_loader *loader = check_loader(L);
    mr_stats s = {.size = sizeof s};
    if (mr_get_stats(loader, &s) < 0)
        return mr__lua_raise(L, loader);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"samples", s.samples},
        {"batches_per_epoch", s.batches_per_epoch},
        {"batches", s.batches},
        {"rows", s.rows},
        {"bad_samples", s.bad_samples},
        {"respawns", s.respawns},
        {"wait_ns", s.wait_ns},
        {"read_ns", s.read_ns},
        {"decode_ns", s.decode_ns},
        {"augment_ns", s.augment_ns},
        {"idle_ns", s.idle_ns},
        {"commander_idle_ns", s.commander_idle_ns},
        {"bytes_read", s.bytes_read},
        {"arena_bytes", s.arena_bytes},
        {"producers", (uint64_t)s.producers},
        {"slots", (uint64_t)s.slots},
        {"rank", (uint64_t)s.rank},
        {"world", (uint64_t)s.world},
        {"reads", s.reads},
        {"reads_waited", s.reads_waited},
        {"read_wait_ns", s.read_wait_ns},
        {"read_aheads", s.read_aheads},
        {"read_ahead", (uint64_t)s.read_ahead},
    };
    lua_newtable(L);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lua_pushinteger(L, (lua_Integer)rows[i].value);
        lua_setfield(L, -2, rows[i].name);
    }
    return 1;
}

void mr__lua_make_loader(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"_next", loader_next},
        {"close", loader_close},
        {"_save_state", loader_save_state},
        {"_load_state", loader_load_state},
        {"_save_weights", loader_save_weights},
        {"load_weights", loader_load_weights},
        {"_end_epoch", loader_end_epoch},
        {"_set_epoch", loader_set_epoch},
        {"begin_hash", loader_begin_hash},
        {"hash", loader_hash},
        {"fd", loader_fd},
        {"dump", loader_dump},
        {"sample_path", loader_sample_path},
        {"class_name", loader_class_name},
        {"stats", loader_stats},
        {"__gc", loader_gc},
        {"__close", loader_close},
        {NULL, NULL},
    };
    luaL_newmetatable(L, LOADER);
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
