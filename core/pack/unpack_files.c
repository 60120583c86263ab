/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/unpack_files.h"

#include "base/printable.h"
#include "loaders/codec/packed/packed.h"
#include "loaders/codec/raw/raw_body.h"
#include "loaders/shard/shard_format.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- bodies ---- */

static const struct {
    const char *magic, *ending;
} plain[] = {{"\xff\xd8\xff", "jpg"}, {"\x89PNG", "png"}};

int mr__unpack_body(struct mr_pack_pixels *pixels, const struct mr_buf *body, struct mr_buf *into,
                    struct mr_unpacked *out, struct mr_errbuf *e)
{
    struct mr_view image;
    int rc = MR_OK;
    *out = (struct mr_unpacked){.file = body};
    if (mr__packed_probe(body->data, body->n)) {
        *out = (struct mr_unpacked){into, "jpg"};
        return mr__packed_to_jpeg(body->data, body->n, into, e);
    }
    if (mr__raw_probe(body->data, body->n)) {
        *out = (struct mr_unpacked){into, "png"};
        rc = mr__pack_pixels_whole(pixels, body, &image, e);
        return rc < 0 ? rc : mr__pack_png_write(&image, into, e);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        size_t n = strlen(plain[i].magic);
        if (body->n >= n && !memcmp(body->data, plain[i].magic, n))
            out->ending = plain[i].ending;
    }
    return MR_OK;
}

/* ---- names ---- */

static bool is_shard(const char *name, size_t n)
{
    size_t ending = strlen(MR_SHARD_ENDING);
    return n > ending && !memcmp(name + n - ending, MR_SHARD_ENDING, ending);
}

/* Component by component into *to; nothing in it leads anywhere else. The shards that a file came
 * from stand before its name. */
static void add_components(char *to, const char *path, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        const char *slash = memchr(path + i, '/', n - i);
        size_t length = slash ? (size_t)(slash - path) - i : n - i;
        const char *name = path + i;
        i += length + 1;
        if (!length || (length == 1 && name[0] == '.') || (!at && slash && is_shard(name, length)))
            continue;
        if (at)
            to[at++] = '/';
        bool up = length == 2 && !memcmp(name, "..", 2);
        memcpy(to + at, up ? "_" : name, up ? 1 : length);
        at += up ? 1 : length;
    }
    to[at] = 0;
}

/* A file is read by what it holds, not by its name: another ending is for people. */
static bool ends_in(const char *name, const char *ending)
{
    const char *dot = strrchr(name, '.');
    if (!dot)
        return false;
    bool jpeg =
        !strcmp(ending, "jpg") && (!strncasecmp(dot + 1, "jp", 2) || !strcasecmp(dot + 1, "jfif"));
    return jpeg || !strcasecmp(dot + 1, ending);
}

char *mr__unpack_name(const struct mr_index *index, int column, uint64_t sample, const char *ending)
{
    size_t n;
    char *name;
    const char *path = mr__index_path(index, column, sample, &n);
    enum { ROOM = MR_INDEX_NAME + 40 };
    name = malloc(n + ROOM);
    if (!name)
        return NULL;
    add_components(name, path, n);
    if (!*name) { /* a column's name may be anything, too */
        char made[ROOM];
        snprintf(made, sizeof made, "%.63s/%08llu", index->head->column[column].name,
                 (unsigned long long)sample);
        add_components(name, made, strlen(made));
    }
    if (ending && !ends_in(name, ending)) {
        strcat(name, ".");
        strcat(name, ending);
    }
    return name;
}

/* ---- files ---- */

static int cannot(const char *path, struct mr_errbuf *e)
{
    return mr__fail_errno(e, MR_E_IO, "cannot write '%s'", mr__printable(path, strlen(path)).text);
}

/* The folders of a path, from the character `from` on. */
static int make_folders(char *path, size_t from)
{
    for (char *slash = path + from; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        int rc = mkdir(path, 0777);
        *slash = '/';
        if (rc < 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

static int create(char *path, size_t from)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = open(path, flags, 0666);
    if (fd >= 0 || errno != ENOENT || make_folders(path, from) < 0)
        return fd;
    return open(path, flags, 0666);
}

static bool write_all(int fd, const struct mr_buf *file)
{
    for (size_t at = 0; at < file->n;) {
        ssize_t n = write(fd, file->data + at, file->n - at);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What is there is the same file. */
static bool is_there(const char *path, const struct mr_buf *file)
{
    char piece[16384];
    size_t at = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    while (fd >= 0 && ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))) {
        if (n > 0 && ((size_t)n > file->n - at || memcmp(piece, file->data + at, (size_t)n) != 0))
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 && n == 0 && at == file->n;
}

/* 'a/b.jpg' of sample 7 to 'a/b-7.jpg', to 'a/b-7-1.jpg', .. . Of a long name the end goes. */
static char *another_name(const char *name, uint64_t sample, unsigned attempt)
{
    const char *last = strrchr(name, '/');
    last = last ? last + 1 : name;
    const char *dot = strrchr(last, '.');
    size_t before = (size_t)(last - name), ending = dot && dot > last ? strlen(dot) : 0;
    char mark[48], *other;
    snprintf(mark, sizeof mark, attempt > 1 ? "-%llu-%u" : "-%llu", (unsigned long long)sample,
             attempt - 1);
    size_t stem = strlen(last) - ending, room = NAME_MAX - strlen(mark);
    ending = ending < room ? ending : 0;
    stem = stem + ending < room ? stem : room - ending;
    while (stem && last[stem] && ((unsigned char)last[stem] & 0xc0) == 0x80)
        stem--; /* not within a character */
    if (asprintf(&other, "%.*s%s%.*s", (int)(before + stem), name, mark, (int)ending,
                 dot ? dot : "") < 0)
        return NULL;
    return other;
}

/* MR_OK: the file is there. 1: another one is, or nobody knows. */
static int write_new(char *path, size_t from, bool among_others, const struct mr_buf *file,
                     struct mr_errbuf *e)
{
    int fd = create(path, from), rc = MR_OK;
    if (fd < 0 && errno == EEXIST)
        return !among_others && is_there(path, file) ? MR_OK : 1;
    if (fd < 0 || !write_all(fd, file))
        rc = cannot(path, e);
    if (fd >= 0 && close(fd) < 0 && rc == MR_OK)
        rc = cannot(path, e);
    if (rc < 0 && fd >= 0)
        unlink(path);
    return rc;
}

int mr__unpack_write(const char *out, char **name, uint64_t sample, bool among_others,
                     const struct mr_buf *file, struct mr_errbuf *e)
{
    char *other = NULL;
    int rc = 1;
    for (unsigned attempt = 0; rc == 1 && !(attempt && among_others); attempt++) {
        char *path = NULL;
        free(other);
        other = attempt ? another_name(*name, sample, attempt) : strdup(*name);
        if (!other || asprintf(&path, "%s/%s", out, other) < 0)
            rc = mr__fail(e, MR_E_MEMORY, "not enough memory for a path");
        else
            rc = write_new(path, strlen(out) + 1, among_others, file, e);
        free(path);
    }
    free(rc == MR_OK ? *name : other);
    *name = rc == MR_OK ? other : *name;
    return rc;
}
