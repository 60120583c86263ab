/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_tensor.c: fields as nested sequences: x[1][2][3], #x, ipairs(x). Indices begin at 1; one past
 * the end is nil, as in a table. Beside them: x.shape, x.dtype, x.name, x.counts, x:at(...),
 * x:set(value, ...), x:table(), x:bytes().
 */
#include "lua_element.h"
#include "lua_handles.h"

#include <string.h>

#define TENSOR "millrace.tensor"

int mr__lua_push_tensor(lua_State *L, const mr_tensor *t, int batch)
{
    batch = lua_absindex(L, batch);
    struct lua_tensor *x = lua_newuserdatauv(L, sizeof *x, 1);
    x->t = *t;
    x->batch = lua_touserdata(L, batch);
    lua_pushvalue(L, batch);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, TENSOR);
    return 1;
}

static const mr_tensor *check_tensor(lua_State *L, int index)
{
    const struct lua_tensor *x = luaL_checkudata(L, index, TENSOR);
    if (!x->batch->batch)
        luaL_error(L, "field '%s' belongs to a batch that was released", x->t.name);
    return &x->t;
}

/* Pushes what lies at index i (from 0) of the first dimension: a number or a smaller tensor. */
static int push_part(lua_State *L, const mr_tensor *t, int64_t i, int self)
{
    mr_tensor part = *t;
    part.data = (char *)t->data + i * t->strides[0];
    if (t->ndim == 1) {
        mr__lua_push_element(L, t->dtype, part.data);
        return 1;
    }
    part.counts = NULL;
    part.ndim--;
    memmove(part.shape, part.shape + 1, (size_t)part.ndim * sizeof part.shape[0]);
    memmove(part.strides, part.strides + 1, (size_t)part.ndim * sizeof part.strides[0]);
    lua_getiuservalue(L, self, 1);
    return mr__lua_push_tensor(L, &part, -1);
}

static void push_integers(lua_State *L, const int64_t *values, int64_t n)
{
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_pushinteger(L, values[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Ragged fields: a table of entries in use per row; other fields: nil. */
static void push_counts(lua_State *L, const mr_tensor *t)
{
    if (!t->counts) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)t->shape[0], 0);
    for (int64_t i = 0; i < t->shape[0]; i++) {
        lua_pushinteger(L, t->counts[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static int get_property(lua_State *L, const mr_tensor *t)
{
    const char *key = luaL_checkstring(L, 2);
    if (!strcmp(key, "shape"))
        push_integers(L, t->shape, t->ndim);
    else if (!strcmp(key, "strides"))
        push_integers(L, t->strides, t->ndim);
    else if (!strcmp(key, "dtype"))
        lua_pushstring(L, mr_dtype_name(t->dtype));
    else if (!strcmp(key, "name"))
        lua_pushstring(L, t->name);
    else if (!strcmp(key, "ndim"))
        lua_pushinteger(L, t->ndim);
    else if (!strcmp(key, "counts"))
        push_counts(L, t);
    else if (luaL_getmetafield(L, 1, key) == LUA_TNIL)
        return luaL_error(L, "a tensor has no '%s'", key);
    return 1;
}

static int tensor_index(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    if (lua_type(L, 2) != LUA_TNUMBER)
        return get_property(L, t);
    lua_Integer i = luaL_checkinteger(L, 2);
    if (i < 1 || i > t->shape[0]) {
        lua_pushnil(L);
        return 1;
    }
    return push_part(L, t, i - 1, 1);
}

static int tensor_newindex(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    lua_Integer i = luaL_checkinteger(L, 2);
    luaL_argcheck(L, t->ndim == 1, 2, "only a number can be assigned, and here lies a tensor");
    luaL_argcheck(L, i >= 1 && i <= t->shape[0], 2, "outside of the tensor");
    mr__lua_store_element(L, t->dtype, (char *)t->data + (i - 1) * t->strides[0], 3);
    return 0;
}

/* The element at the indices from stack index `first` on, as many as there are dimensions. */
static void *element_at(lua_State *L, const mr_tensor *t, int first)
{
    char *at = t->data;
    if (lua_gettop(L) - first + 1 != t->ndim)
        luaL_error(L, "field '%s' takes %d indices here", t->name, (int)t->ndim);
    for (int32_t d = 0; d < t->ndim; d++) {
        lua_Integer i = luaL_checkinteger(L, first + d);
        luaL_argcheck(L, i >= 1 && i <= t->shape[d], first + d, "outside of the tensor");
        at += (i - 1) * t->strides[d];
    }
    return at;
}

static int tensor_at(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    mr__lua_push_element(L, t->dtype, element_at(L, t, 2));
    return 1;
}

static int tensor_set(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    mr__lua_store_element(L, t->dtype, element_at(L, t, 3), 2);
    return 0;
}

static int tensor_len(lua_State *L)
{
    lua_pushinteger(L, check_tensor(L, 1)->shape[0]);
    return 1;
}

static void push_table(lua_State *L, const mr_tensor *t, int32_t dim, const char *at)
{
    if (dim == t->ndim) {
        mr__lua_push_element(L, t->dtype, at);
        return;
    }
    luaL_checkstack(L, 3, "a tensor of many dimensions");
    lua_createtable(L, (int)t->shape[dim], 0);
    for (int64_t i = 0; i < t->shape[dim]; i++) {
        push_table(L, t, dim + 1, at + i * t->strides[dim]);
        lua_rawseti(L, -2, i + 1);
    }
}

static int tensor_table(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    push_table(L, t, 0, t->data);
    return 1;
}

static void add_bytes(luaL_Buffer *b, const mr_tensor *t, int32_t dim, const char *at)
{
    if (dim == t->ndim) {
        luaL_addlstring(b, at, mr_dtype_size(t->dtype));
        return;
    }
    for (int64_t i = 0; i < t->shape[dim]; i++)
        add_bytes(b, t, dim + 1, at + i * t->strides[dim]);
}

/* The elements' bytes without gaps, for string.unpack or a file. */
static int tensor_bytes(lua_State *L)
{
    const mr_tensor *t = check_tensor(L, 1);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    add_bytes(&b, t, 0, t->data);
    luaL_pushresult(&b);
    return 1;
}

static int tensor_tostring(lua_State *L)
{
    const struct lua_tensor *x = luaL_checkudata(L, 1, TENSOR);
    lua_pushfstring(L, "millrace.tensor '%s' %s", x->t.name, mr_dtype_name(x->t.dtype));
    for (int32_t d = 0; d < x->t.ndim; d++)
        lua_pushfstring(L, "%s%I", d ? " x " : " ", (LUAI_UACINT)x->t.shape[d]);
    if (!x->batch->batch)
        lua_pushliteral(L, " (released)");
    lua_concat(L, lua_gettop(L) - 1);
    return 1;
}

void mr__lua_make_tensor(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"at", tensor_at},
        {"set", tensor_set},
        {"table", tensor_table},
        {"bytes", tensor_bytes},
        {"__index", tensor_index},
        {"__newindex", tensor_newindex},
        {"__len", tensor_len},
        {"__tostring", tensor_tostring},
        {NULL, NULL},
    };
    luaL_newmetatable(L, TENSOR);
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 1);
}
