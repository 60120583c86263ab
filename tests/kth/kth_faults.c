/* SPDX-License-Identifier: Apache-2.0
 *
 * kth_faults.c: libkth_faults.so, preloaded into a run's processes: it counts allocations or system
 * calls of one role, and makes the k-th fail (SQLite's method). Calls that cannot fail for a
 * resource or a device (close of a socket, futex, kill, waitpid, munmap, unlink) are left alone.
 */
#include "kth_page.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static struct kth_page none, *page = &none;
static bool armed;          /* this process's calls count now */
static int64_t live_blocks; /* of this process */

/* ---- who ---- */

static const struct {
    const char *prefix;
    enum kth_role role;
} names[] = {{"mr-warden", KTH_WARDEN},
             {"mr-commander", KTH_COMMANDER},
             {"mr-producer", KTH_PRODUCER},
             {"mr-index", KTH_INDEX},
             {"mr-filter", KTH_FILTER}};

static void arm_if(enum kth_role role)
{
    __atomic_store_n(&armed, page->role == (uint32_t)role, __ATOMIC_SEQ_CST);
}

EXPORT void kth_arm(void);
void kth_arm(void)
{
    arm_if(KTH_TRAINER);
}

EXPORT void kth_disarm(void);
void kth_disarm(void)
{
    __atomic_store_n(&armed, false, __ATOMIC_SEQ_CST);
}

EXPORT int64_t kth_live_blocks(void);
int64_t kth_live_blocks(void)
{
    return __atomic_load_n(&live_blocks, __ATOMIC_SEQ_CST);
}

static void took_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(name, names[i].prefix, strlen(names[i].prefix)))
            arm_if(names[i].role);
}

/* Whether this call is to fail. */
static bool fails(enum kth_kind kind, const char *what)
{
    if (!__atomic_load_n(&armed, __ATOMIC_RELAXED) || page->kind != (uint32_t)kind)
        return false;
    uint64_t n = __atomic_add_fetch(&page->count, 1, __ATOMIC_SEQ_CST);
    if (n != page->at && !(page->forever && n > page->at))
        return false;
    if (!__atomic_fetch_add(&page->hits, 1, __ATOMIC_SEQ_CST))
        strncpy(page->last, what, sizeof page->last - 1);
    return true;
}

/* ---- allocations ---- */

static void *counted(void *p)
{
    if (p)
        __atomic_add_fetch(&live_blocks, 1, __ATOMIC_RELAXED);
    return p;
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

EXPORT void *malloc(size_t n)
{
    return fails(KTH_ALLOCATION, "malloc") ? out_of_memory() : counted(__libc_malloc(n));
}

EXPORT void *calloc(size_t n, size_t size)
{
    return fails(KTH_ALLOCATION, "calloc") ? out_of_memory() : counted(__libc_calloc(n, size));
}

EXPORT void *realloc(void *old, size_t n)
{
    if (fails(KTH_ALLOCATION, "realloc"))
        return out_of_memory();
    void *p = __libc_realloc(old, n);
    return old ? p : counted(p);
}

EXPORT void *memalign(size_t align, size_t n);
void *memalign(size_t align, size_t n)
{
    return fails(KTH_ALLOCATION, "memalign") ? out_of_memory() : counted(__libc_memalign(align, n));
}

EXPORT void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

EXPORT int posix_memalign(void **p, size_t align, size_t n)
{
    void *got = memalign(align, n);
    if (got)
        *p = got;
    return got ? 0 : ENOMEM;
}

EXPORT void free(void *p)
{
    if (p)
        __atomic_sub_fetch(&live_blocks, 1, __ATOMIC_RELAXED);
    __libc_free(p);
}

/* ---- system calls ---- */

/* The real function of that name. */
static void *real(void **kept, const char *name)
{
    void *f = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
    if (!f) {
        bool was = __atomic_exchange_n(&armed, false, __ATOMIC_SEQ_CST);
        f = dlsym(RTLD_NEXT, name);
        __atomic_store_n(kept, f, __ATOMIC_RELEASE);
        __atomic_store_n(&armed, was, __ATOMIC_SEQ_CST);
    }
    return f;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)real(&real_##name, #name))

/* NAME(params) called with (args) gives `value` with errno `err` when it is its turn. */
#define FAULT(type, name, params, args, value, err) \
    static void *real_##name;                       \
    EXPORT type name params                         \
    {                                               \
        if (fails(KTH_CALL, #name)) {               \
            errno = err;                            \
            return value;                           \
        }                                           \
        return REAL(name) args;                     \
    }

FAULT(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), -1, EIO)
FAULT(ssize_t, pread64, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at), -1, EIO)
FAULT(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), -1, ENOSPC)
FAULT(ssize_t, writev, (int fd, const struct iovec *from, int n), (fd, from, n), -1, ENOSPC)
FAULT(int, flock, (int fd, int what), (fd, what), -1, ENOLCK)
FAULT(ssize_t, preadv2, (int fd, const struct iovec *to, int n, off_t at, int flags),
      (fd, to, n, at, flags), -1, EOPNOTSUPP)
FAULT(int, posix_fadvise, (int fd, off_t at, off_t n, int advice), (fd, at, n, advice), EIO, EIO)
FAULT(int, getrusage, (__rusage_who_t who, struct rusage *usage), (who, usage), -1, EPERM)
FAULT(off_t, lseek, (int fd, off_t at, int from), (fd, at, from), -1, EIO)
FAULT(void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t at),
      (p, n, prot, flags, fd, at), MAP_FAILED, ENOMEM)
FAULT(void *, mmap64, (void *p, size_t n, int prot, int flags, int fd, off64_t at),
      (p, n, prot, flags, fd, at), MAP_FAILED, ENOMEM)
FAULT(int, mprotect, (void *p, size_t n, int prot), (p, n, prot), -1, ENOMEM)
FAULT(int, madvise, (void *p, size_t n, int advice), (p, n, advice), -1, ENOMEM)
FAULT(int, ftruncate, (int fd, off_t n), (fd, n), -1, ENOSPC)
FAULT(int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n), -1, ENOSPC)
FAULT(int, posix_fallocate, (int fd, off_t at, off_t n), (fd, at, n), ENOSPC, ENOSPC)
FAULT(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1, EMFILE)
FAULT(int, eventfd, (unsigned n, int flags), (n, flags), -1, EMFILE)
FAULT(int, epoll_create1, (int flags), (flags), -1, EMFILE)
FAULT(int, epoll_ctl, (int fd, int op, int of, struct epoll_event *event), (fd, op, of, event), -1,
      ENOSPC)
FAULT(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms), -1, ENOMEM)
FAULT(int, ppoll, (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *set),
      (p, n, t, set), -1, ENOMEM)
FAULT(int, pipe2, (int fd[2], int flags), (fd, flags), -1, EMFILE)
FAULT(int, dup2, (int from, int to), (from, to), -1, EMFILE)
FAULT(int, posix_spawn,
      (pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *actions,
       const posix_spawnattr_t *restrict attr, char *const argv[restrict],
       char *const envp[restrict]),
      (pid, path, actions, attr, argv, envp), EAGAIN, EAGAIN)
FAULT(int, pthread_create,
      (pthread_t *restrict t, const pthread_attr_t *restrict attr, void *(*run)(void *),
       void *restrict ctx),
      (t, attr, run, ctx), EAGAIN, EAGAIN)
FAULT(int, setrlimit, (__rlimit_resource_t which, const struct rlimit *limit), (which, limit), -1,
      EPERM)
FAULT(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
FAULT(int, fstat64, (int fd, struct stat64 *st), (fd, st), -1, EIO)
FAULT(int, stat, (const char *restrict path, struct stat *restrict st), (path, st), -1, EIO)
FAULT(int, stat64, (const char *restrict path, struct stat64 *restrict st), (path, st), -1, EIO)
FAULT(int, lstat, (const char *restrict path, struct stat *restrict st), (path, st), -1, EIO)
FAULT(int, fstatat, (int fd, const char *restrict path, struct stat *restrict st, int flags),
      (fd, path, st, flags), -1, EIO)
FAULT(int, access, (const char *path, int mode), (path, mode), -1, EIO)
FAULT(char *, realpath, (const char *restrict path, char *restrict to), (path, to), NULL, EIO)
FAULT(ssize_t, readlink, (const char *restrict path, char *restrict to, size_t n), (path, to, n),
      -1, EIO)
FAULT(DIR *, opendir, (const char *path), (path), NULL, EMFILE)
FAULT(DIR *, fdopendir, (int fd), (fd), NULL, ENOMEM)
FAULT(struct dirent *, readdir, (DIR * dir), (dir), NULL, EIO)
FAULT(struct dirent64 *, readdir64, (DIR * dir), (dir), NULL, EIO)
FAULT(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, ENOSPC)
FAULT(int, rename, (const char *from, const char *to), (from, to), -1, EIO)
FAULT(int, fsync, (int fd), (fd), -1, EIO)
FAULT(int, fdatasync, (int fd), (fd), -1, EIO)
FAULT(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode), NULL,
      EMFILE)
FAULT(FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode), NULL,
      EMFILE)
FAULT(int, fflush, (FILE * f), (f), EOF, ENOSPC)
FAULT(int, execv, (const char *path, char *const argv[]), (path, argv), -1, EIO)

/* These two do their work and then fail, as on a full network file system. */
#define FAULT_AFTER(type, name, params, args, value, err) \
    static void *real_##name;                             \
    EXPORT type name params                               \
    {                                                     \
        bool failed = fails(KTH_CALL, #name);             \
        type rc = REAL(name) args;                        \
        if (!failed)                                      \
            return rc;                                    \
        errno = err;                                      \
        return value;                                     \
    }
FAULT_AFTER(int, close, (int fd), (fd), -1, EIO)
FAULT_AFTER(int, fclose, (FILE * f), (f), EOF, ENOSPC)

/* Eight bytes are an eventfd's: the kernel has no way to fail them. */
static void *real_read, *real_write;
EXPORT ssize_t read(int fd, void *p, size_t n)
{
    if (n != 8 && fails(KTH_CALL, "read")) {
        errno = EIO;
        return -1;
    }
    return REAL(read)(fd, p, n);
}

EXPORT ssize_t write(int fd, const void *p, size_t n)
{
    if (n != 8 && fails(KTH_CALL, "write")) {
        errno = ENOSPC;
        return -1;
    }
    return REAL(write)(fd, p, n);
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;
}

#define FAULT_OPEN(name, params, flags, ...)  \
    static void *real_##name;                 \
    EXPORT int name params                    \
    {                                         \
        va_list ap;                           \
        va_start(ap, flags);                  \
        mode_t mode = mode_of(flags, ap);     \
        va_end(ap);                           \
        if (fails(KTH_CALL, #name)) {         \
            errno = EMFILE;                   \
            return -1;                        \
        }                                     \
        return REAL(name)(__VA_ARGS__, mode); \
    }
FAULT_OPEN(open, (const char *path, int flags, ...), flags, path, flags)
FAULT_OPEN(open64, (const char *path, int flags, ...), flags, path, flags)
FAULT_OPEN(openat, (int fd, const char *path, int flags, ...), flags, fd, path, flags)
FAULT_OPEN(openat64, (int fd, const char *path, int flags, ...), flags, fd, path, flags)

#define FAULT_FCNTL(name)                                                                      \
    static void *real_##name;                                                                  \
    EXPORT int name(int fd, int what, ...)                                                     \
    {                                                                                          \
        va_list ap;                                                                            \
        va_start(ap, what);                                                                    \
        void *arg = va_arg(ap, void *);                                                        \
        va_end(ap);                                                                            \
        bool makes = what == F_DUPFD || what == F_DUPFD_CLOEXEC;                               \
        if ((makes || what == F_ADD_SEALS || what == F_GET_SEALS) && fails(KTH_CALL, #name)) { \
            errno = makes ? EMFILE : EPERM;                                                    \
            return -1;                                                                         \
        }                                                                                      \
        return REAL(name)(fd, what, arg);                                                      \
    }
FAULT_FCNTL(fcntl)
FAULT_FCNTL(fcntl64)

static void *real_syscall;
EXPORT long syscall(long number, ...)
{
    va_list ap;
    long a[6];
    va_start(ap, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (number == SYS_pidfd_open && fails(KTH_CALL, "pidfd_open")) {
        errno = EMFILE;
        return -1;
    }
    return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void *real_fork;
EXPORT pid_t fork(void)
{
    if (fails(KTH_CALL, "fork")) {
        errno = EAGAIN;
        return -1;
    }
    pid_t pid = REAL(fork)();
    if (pid == 0) /* until it says who it is */
        kth_disarm();
    return pid;
}

static void *real_prctl;
EXPORT int prctl(int what, ...)
{
    va_list ap;
    unsigned long a[4];
    va_start(ap, what);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(ap, unsigned long);
    va_end(ap);
    int rc = REAL(prctl)(what, a[0], a[1], a[2], a[3]);
    if (what == PR_SET_NAME)
        took_name((const char *)(uintptr_t)a[0]);
    return rc;
}

/* ---- beginning ---- */

__attribute__((constructor)) static void map_page(void)
{
    const char *path = getenv("MR_KTH_PAGE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (p != MAP_FAILED)
        page = p;
}

static int (*real_main)(int, char **, char **);

static int program_main(int argc, char **argv, char **envp)
{
    if (!strcmp(program_invocation_short_name, "millrace"))
        arm_if(KTH_PROGRAM);
    if (!strcmp(program_invocation_short_name, "millrace-warden"))
        arm_if(KTH_WARDEN);
    return real_main(argc, argv, envp);
}

typedef int start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                       void (*)(void), void *);
EXPORT start_main __libc_start_main;
int __libc_start_main(int (*main_function)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*loaded)(void), void *stack)
{
    start_main *next = (start_main *)(uintptr_t)dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main_function;
    return next(program_main, argc, argv, init, fini, loaded, stack);
}
