/* SPDX-License-Identifier: Apache-2.0 */
#include "lua_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 1000

struct line {
    struct line *next;
    mr_log_level level;
    char text[];
};

struct lua_log {
    pthread_mutex_t lock;
    struct line *first, **last;
    int lines;
};

struct lua_log *mr__lua_log_new(void)
{
    struct lua_log *log = calloc(1, sizeof *log);
    if (log) {
        pthread_mutex_init(&log->lock, NULL);
        log->last = &log->first;
    }
    return log;
}

static struct line *take_first(struct lua_log *log)
{
    pthread_mutex_lock(&log->lock);
    struct line *line = log->first;
    if (line) {
        log->first = line->next;
        log->lines--;
        if (!log->first)
            log->last = &log->first;
    }
    pthread_mutex_unlock(&log->lock);
    return line;
}

void mr__lua_log_free(struct lua_log *log)
{
    struct line *line;
    if (!log)
        return;
    while ((line = take_first(log)))
        free(line);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

void mr__lua_log_keep(void *user, mr_log_level level, const char *text)
{
    struct lua_log *log = user;
    size_t n = strlen(text) + 1;
    struct line *line = malloc(sizeof *line + n);
    if (!line)
        return;
    line->next = NULL;
    line->level = level;
    memcpy(line->text, text, n);
    pthread_mutex_lock(&log->lock);
    if (log->lines < MAX_LINES) {
        *log->last = line;
        log->last = &line->next;
        log->lines++;
        line = NULL;
    }
    pthread_mutex_unlock(&log->lock);
    free(line);
}

void mr__lua_log_deliver(lua_State *L, struct lua_log *log, int loader)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    struct line *line;
    if (!log)
        return;
    loader = lua_absindex(L, loader);
    while ((line = take_first(log))) {
        lua_getiuservalue(L, loader, 1);
        lua_pushstring(L, (unsigned)line->level < 4 ? levels[line->level] : "info");
        lua_pushstring(L, line->text);
        free(line);
        lua_call(L, 2, 0);
    }
}
