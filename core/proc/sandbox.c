/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include "callfilter.h"
#include "child.h"
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_RANGE 436  /* the same number everywhere; Linux 5.9 */
#define OWN_FILES 32     /* descriptors that a producer may have beside its threads' */
#define THREAD_FILES 520 /* that a thread may: the source `shards` keeps files open */
#define WHY 160          /* bytes of a reason */

/* A sanitizer's own run-time makes calls and takes memory that no producer does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct mr_sandbox {
    struct mr_sandbox_spec spec; /* without the roots */
    unsigned ready;              /* layers that entering puts in force */
    int ruleset;
    struct mr_callfilter filter;
    char missing[MR_LAYERS][WHY];
};

static const char *const layer_names[MR_LAYERS] = {
    [MR_LAYER_PRIVS] = "no_new_privs (no program with more rights can be started, root has fewer)",
    [MR_LAYER_LIMITS] = "setrlimit (how much memory and how many files can be taken)",
    [MR_LAYER_FILES] = "Landlock (which files can be read)",
    [MR_LAYER_CALLS] = "seccomp (which system calls can be made)",
};

const char *mr__layer_name(enum mr_layer layer)
{
    return layer_names[layer];
}

const char *mr__sandbox_missing(const struct mr_sandbox *s, enum mr_layer layer)
{
    return s->missing[layer][0] ? s->missing[layer] : NULL;
}

bool mr__sandbox_by_choice(void)
{
    return SANITIZED;
}

static void miss(struct mr_sandbox *s, enum mr_layer layer, const char *why)
{
    s->ready &= ~(1u << layer);
    snprintf(s->missing[layer], sizeof s->missing[layer], "%.*s", WHY - 1, why);
}

/* ---- preparing ---- */

static bool wants(const struct mr_sandbox *s, enum mr_layer layer)
{
    return s->ready >> layer & 1;
}

static void prepare(struct mr_sandbox *s, const struct mr_sandbox_spec *spec)
{
    struct mr_errbuf e = {0};
    struct mr_callfilter_spec calls = {spec->keep_fd, spec->also_fd, spec->threads > 1,
                                       spec->network};
    for (int layer = 0; SANITIZED && layer < MR_LAYERS; layer++)
        if (wants(s, (enum mr_layer)layer))
            miss(s, (enum mr_layer)layer, "this build is for a sanitizer, which would not survive");
    if (wants(s, MR_LAYER_FILES)) {
        s->ruleset = mr__landlock_ruleset(spec->roots, spec->roots_bytes, false, spec->network, &e);
        if (s->ruleset < 0)
            miss(s, MR_LAYER_FILES, e.text);
    }
    if (wants(s, MR_LAYER_CALLS) && mr__callfilter_new(&s->filter, &calls, &e) < 0)
        miss(s, MR_LAYER_CALLS, e.text);
}

int mr__sandbox_new(struct mr_sandbox **out, const struct mr_sandbox_spec *spec,
                    struct mr_errbuf *e)
{
    struct mr_sandbox *s = *out = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "no memory for the sandbox");
    s->spec = *spec;
    s->spec.roots = NULL;
    s->ready = spec->layers;
    s->ruleset = -1;
    prepare(s, spec);
    return MR_OK;
}

void mr__sandbox_free(struct mr_sandbox *s)
{
    if (!s)
        return;
    if (s->ruleset >= 0)
        close(s->ruleset);
    mr__callfilter_free(&s->filter);
    free(s);
}

/* ---- entering ---- */

static void close_between(unsigned first, unsigned last)
{
    if (first > last || syscall(CLOSE_RANGE, first, last, 0) == 0)
        return;
    struct rlimit files = {1024, 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    for (unsigned fd = first; fd <= last && fd < files.rlim_cur; fd++)
        close((int)fd);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void close_others(const struct mr_sandbox *s)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    int stay[] = {s->spec.keep_fd, s->spec.also_fd, s->ruleset}, n = sizeof stay / sizeof *stay;
    qsort(stay, (size_t)n, sizeof *stay, by_number);
    unsigned from = STDERR_FILENO + 1;
    for (int i = 0; i < n; i++)
        if (stay[i] >= (int)from) {
            close_between(from, (unsigned)stay[i] - 1);
            from = (unsigned)stay[i] + 1;
        }
    close_between(from, UINT_MAX);
}

/* Private memory in use now, as RLIMIT_DATA counts it (and the stack). A forked trainer's is ours.
 */
static uint64_t data_in_use(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int lower(int resource, uint64_t value)
{
    struct rlimit now, want = {value, value};
    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return -1;
    if (now.rlim_max < want.rlim_max) /* RLIM_INFINITY is the largest */
        want.rlim_cur = want.rlim_max = now.rlim_max;
    if (now.rlim_cur < want.rlim_cur)
        want.rlim_cur = now.rlim_cur;
    return setrlimit((__rlimit_resource_t)resource, &want);
}

static int set_limits(const struct mr_sandbox *s)
{
    uint64_t used = data_in_use(), files = OWN_FILES + THREAD_FILES * (uint64_t)s->spec.threads;
    signal(SIGXFSZ, SIG_IGN); /* standard error may be a file: a refused line is no reason to die */
    int rc = lower(RLIMIT_CORE, 0);
    if (rc == 0)
        rc = lower(RLIMIT_FSIZE, 0); /* neither mapped memory nor an eventfd is a file here */
    if (rc == 0)
        rc = lower(RLIMIT_NOFILE, files);
    if (rc == 0 && s->spec.memory_bytes && used)
        rc = lower(RLIMIT_DATA, used + s->spec.memory_bytes);
    return rc;
}

/* Root keeps what lets it read files of others, which the data may be, and is an ordinary user for
 * the rest. Nobody else has any. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
    const uint32_t kept = 1u << CAP_DAC_READ_SEARCH | 1u << CAP_DAC_OVERRIDE;
    if (syscall(SYS_capget, &head, caps) < 0)
        return -1;
    caps[0].permitted = caps[0].effective = caps[0].permitted & kept;
    caps[1].permitted = caps[1].effective = 0;
    caps[0].inheritable = caps[1].inheritable = 0;
    return (int)syscall(SYS_capset, &head, caps);
}

unsigned mr__sandbox_enter(const struct mr_sandbox *s, uint32_t *refused)
{
    unsigned failed = 0;
    close_others(s);
    if (wants(s, MR_LAYER_PRIVS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        failed |= 1u << MR_LAYER_PRIVS;
    if (wants(s, MR_LAYER_LIMITS) && set_limits(s) < 0)
        failed |= 1u << MR_LAYER_LIMITS;
    if (wants(s, MR_LAYER_FILES) && mr__landlock_enter(s->ruleset) < 0)
        failed |= 1u << MR_LAYER_FILES;
    if (s->ruleset >= 0)
        close(s->ruleset);
    if (wants(s, MR_LAYER_PRIVS) && drop_capabilities() < 0)
        failed |= 1u << MR_LAYER_PRIVS;
    if (wants(s, MR_LAYER_CALLS) && mr__callfilter_enter(&s->filter, refused) < 0)
        failed |= 1u << MR_LAYER_CALLS;
    return failed;
}

void mr__sandbox_read_only(bool network)
{
    int ruleset = SANITIZED ? -1 : mr__landlock_ruleset("/", 2, true, network, NULL);
    if (ruleset < 0)
        return;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)mr__landlock_enter(ruleset);
    close(ruleset);
}

/* ---- trying ---- */

static void *one_thread(void *ok)
{
    *(bool *)ok = true;
    return NULL;
}

static bool starts_thread(void)
{
    pthread_t thread;
    bool ran = false;
    return pthread_create(&thread, NULL, one_thread, &ran) == 0 &&
           pthread_join(thread, NULL) == 0 && ran;
}

/* What every producer does, so that a C library with habits of its own shows here and not there. */
static bool works(int threads)
{
    struct timespec t;
    void *large = malloc(4 << 20), *small = malloc(100);
    bool ok = large && small && clock_gettime(CLOCK_MONOTONIC, &t) == 0;
    if (ok)
        memset(large, 1, 4 << 20);
    free(large);
    free(small);
    return ok && (threads == 1 || starts_thread());
}

static _Noreturn void try_in_child(const struct mr_sandbox *s, uint32_t *refused)
{
    unsigned failed = mr__sandbox_enter(s, refused);
    _exit(works(s->spec.threads) ? (int)failed : 1 << MR_LAYER_LIMITS);
}

static void judge(struct mr_sandbox *s, int status, uint32_t refused)
{
    char death[64], call[96], why[160];
    if (WIFEXITED(status)) {
        for (int layer = 0; layer < MR_LAYERS; layer++)
            if (WEXITSTATUS(status) >> layer & 1)
                miss(s, (enum mr_layer)layer, "the kernel refused it when it was tried");
        return;
    }
    if (refused) {
        mr__callfilter_name(refused, call, sizeof call);
        snprintf(why, sizeof why, "the C library needs %s, which is not on the list", call);
    } else {
        mr__child_describe(status, death, sizeof death);
        snprintf(why, sizeof why, "a process that tried it %s", death);
    }
    miss(s, MR_LAYER_CALLS, why);
}

int mr__sandbox_try(struct mr_sandbox *s, struct mr_errbuf *e)
{
    struct mr_child child = {0};
    uint32_t *refused =
        mmap(NULL, sizeof *refused, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (refused == MAP_FAILED)
        return mr__fail_errno(e, MR_E_MEMORY, "no memory to try the sandbox");
    int rc = mr__child_fork(&child, "mr-sandbox", e);
    if (rc == 0)
        try_in_child(s, refused);
    if (rc > 0)
        judge(s, mr__child_reap(&child), *refused);
    munmap(refused, sizeof *refused);
    return rc < 0 ? rc : MR_OK;
}
