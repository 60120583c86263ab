/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c: listing folders. The kernel tells an entry's kind with its name, so only links (and
 * entries of the few file systems that do not tell) are looked at one by one.
 */
#include "walk.h"

#include "base/origin.h"
#include "base/printable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory to list the data set");
}

/* Keeps "a/b" (or b alone when a is "") with its NUL; returns its place, 0 when memory is out. */
static uint64_t keep_path(struct mr_walk *w, uint64_t a, const char *b)
{
    if (!w->text.n && !mr__buf_append(&w->text, "", 1)) /* place 0 is "" */
        return 0;
    size_t na = strlen(mr__walk_text(w, a)), nb = strlen(b);
    uint64_t at = w->text.n;
    if (!mr__buf_reserve(&w->text, na + 1 + nb + 1))
        return 0;
    if (na) {
        mr__buf_append(&w->text, w->text.data + a, na);
        mr__buf_append(&w->text, "/", 1);
    }
    mr__buf_append(&w->text, b, nb + 1);
    return at;
}

static bool takes_all(const struct mr_walk *w)
{
    return !strcmp(w->endings[0], "*");
}

static bool wanted(const struct mr_walk *w, const char *name)
{
    if (takes_all(w))
        return true;
    size_t n = strlen(name);
    for (const char *const *ending = w->endings; *ending; ending++) {
        size_t m = strlen(*ending);
        if (n > m + 1 && name[n - m - 1] == '.' && !strcasecmp(name + n - m, *ending))
            return true;
    }
    return false;
}

/* Where the link `name` leads, relative to the root when that is below it. Nowhere: *target = 0,
 * and it is counted. */
static int find_target(struct mr_walk *w, uint64_t at, const char *name, uint64_t *target,
                       struct mr_errbuf *e)
{
    char link[PATH_MAX], real[PATH_MAX];
    const char *dir = mr__walk_text(w, mr__walk_dir(w, at)->real),
               *base = *dir == '/' ? "" : w->root;
    int n = snprintf(link, sizeof link, "%s%s%s/%s", base, *base && *dir ? "/" : "", dir, name);
    *target = 0;
    if (n < 0 || n >= (int)sizeof link || !realpath(link, real)) {
        w->skipped++;
        return MR_OK;
    }
    size_t root = strlen(w->root);
    bool below = !strncmp(real, w->root, root) && real[root] == '/';
    *target = keep_path(w, 0, below ? real + root + 1 : real);
    return *target ? MR_OK : no_memory(e);
}

static int add_file(struct mr_walk *w, const char *name, uint64_t target, struct mr_errbuf *e)
{
    struct mr_walk_file file = {.name = keep_path(w, 0, name), .target = target};
    if (!file.name || !mr__buf_append(&w->files, &file, sizeof file))
        return no_memory(e);
    return MR_OK;
}

static int add_dir(struct mr_walk *w, uint64_t parent, const char *name, uint64_t target,
                   struct mr_errbuf *e)
{
    struct mr_walk_dir dir = {.parent = parent};
    dir.path = keep_path(w, mr__walk_dir(w, parent)->path, name);
    dir.real = target ? target : keep_path(w, mr__walk_dir(w, parent)->real, name);
    if (!dir.path || !dir.real || !mr__buf_append(&w->dirs, &dir, sizeof dir))
        return no_memory(e);
    return MR_OK;
}

/* The entry's kind, behind a link if it is one. DT_UNKNOWN: it is gone or leads nowhere. */
static unsigned char kind_of(int fd, const struct dirent *entry, bool *link)
{
    struct stat st;
    unsigned char kind = entry->d_type;
    if (kind == DT_UNKNOWN && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        kind = IFTODT(st.st_mode);
    *link = kind == DT_LNK;
    if (*link)
        kind = fstatat(fd, entry->d_name, &st, 0) == 0 ? IFTODT(st.st_mode) : DT_UNKNOWN;
    return kind;
}

/* A chosen name that is no file (a FIFO, a device, a folder named like an image, a broken link) is
 * counted; another name matters only if it is a folder. */
static int add_entry(struct mr_walk *w, uint64_t at, int fd, const struct dirent *entry,
                     struct mr_errbuf *e)
{
    const char *name = entry->d_name;
    bool chosen = wanted(w, name), link;
    if (!chosen && entry->d_type != DT_DIR && entry->d_type != DT_LNK &&
        entry->d_type != DT_UNKNOWN)
        return MR_OK;
    unsigned char kind = kind_of(fd, entry, &link);
    bool is_dir = kind == DT_DIR && (!chosen || takes_all(w)), is_file = kind == DT_REG && chosen;
    if (!is_dir && !is_file) {
        w->skipped += chosen;
        return MR_OK;
    }
    uint64_t target = 0;
    if (link) {
        int rc = find_target(w, at, name, &target, e);
        if (rc < 0 || !target)
            return rc;
    }
    return is_dir ? add_dir(w, at, name, target, e) : add_file(w, name, target, e);
}

static int by_name(const void *a, const void *b, void *text)
{
    const struct mr_walk_file *fa = a, *fb = b;
    return strcmp((const char *)text + fa->name, (const char *)text + fb->name);
}

static int read_entries(struct mr_walk *w, uint64_t at, DIR *stream, struct mr_errbuf *e)
{
    const struct dirent *entry;
    uint64_t first = mr__walk_nfiles(w);
    while (errno = 0, (entry = readdir(stream))) {
        int rc = entry->d_name[0] == '.' ? MR_OK : add_entry(w, at, dirfd(stream), entry, e);
        if (rc < 0)
            return rc;
    }
    const char *path = mr__walk_text(w, mr__walk_dir(w, at)->real);
    if (errno)
        return mr__fail_errno(e, MR_E_IO, "cannot list folder '%s' of '%s'",
                              mr__printable(path, strlen(path)).text, w->root);
    struct mr_walk_dir *dir = mr__walk_dir(w, at);
    dir->first = first;
    dir->nfiles = mr__walk_nfiles(w) - first;
    if (dir->nfiles)
        qsort_r(w->files.data + first * sizeof(struct mr_walk_file), dir->nfiles,
                sizeof(struct mr_walk_file), by_name, w->text.data);
    return MR_OK;
}

/* Is the folder one of those that it lies in? Then a link has led back up. */
static bool in_circle(const struct mr_walk *w, uint64_t at)
{
    const struct mr_walk_dir *dir = mr__walk_dir(w, at);
    while (at) {
        at = mr__walk_dir(w, at)->parent;
        if (mr__walk_dir(w, at)->dev == dir->dev && mr__walk_dir(w, at)->ino == dir->ino)
            return true;
    }
    return false;
}

/* Before it is listed: a name that is added meanwhile makes it another folder. */
static bool note(struct mr_walk *w, uint64_t at, const struct stat *st)
{
    const char *real = mr__walk_text(w, mr__walk_dir(w, at)->real);
    char path[2 * PATH_MAX];
    bool below = *real && *real != '/';
    int n =
        snprintf(path, sizeof path, "%s%s%s", *real == '/' ? "" : w->root, below ? "/" : "", real);
    return n > 0 && n < (int)sizeof path && mr__origin_add(w->origins, path, st);
}

static int identify(struct mr_walk *w, uint64_t at, int fd, bool listed)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (listed && !note(w, at, &st)) {
        errno = ENOMEM;
        return -1;
    }
    mr__walk_dir(w, at)->dev = st.st_dev;
    mr__walk_dir(w, at)->ino = st.st_ino;
    return 0;
}

/* A folder that may not be read, is gone, or has too long a path is counted; what else goes wrong
 * (a bad disk, no more descriptors) is an error: a data set must not get smaller without a word. */
static int not_opened(struct mr_walk *w, uint64_t at, struct mr_errbuf *e)
{
    const char *real = mr__walk_text(w, mr__walk_dir(w, at)->real);
    bool left_out = errno == EACCES || errno == EPERM || errno == ENOENT || errno == ENOTDIR ||
                    errno == ELOOP || errno == ENAMETOOLONG;
    if (!left_out || !at)
        return mr__fail_errno(e, MR_E_IO, "cannot list folder '%s' of '%s'",
                              mr__printable(real, strlen(real)).text, w->root);
    struct stat st;
    bool there = fstatat(w->root_fd, real, &st, 0) == 0;
    w->skipped++;
    return note(w, at, there ? &st : NULL) ? MR_OK : no_memory(e);
}

static DIR *open_dir(struct mr_walk *w, uint64_t at)
{
    const char *real = mr__walk_text(w, mr__walk_dir(w, at)->real);
    int fd = openat(w->root_fd, *real ? real : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream && identify(w, at, fd, true) == 0)
        return stream;
    int saved = errno;
    if (stream)
        closedir(stream);
    else if (fd >= 0)
        close(fd);
    errno = saved;
    return NULL;
}

static int list(struct mr_walk *w, uint64_t at, struct mr_errbuf *e)
{
    DIR *stream = open_dir(w, at);
    if (!stream)
        return not_opened(w, at, e);
    int rc = MR_OK;
    if (in_circle(w, at))
        w->skipped++;
    else
        rc = read_entries(w, at, stream, e);
    closedir(stream);
    return rc;
}

static int begin(struct mr_walk *w, struct mr_errbuf *e)
{
    w->text.n = w->dirs.n = w->files.n = 0;
    struct mr_walk_dir root = {0};
    if (!mr__buf_append(&w->text, "", 1) || !mr__buf_append(&w->dirs, &root, sizeof root))
        return no_memory(e);
    return MR_OK;
}

int mr__walk_root(struct mr_walk *w, struct mr_errbuf *e)
{
    int rc = begin(w, e);
    return rc < 0 ? rc : list(w, 0, e);
}

int mr__walk_tree(struct mr_walk *w, const char *path, const char *real, struct mr_errbuf *e)
{
    int rc = begin(w, e);
    if (rc < 0)
        return rc;
    if (identify(w, 0, w->root_fd, false) < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot look at folder '%s'", w->root);
    uint64_t target = keep_path(w, 0, real);
    rc = target ? add_dir(w, 0, path, target, e) : no_memory(e);
    for (uint64_t at = 1; rc == MR_OK && at < mr__walk_ndirs(w); at++)
        rc = list(w, at, e);
    return rc;
}

void mr__walk_free(struct mr_walk *w)
{
    mr__buf_free(&w->text);
    mr__buf_free(&w->dirs);
    mr__buf_free(&w->files);
}
