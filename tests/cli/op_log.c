/* SPDX-License-Identifier: Apache-2.0
 *
 * op_log.c: libop_log.so, preloaded: writes down what a process does to files, in order, with the
 * bytes, into the file MR_OP_LOG. Each entry: kind (1 byte), descriptor (i32), lengths of two texts
 * or of the data (u32, u32), then these.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("MR_OP_LOG");
    if (path)
        log_fd = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static void entry(char kind, int fd, const void *a, size_t n, const void *b, size_t m)
{
    uint32_t lengths[2] = {(uint32_t)n, (uint32_t)m};
    struct iovec v[5] = {
        {&kind, 1}, {&fd, 4}, {lengths, 8}, {(void *)(uintptr_t)a, n}, {(void *)(uintptr_t)b, m}};
    if (log_fd < 0)
        return;
    pthread_mutex_lock(&lock);
    if (REAL(writev)(log_fd, v, 5) < 0)
        abort();
    pthread_mutex_unlock(&lock);
}

/* A path from where we stand; that of a descriptor's folder stands before it. */
static void path_of(int folder, const char *path, char full[4096])
{
    char link[64], base[2048] = "";
    if (path[0] != '/') {
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d",
                 folder);
        ssize_t n = readlink(link, base, sizeof base - 2);
        base[n < 0 ? 0 : n] = 0;
        strcat(base, "/");
    }
    snprintf(full, 4096, "%.2000s%.2000s", base, path);
}

static int opened(int fd, int folder, const char *path, int flags)
{
    char full[4096];
    path_of(folder, path, full);
    bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
    if (fd >= 0)
        entry(temporary ? 't' : flags & O_CREAT ? 'c' : 'o', fd, full, strlen(full), NULL, 0);
    return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return opened(REAL(open)(path, flags, mode), AT_FDCWD, path, flags);
}

EXPORT int openat(int folder, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_of(flags, ap);
    va_end(ap);
    return opened(REAL(openat)(folder, path, flags, mode), folder, path, flags);
}

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
    ssize_t done = REAL(write)(fd, data, n);
    if (done > 0)
        entry('w', fd, data, (size_t)done, NULL, 0);
    return done;
}

EXPORT ssize_t writev(int fd, const struct iovec *v, int n)
{
    ssize_t done = REAL(writev)(fd, v, n), left = done;
    for (int i = 0; i < n && left > 0; i++) {
        size_t some = (size_t)left < v[i].iov_len ? (size_t)left : v[i].iov_len;
        entry('w', fd, v[i].iov_base, some, NULL, 0);
        left -= (ssize_t)some;
    }
    return done;
}

static int synced(int fd, int rc)
{
    if (rc == 0)
        entry('s', fd, NULL, 0, NULL, 0);
    return rc;
}

EXPORT int fsync(int fd)
{
    return synced(fd, REAL(fsync)(fd));
}

EXPORT int fdatasync(int fd)
{
    return synced(fd, REAL(fdatasync)(fd));
}

static int two_names(char kind, int rc, int fd, const char *from, const char *to)
{
    char a[4096], b[4096];
    path_of(AT_FDCWD, from, a);
    path_of(AT_FDCWD, to, b);
    if (rc == 0)
        entry(kind, fd, a, strlen(a), b, strlen(b));
    return rc;
}

EXPORT int rename(const char *from, const char *to)
{
    return two_names('r', REAL(rename)(from, to), -1, from, to);
}

EXPORT int linkat(int from, const char *old, int to, const char *name, int flags)
{
    const char *slash = strrchr(old, '/');
    return two_names('l', REAL(linkat)(from, old, to, name, flags), slash ? atoi(slash + 1) : -1,
                     old, name);
}

EXPORT int unlink(const char *path)
{
    int rc = REAL(unlink)(path);
    return two_names('u', rc, -1, path, "");
}

EXPORT int unlinkat(int folder, const char *path, int flags)
{
    char full[4096];
    int rc = REAL(unlinkat)(folder, path, flags);
    path_of(folder, path, full);
    if (rc == 0)
        entry('u', -1, full, strlen(full), NULL, 0);
    return rc;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return two_names('m', REAL(mkdir)(path, mode), -1, path, "");
}

EXPORT int ftruncate(int fd, off_t n)
{
    int rc = REAL(ftruncate)(fd, n);
    uint64_t bytes = (uint64_t)n;
    if (rc == 0)
        entry('x', fd, &bytes, sizeof bytes, NULL, 0);
    return rc;
}
