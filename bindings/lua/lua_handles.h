/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_handles.h: the three kinds of userdata, and how their owners keep each other alive:
 *     tensor -> (user value) batch -> (user value) loader
 * A tensor of a released batch is known by its batch having none, so stale access is an error,
 * never a read of memory that is filled anew. A batch may outlive its loader's close().
 */
#ifndef MR_LUA_HANDLES_H
#define MR_LUA_HANDLES_H

#include <lauxlib.h>
#include <lua.h>
#include <millrace/millrace.h>

struct lua_log; /* lua_log.h */

struct lua_loader {
    mr_loader *loader; /* NULL: closed */
    struct lua_log *log;
};

struct lua_batch {
    mr_batch *batch; /* NULL: released */
};

struct lua_tensor {
    mr_tensor t;                    /* a copy, or a part of one */
    const struct lua_batch *batch;  /* kept alive by the user value */
};

/* Each pushes what it says and returns 1, or raises a Lua error (only when memory is out).
 * `loader`, `batch`: stack index of the owner's userdata. */
int mr__lua_push_batch(lua_State *L, mr_batch *batch, int loader); /* owns `batch` from then on */
int mr__lua_push_tensor(lua_State *L, const mr_tensor *t, int batch);

/* The mr_batch at `index`; raises "the batch was released". */
mr_batch *mr__lua_check_batch(lua_State *L, int index);
/* Raises the sentence of a failed call. Never returns. */
int mr__lua_raise(lua_State *L, const mr_loader *loader);

/* Make the metatables; leave the stack as it was. */
void mr__lua_make_loader(lua_State *L);
void mr__lua_make_batch(lua_State *L);
void mr__lua_make_tensor(lua_State *L);

/* millrace.core.open(path, options). */
int mr__lua_open(lua_State *L);

#endif
