/* SPDX-License-Identifier: Apache-2.0
 *
 * callfilter.c: what a built-in producer needs of the kernel: it opens and reads files, takes and
 * gives back memory, waits on futexes, looks at the clock, signals the trainer's eventfd, ends.
 * Conditions look at an argument's bits; what is behind a pointer cannot be seen here.
 */
#include "callfilter.h"

#include "proc/child.h"
#include "proc/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Stands for the pid of whoever enters, which is not known yet. Larger than any pid. */
#define ME 0x5e1f5e1fu
#define EXPORT_MS 5000 /* it takes less than one */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

enum { ALWAYS = 0, THREADS = 1, NETWORK = 2 };

/* Allowed when (argument & mask) == value; mask 0: always. */
struct rule {
    const char *call;
    int when, arg;
    uint64_t mask, value;
};

#define PLAIN(call)           \
    {                         \
        call, ALWAYS, 0, 0, 0 \
    }
/* What memory allocators use. Not MADV_REMOVE, which empties the arena, nor MADV_HWPOISON, by which
 * root takes pages from the machine. */
#define ADVICE(advice)                           \
    {                                            \
        "madvise", ALWAYS, 2, UINT32_MAX, advice \
    }
static const struct rule rules[] = {
    {"openat", ALWAYS, 2, WRITING, O_RDONLY},
    PLAIN("read"),
    PLAIN("pread64"),
    {"preadv2", ALWAYS, 5, UINT32_MAX, RWF_NOWAIT},                /* is a file cached? */
    {"fadvise64", ALWAYS, 3, UINT32_MAX, POSIX_FADV_WILLNEED},     /* reading ahead */
    {"fadvise64", ALWAYS, 3, UINT32_MAX, POSIX_FADV_RANDOM},       /* the kernel shall not */
    {"getrusage", ALWAYS, 0, UINT32_MAX, (uint32_t)RUSAGE_THREAD}, /* did a read wait? */
    {"prlimit64", ALWAYS, 2, UINT64_MAX, 0}, /* an error tells the limit that was met */
    PLAIN("lseek"),
    PLAIN("close"),
    PLAIN("fstat"),
    PLAIN("newfstatat"),
    {"write", ALWAYS, 0, UINT32_MAX, STDERR_FILENO},
    {"writev", ALWAYS, 0, UINT32_MAX, STDERR_FILENO}, /* libc's last words */
    {"mmap", ALWAYS, 2, PROT_EXEC, 0},
    {"mprotect", ALWAYS, 2, PROT_EXEC, 0},
    PLAIN("mremap"),
    PLAIN("munmap"),
    PLAIN("brk"),
    ADVICE(MADV_NORMAL),
    ADVICE(MADV_RANDOM),
    ADVICE(MADV_SEQUENTIAL),
    ADVICE(MADV_WILLNEED),
    ADVICE(MADV_DONTNEED),
    ADVICE(MADV_FREE),
    ADVICE(MADV_DONTFORK),
    ADVICE(MADV_HUGEPAGE),
    ADVICE(MADV_NOHUGEPAGE),
    ADVICE(MADV_DONTDUMP),
    ADVICE(MADV_DODUMP),
    ADVICE(22),  /* MADV_POPULATE_READ: the pages of a row */
    ADVICE(102), /* MADV_GUARD_INSTALL: newer libcs guard threads' stacks by it ... */
    ADVICE(103), /* ... and MADV_GUARD_REMOVE */
    PLAIN("futex"),
    PLAIN("futex_waitv"),
    PLAIN("restart_syscall"),
    PLAIN("clock_gettime"), /* where the vdso has no clock */
    PLAIN("clock_getres"),
    PLAIN("clock_nanosleep"),
    PLAIN("gettimeofday"),
    PLAIN("nanosleep"),
    PLAIN("getrandom"),
    PLAIN("sysinfo"), /* qsort asks how much memory there is */
    PLAIN("sched_yield"),
    PLAIN("sched_getaffinity"),
    PLAIN("getcpu"),
    PLAIN("getpid"),
    PLAIN("gettid"),
    {"tgkill", ALWAYS, 0, UINT32_MAX, ME}, /* abort() */
    {"kill", ALWAYS, 0, UINT32_MAX, ME},
    PLAIN("rt_sigprocmask"),
    PLAIN("rt_sigreturn"),
    PLAIN("sigaltstack"),
    PLAIN("exit"),
    PLAIN("exit_group"),
    {"clone", THREADS, 0, CLONE_THREAD, CLONE_THREAD},
    {"rt_sigaction", THREADS, 0, ~1ull, 32}, /* libc's own two signals between threads */
    {"rseq", THREADS, 0, 0, 0},
    {"set_robust_list", THREADS, 0, 0, 0},
    {"sched_setaffinity", THREADS, 0, 0, 0}, /* OMP_PROC_BIND */
    {"socket", NETWORK, 0, 0, 0},
    {"connect", NETWORK, 0, 0, 0},
    {"sendto", NETWORK, 0, 0, 0},
    {"recvfrom", NETWORK, 0, 0, 0},
    {"sendmsg", NETWORK, 0, 0, 0},
    {"recvmsg", NETWORK, 0, 0, 0},
    {"setsockopt", NETWORK, 0, 0, 0},
    {"getsockopt", NETWORK, 0, 0, 0},
    {"shutdown", NETWORK, 0, 0, 0},
    {"poll", NETWORK, 0, 0, 0},
    {"ppoll", NETWORK, 0, 0, 0},
};

/* Not made, but no crime: libc asks and goes on without, or takes the older call. */
static const struct {
    const char *call;
    int error;
} excused[] = {
    {"clone3", ENOSYS}, /* its flags are behind a pointer */
    {"statx", ENOSYS},
    {"ioctl", ENOTTY}, /* is standard error a terminal? */
    {"prctl", EPERM},  /* names of memory and threads */
};

/* ---- compiling ---- */

static int add_rule(scmp_filter_ctx ctx, const struct rule *r, uint64_t value)
{
    int number = seccomp_syscall_resolve_name(r->call);
    if (number < 0) /* not on this machine, or unknown to an older library */
        return 0;
    struct scmp_arg_cmp argument = {(unsigned)r->arg, SCMP_CMP_MASKED_EQ, r->mask, value};
    return r->mask ? seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 1, &argument)
                   : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 0, NULL);
}

static int add_all(scmp_filter_ctx ctx, const struct mr_callfilter_spec *spec)
{
    int having = (spec->threads ? THREADS : 0) | (spec->network ? NETWORK : 0), rc = 0;
    const int writable[] = {spec->write_fd, spec->also_fd};
    struct rule writes = {"write", ALWAYS, 0, UINT32_MAX, 0};
    for (size_t i = 0; i < sizeof rules / sizeof *rules && rc == 0; i++)
        if ((rules[i].when & having) == rules[i].when)
            rc = add_rule(ctx, &rules[i], rules[i].value);
    for (size_t i = 0; i < sizeof writable / sizeof *writable && rc == 0; i++)
        if (writable[i] > STDERR_FILENO)
            rc = add_rule(ctx, &writes, (uint64_t)writable[i]);
    for (size_t i = 0; i < sizeof excused / sizeof *excused && rc == 0; i++) {
        int number = seccomp_syscall_resolve_name(excused[i].call);
        if (number >= 0)
            rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint16_t)excused[i].error), number, 0);
    }
    return rc;
}

static int take_code(struct mr_callfilter *f, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size <= 0 ||
        st.st_size > (off_t)(BPF_MAXINSNS * sizeof *f->code))
        return -1;
    f->code = malloc((size_t)st.st_size);
    f->n = (unsigned short)((size_t)st.st_size / sizeof *f->code);
    return f->code && pread(fd, f->code, (size_t)st.st_size, 0) == st.st_size ? 0 : -1;
}

/* In a process of its own: libseccomp 2.5.4 runs in circles when an allocation fails in here. */
static int export_aside(scmp_filter_ctx ctx, int fd)
{
    struct mr_child child;
    struct mr_errbuf e;
    int rc = mr__child_fork(&child, "mr-filter", &e);
    if (rc == 0)
        _exit(seccomp_export_bpf(ctx, fd) == 0 ? 0 : 1);
    if (rc < 0)
        return rc;
    struct pollfd p = {.fd = child.pidfd, .events = POLLIN};
    while ((rc = poll(&p, 1, EXPORT_MS)) < 0 && errno == EINTR)
        ;
    if (rc != 1)
        mr__child_fence(&child, EXPORT_MS);
    int status = mr__child_reap(&child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int export_code(struct mr_callfilter *f, scmp_filter_ctx ctx)
{
    int fd = memfd_create("millrace-filter", MFD_CLOEXEC);
    int rc = fd < 0 ? -1 : export_aside(ctx, fd);
    if (rc == 0)
        rc = take_code(f, fd);
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool in_kernel(void)
{
    uint32_t trap = SECCOMP_RET_TRAP;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) == 0;
}

int mr__callfilter_new(struct mr_callfilter *f, const struct mr_callfilter_spec *spec,
                       struct mr_errbuf *e)
{
    *f = (struct mr_callfilter){0};
    if (!in_kernel())
        return mr__fail_errno(e, MR_E_SYSTEM, "this kernel has no seccomp filters");
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
    int rc = ctx ? seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) : -1;
    if (rc == 0) /* a tree, not a list; an older library has no trees */
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc == 0)
        rc = add_all(ctx, spec);
    if (rc == 0)
        rc = export_code(f, ctx);
    if (ctx)
        seccomp_release(ctx);
    if (rc == 0)
        return MR_OK;
    mr__callfilter_free(f);
    return mr__fail(e, MR_E_SYSTEM, "the list of system calls cannot be compiled (libseccomp)");
}

void mr__callfilter_free(struct mr_callfilter *f)
{
    free(f->code);
    *f = (struct mr_callfilter){0};
}

/* ---- entering ---- */

static uint32_t *refused_call;

/* The call has not been made. SA_RESETHAND has put the default action back, and the signal is not
 * blocked (SA_NODEFER): the second one ends the process, as the kernel would have. */
static void on_refusal(int number, siginfo_t *info, void *context)
{
    (void)context;
    mr__crash_note(number, info);
    if (info->si_code > 0) /* else somebody has sent it */
        __atomic_store_n(refused_call, (uint32_t)info->si_syscall + 1, __ATOMIC_RELAXED);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
    _exit(128 + SIGSYS);
}

static void put_pid(const struct mr_callfilter *f)
{
    for (unsigned i = 0; i < f->n; i++)
        if (BPF_CLASS(f->code[i].code) == BPF_JMP && f->code[i].k == ME)
            f->code[i].k = (uint32_t)getpid();
}

int mr__callfilter_enter(const struct mr_callfilter *f, uint32_t *refused)
{
    struct sigaction action = {.sa_sigaction = on_refusal,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | (int)SA_RESETHAND};
    struct sock_fprog program = {f->n, f->code};
    refused_call = refused;
    put_pid(f);
    if (sigaction(SIGSYS, &action, NULL) < 0)
        return -1;
    /* Before Linux 5.16 a filter also switched the processor's speculation off, which costs a
     * decoder several per cent and is against code that this process does not run. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) ==
        0)
        return 0;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

void mr__callfilter_name(uint32_t refused, char *text, size_t bytes)
{
    int number = (int)refused - 1;
    char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
    snprintf(text, bytes, "the system call %d (%s)", number, name ? name : "unknown");
    free(name);
}

void mr__callfilter_library(char *text, size_t bytes)
{
    const struct scmp_version *v = seccomp_version();
    if (v)
        snprintf(text, bytes, "%u.%u.%u", v->major, v->minor, v->micro);
    else
        snprintf(text, bytes, "%s", "unknown");
}
