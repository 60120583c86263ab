/* SPDX-License-Identifier: Apache-2.0
 *
 * whole_file.c: the bytes are written into a file without a name (O_TMPFILE), which the kernel
 * frees if we die, and get their name when they are complete. A name can be given only where there
 * is none, so an old file is removed first: between the two steps there is no file, never half of
 * one. File systems without such files get a temporary name and a rename.
 */
#include "whole_file.h"

#include "base/crash_point.h"
#include "printable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int write_all(int fd, const uint8_t *data, size_t n)
{
    while (n) {
        ssize_t w = write(fd, data, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        data += w;
        n -= (size_t)w;
    }
    return 0;
}

/* Data on the disk before the name is: else a crash of the machine could leave an empty file. */
static int write_and_sync(int fd, const void *data, size_t n)
{
    if (write_all(fd, data, n) < 0)
        return -1;
    return fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/* The folder of a path: "." when it names none. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t n = !slash ? 1 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, slash ? path : ".", n);
    folder[n] = 0;
}

static int link_here(int fd, const char *path)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    for (int i = 0; i < 10; i++) { /* somebody else may write the same file */
        if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
            return 0;
        if (errno != EEXIST || (unlink(path) < 0 && errno != ENOENT))
            return -1;
        MR_CRASH_POINT("trainer.old_file_removed");
    }
    return -1;
}

#define CANNOT (-2)

/* A descriptor; CANNOT: this file system, or a /proc that is not there, cannot do it; -1: errno. */
static int open_unnamed(const char *path, int flags)
{
    char folder[PATH_MAX];
    folder_of(path, folder);
    if (access("/proc/self/fd", X_OK) < 0)
        return CANNOT;
    int fd = open(folder, O_TMPFILE | O_CLOEXEC | flags, 0666);
    return fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) ? CANNOT : fd;
}

/* 0: done; CANNOT; -1: errno. */
static int write_unnamed(const char *path, const void *data, size_t n)
{
    int fd = open_unnamed(path, O_WRONLY);
    if (fd < 0)
        return fd;
    int rc = write_and_sync(fd, data, n);
    if (rc == 0) {
        MR_CRASH_POINT("trainer.file_written");
        rc = link_here(fd, path);
    }
    MR_CRASH_POINT("trainer.file_linked");
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

static void name_beside(const char *path, char *name, size_t bytes)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(name, bytes, "%s.%x.%lx", path, (unsigned)getpid(), (unsigned long)t.tv_nsec);
}

/* A file that nobody else has, with the mode that the user's umask gives. (mkostemp's is 0600, and
 * to ask for the umask is to change it, for all threads.) */
static int open_beside(const char *path, int flags, char *name, size_t bytes)
{
    int fd = -1;
    for (int i = 0; i < 100 && fd < 0; i++) {
        name_beside(path, name, bytes);
        fd = open(name, O_CREAT | O_EXCL | O_CLOEXEC | flags, 0666);
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    return fd;
}

static int write_renamed(const char *path, const void *data, size_t n)
{
    char name[PATH_MAX + 32];
    int fd = open_beside(path, O_WRONLY, name, sizeof name);
    if (fd < 0)
        return -1;
    int rc = write_and_sync(fd, data, n);
    if (close(fd) < 0)
        rc = -1;
    if (rc == 0)
        rc = rename(name, path);
    int error = errno;
    if (rc < 0)
        unlink(name);
    errno = error;
    return rc;
}

static int write_into(const char *path, const void *data, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    int rc = fd < 0 ? -1 : write_all(fd, data, n), error = errno;
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        return -1;
    errno = error;
    return rc;
}

/* Where the file really is: behind links, if there is one already. */
static const char *find_target(const char *path, char real[PATH_MAX], struct stat *st)
{
    if (stat(path, st) < 0) {
        *st = (struct stat){.st_mode = S_IFREG};
        return path;
    }
    return realpath(path, real) ? real : path;
}

int mr__out_file(const char *path, const void *data, size_t n, const char *what,
                 struct mr_errbuf *e)
{
    char real[PATH_MAX];
    struct stat st;
    int rc = -1;
    errno = ENAMETOOLONG;
    if (strlen(path) < PATH_MAX) {
        const char *target = find_target(path, real, &st);
        errno = 0;
        if (S_ISREG(st.st_mode)) {
            rc = write_unnamed(target, data, n);
            if (rc == CANNOT)
                rc = write_renamed(target, data, n);
        } else {
            rc = write_into(target, data, n);
        }
    }
    if (rc == 0)
        return MR_OK;
    return mr__fail_errno(e, MR_E_IO, "cannot write %s '%s' (%zu bytes)", what,
                          mr__printable(path, strlen(path)).text, n);
}

int mr__out_file_check(const char *path, const char *what, struct mr_errbuf *e)
{
    char folder[PATH_MAX];
    struct stat st;
    int bad;
    errno = ENAMETOOLONG;
    if (strlen(path) >= PATH_MAX)
        bad = 1;
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        bad = (errno = EISDIR);
    else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        bad = access(path, W_OK);
    else {
        folder_of(path, folder);
        bad = access(folder, W_OK | X_OK);
    }
    if (!bad)
        return MR_OK;
    return mr__fail_errno(e, MR_E_IO, "cannot write %s '%s'", what,
                          mr__printable(path, strlen(path)).text);
}

/* ---- piece by piece ---- */

int mr__out_begin(struct mr_out *out, const char *path)
{
    out->name[0] = 0;
    out->fd = -1;
    errno = ENAMETOOLONG;
    if (strlen(path) >= PATH_MAX)
        return -1;
    out->fd = open_unnamed(path, O_RDWR);
    if (out->fd == CANNOT)
        out->fd = open_beside(path, O_RDWR, out->name, sizeof out->name);
    if (out->fd < 0)
        out->name[0] = 0;
    return out->fd < 0 ? -1 : 0;
}

void mr__out_drop(struct mr_out *out)
{
    int error = errno;
    if (out->fd >= 0)
        close(out->fd);
    if (out->name[0])
        unlink(out->name);
    out->fd = -1;
    out->name[0] = 0;
    errno = error;
}

/* Where there is a file, it is replaced at once: somebody may be opening it. */
static int name_unnamed(struct mr_out *out, const char *path)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", out->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -1;
    name_beside(path, out->name, sizeof out->name);
    if (linkat(AT_FDCWD, self, AT_FDCWD, out->name, AT_SYMLINK_FOLLOW) < 0) {
        out->name[0] = 0; /* it is somebody else's */
        return -1;
    }
    return rename(out->name, path);
}

int mr__out_publish(struct mr_out *out, const char *path)
{
    struct stat st;
    if (out->fd < 0) {
        errno = EBADF;
        return -1;
    }
    if (fstat(out->fd, &st) == 0) /* what the umask has left of 0444 */
        (void)!fchmod(out->fd, st.st_mode & 0444);
    int rc = out->name[0] ? rename(out->name, path) : name_unnamed(out, path);
    if (rc == 0)
        out->name[0] = 0;
    mr__out_drop(out);
    return rc;
}
