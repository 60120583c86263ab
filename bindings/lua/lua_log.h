/* SPDX-License-Identifier: Apache-2.0
 *
 * lua_log.h: log lines on their way to a Lua function. The C library hands them out from inside its
 * calls, holding the loader, where a Lua error would jump over its frames and a call on the loader
 * would wait for itself. So they are kept, and handed on when the call has returned.
 */
#ifndef MR_LUA_LOG_H
#define MR_LUA_LOG_H

#include <lua.h>
#include <millrace/millrace.h>

struct lua_log;

/* NULL when memory is out. */
struct lua_log *mr__lua_log_new(void);
void mr__lua_log_free(struct lua_log *log); /* safe on NULL */
/* mr_options.log; log_user is the struct lua_log. Any thread. Beyond 1000 lines that nobody
 * fetched, new ones are dropped. */
void mr__lua_log_keep(void *log, mr_log_level level, const char *line);
/* Calls the function that is the user value of the loader at `loader` with (level, line) for every
 * line kept. Raises what the function raises. */
void mr__lua_log_deliver(lua_State *L, struct lua_log *log, int loader);

#endif
