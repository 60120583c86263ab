/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_options.h: mr_options out of a Lua table: {set = {"key=value", key = value, ...}, state =
 * TEXT, text = TEXT, warden = PATH, log = function(level, line)}.
 */
#ifndef MR_LUA_OPTIONS_H
#define MR_LUA_OPTIONS_H

#include <lua.h>
#include <millrace/millrace.h>

/* Fills *o from the table at `table` (or nothing there: all defaults). The texts live as long as
 * the one value that this pushes. `log` is not looked at. Raises for what does not fit: an unknown
 * key too. */
void mr__lua_read_options(lua_State *L, int table, mr_options *o);

#endif
