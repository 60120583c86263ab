/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum kind { ABSENT, PRESENT, FOLDER, REAL };

struct record { /* then `text` bytes: the path and, of REAL, where it leads, each with its NUL */
    uint32_t kind, text;
    uint64_t inode, size, changed_ns, status_ns; /* times of the last change, of bytes and of all */
};

#define SECOND 1000000000ull
#define FINE_NS (20 * 1000000ull) /* of a clock that ticks 100 times a second, twice */
#define COARSE_NS (2 * SECOND)    /* of file systems that keep whole seconds, or even ones */

static uint64_t in_ns(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * SECOND + (uint64_t)t->tv_nsec;
}

/* A folder's size says nothing, and not every file system keeps it. */
static struct record record_of(const struct stat *st)
{
    if (!st)
        return (struct record){.kind = ABSENT};
    bool folder = S_ISDIR(st->st_mode);
    return (struct record){.kind = folder ? FOLDER : PRESENT,
                           .inode = st->st_ino,
                           .size = folder ? 0 : (uint64_t)st->st_size,
                           .changed_ns = in_ns(&st->st_mtim),
                           .status_ns = in_ns(&st->st_ctim)};
}

/* Records lie at multiples of 8 bytes. */
static size_t padding(size_t text)
{
    return (8 - text % 8) % 8;
}

static bool append(struct mr_buf *list, struct record *r, const char *path, const char *real)
{
    size_t n = strlen(path) + 1, m = real ? strlen(real) + 1 : 0;
    if (n > UINT32_MAX / 4 || m > UINT32_MAX / 4)
        return false;
    r->text = (uint32_t)(n + m);
    if (!mr__buf_reserve(list, sizeof *r + n + m + 8)) /* all of it or nothing */
        return false;
    return mr__buf_append(list, r, sizeof *r) && mr__buf_append(list, path, n) &&
           mr__buf_append(list, real, m) && mr__buf_append(list, "\0\0\0\0\0\0\0", padding(n + m));
}

bool mr__origin_add(struct mr_buf *list, const char *path, const struct stat *st)
{
    struct record r = record_of(st);
    return append(list, &r, path, NULL);
}

bool mr__origin_add_real(struct mr_buf *list, const char *path, const char *real)
{
    struct record r = {.kind = REAL};
    return append(list, &r, path, real);
}

/* The record at *at, which is moved behind it; its path, and the text behind that or NULL. False:
 * there is none, or it is damaged. */
static bool next(const uint8_t *list, size_t bytes, size_t *at, struct record *r, const char **path,
                 const char **real)
{
    if (bytes - *at < sizeof *r)
        return false;
    memcpy(r, list + *at, sizeof *r);
    size_t rest = bytes - *at - sizeof *r;
    const char *text = (const char *)list + *at + sizeof *r;
    if (r->text < 2 || r->text > rest || rest - r->text < padding(r->text) || text[r->text - 1])
        return false;
    size_t n = strlen(text) + 1;
    *path = text;
    *real = n < r->text ? text + n : NULL;
    *at += sizeof *r + r->text + padding(r->text);
    return true;
}

static bool is_real(const char *path, const char *said)
{
    char real[PATH_MAX];
    return said && realpath(path, real) && !strcmp(real, said);
}

static bool is_same(const struct record *r, const char *path, const char *real)
{
    struct stat st;
    if (r->kind == REAL)
        return is_real(path, real);
    struct record now = record_of(stat(path, &st) < 0 ? NULL : &st);
    return now.kind == r->kind && now.inode == r->inode && now.size == r->size &&
           now.changed_ns == r->changed_ns && now.status_ns == r->status_ns;
}

bool mr__origins_same(const uint8_t *list, size_t bytes, char *text, size_t cap)
{
    struct record r;
    const char *path = "a damaged list", *real;
    for (size_t at = 0; at < bytes;)
        if (!next(list, bytes, &at, &r, &path, &real) || !is_same(&r, path, real)) {
            snprintf(text, cap, "%s", path);
            return false;
        }
    return true;
}

uint64_t mr__origin_tick(uint64_t ns)
{
    return ns % SECOND ? FINE_NS : COARSE_NS;
}

bool mr__origins_too_new(const uint8_t *list, size_t bytes)
{
    struct timespec t;
    struct record r;
    const char *path, *real;
    uint64_t until = 0;
    for (size_t at = 0; at < bytes && next(list, bytes, &at, &r, &path, &real);) {
        uint64_t end =
            r.kind == REAL || r.kind == ABSENT ? 0 : r.status_ns + mr__origin_tick(r.status_ns);
        until = end > until ? end : until;
    }
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t now = in_ns(&t);
    if (until <= now)
        return false;
    if (until - now > FINE_NS)
        return true;
    struct timespec rest = {.tv_nsec = (long)(until - now)};
    nanosleep(&rest, NULL);
    return false;
}

bool mr__origins_have(const uint8_t *list, size_t bytes, const struct stat *st)
{
    struct record r, own = record_of(st);
    const char *path, *real;
    for (size_t at = 0; at < bytes && next(list, bytes, &at, &r, &path, &real);)
        if (r.kind == FOLDER && own.kind == FOLDER && r.inode == own.inode &&
            r.changed_ns == own.changed_ns && r.status_ns == own.status_ns)
            return true;
    return false;
}
