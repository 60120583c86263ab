/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_element.h: one element of a tensor as a Lua number: integers for integer dtypes, floats for
 * the others.
 */
#ifndef MR_LUA_ELEMENT_H
#define MR_LUA_ELEMENT_H

#include <lua.h>
#include <millrace/types.h>

/* Pushes the element at `at`. */
void mr__lua_push_element(lua_State *L, mr_dtype dtype, const void *at);
/* Stores the number at stack index `value`; raises when it is none or the dtype cannot hold it. */
void mr__lua_store_element(lua_State *L, mr_dtype dtype, void *at, int value);

#endif
