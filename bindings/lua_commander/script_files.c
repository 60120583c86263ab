/* SPDX-License-Identifier: Apache-2.0
 *
 * script_files.c: a script and what it requires: texts in its folder, and in folders in there. No
 * link is followed but the one that the script itself may be, and a FIFO does not stop it.
 */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4 << 20)
#define NAME_MAX_BYTES 200

/* Opens the folder of the script. */
static int open_folder(const char *script)
{
    char folder[4096];
    size_t n = (size_t)(strrchr(script, '/') - script);
    if (n >= sizeof folder)
        return -1;
    memcpy(folder, n ? script : "/", n ? n : 1);
    folder[n ? n : 1] = 0;
    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC); /* the sandbox lets nobody list it */
}

/* The sandbox refuses to open a folder for reading; what is one is given back all the same, so that
 * it can be named as such. errno stays what it was. */
static int open_refused(int at, const char *part)
{
    struct stat st;
    int fd = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        close(fd);
        fd = -1;
    }
    errno = EACCES;
    return fd;
}

/* "sub.util" below the folder: every step without links. */
static int open_below(const char *script, const char *name)
{
    char part[NAME_MAX_BYTES + 8];
    int at = open_folder(script);
    while (at >= 0) {
        size_t n = strcspn(name, ".");
        bool last = !name[n];
        snprintf(part, sizeof part, "%.*s%s", (int)n, name, last ? ".lua" : "");
        int kind = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
        int next = openat(at, part, kind | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && errno == EACCES && last)
            next = open_refused(at, part);
        int error = errno;
        close(at);
        errno = error;
        at = next;
        if (last)
            break;
        name += n + 1;
    }
    return at;
}

/* Names of letters, digits and '_', with dots between them. */
static bool is_name(const char *name, size_t n)
{
    if (!n || n > NAME_MAX_BYTES || strlen(name) != n || name[0] == '.' || name[n - 1] == '.' ||
        strstr(name, ".."))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == n;
}

/* Fills `room` of `n` bytes; returns how many there were. */
static ssize_t read_all(int fd, char *room, size_t n)
{
    size_t at = 0;
    while (at < n) {
        ssize_t r = pread(fd, room + at, n - at, (off_t)at);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? r : (ssize_t)at;
        at += (size_t)r;
    }
    return (ssize_t)at;
}

/* Closes fd, whatever happens: lua_newuserdatauv may not return. */
struct open_file {
    int fd;
};

static int close_file(lua_State *L)
{
    struct open_file *f = lua_touserdata(L, 1);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    return 0;
}

static struct open_file *new_file(lua_State *L)
{
    struct open_file *f = lua_newuserdatauv(L, sizeof *f, 0);
    f->fd = -1;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, close_file);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return f;
}

void script_load_file(lua_State *L, const char *name)
{
    const char *script = script_of(L)->run->script, *base = strrchr(script, '/') + 1;
    struct stat st;
    struct open_file *f = new_file(L);
    int top = lua_gettop(L);
    f->fd = name ? open_below(script, name) : open(script, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const char *shown = name ? luaL_gsub(L, name, ".", "/") : base;
    shown = lua_pushfstring(L, name ? "@%s.lua" : "@%s", shown);
    if (f->fd < 0 || fstat(f->fd, &st) < 0)
        luaL_error(L, name ? "cannot read '%s' in the script's folder: %s" : "cannot read '%s': %s",
                   name ? shown + 1 : script, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        luaL_error(L, "'%s' is %s", shown + 1,
                   S_ISREG(st.st_mode) ? "larger than 4 MiB" : "not a file");
    char *room = lua_newuserdatauv(L, (size_t)st.st_size + 1, 0);
    ssize_t n = read_all(f->fd, room, (size_t)st.st_size);
    if (n < 0)
        luaL_error(L, "cannot read '%s': %s", shown + 1, strerror(errno));
    close(f->fd);
    f->fd = -1;
    if (luaL_loadbufferx(L, room, (size_t)n, shown, "t") != LUA_OK)
        lua_error(L);
    lua_replace(L, top);
    lua_settop(L, top);
}

/* The values that files have returned are kept in upvalue 1. */
int script_require(lua_State *L)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    if (!is_name(name, n))
        return luaL_error(L,
                          "require takes names of Lua files in the script's folder ('util', "
                          "'folder.util'), not '%s'",
                          name);
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL) {
        if (lua_touserdata(L, -1) == script_of(L))
            return luaL_error(L, "'%s' requires itself", name);
        return 1;
    }
    lua_pushlightuserdata(L, script_of(L)); /* no script has such a value of its own */
    lua_setfield(L, lua_upvalueindex(1), name);
    script_load_file(L, name);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
        lua_pushnil(L);
        lua_setfield(L, lua_upvalueindex(1), name);
        return lua_error(L);
    }
    if (lua_isnil(L, -1))
        lua_pushboolean(L, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), name);
    return 1;
}
