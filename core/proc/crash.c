/* SPDX-License-Identifier: Apache-2.0 */
#include "crash.h"

#include "base/mapped_bytes.h"
#include "proc/mapped.h"
#include "shm/hand.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES (64u << 10)

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
#define SIGNALS (sizeof signals / sizeof *signals)

/* What a handler may read: set before it is installed, then constant. */
static struct {
    uint32_t *doubt;
    struct mr_lane *lane;
    const struct mr_hand *first; /* the lane's */
    pid_t pid;                   /* a forked child has no last words of ours; 0: not installed */
    struct sigaction before[SIGNALS];
} watch;

bool mr__crash_is_signal(int signo)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == signo)
            return true;
    return false;
}

bool mr__crash_is_stray(int signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGABRT;
}

/* A kernel's report of a fault has si_code > 0; kill, sigqueue and raise have not, and name the
 * sender. abort() is a raise of our own. */
static int32_t sender_of(const siginfo_t *info)
{
    if (info->si_code > 0 || info->si_pid == watch.pid)
        return 0;
    return info->si_pid > 0 ? info->si_pid : -1; /* 0: outside of our pid namespace */
}

void mr__crash_note(int signo, const siginfo_t *info)
{
    if (!watch.pid || (pid_t)syscall(SYS_getpid) != watch.pid)
        return;
    struct mr_crash *crash = &watch.lane->crash;
    MR_SET(crash->hand, mr__my_hand ? (uint32_t)(mr__my_hand - watch.first) : UINT32_MAX);
    MR_SET(crash->code, info->si_code);
    MR_SET(crash->sender, sender_of(info));
    MR_SET(crash->address, info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr : 0);
    __atomic_store_n(&crash->signo, signo, __ATOMIC_RELEASE);
}

/* The default action is back already (SA_RESETHAND), the signal is not blocked (SA_NODEFER): the
 * second one ends the process. No sigaction here: the sandbox does not let it through. */
static void on_crash(int signo, siginfo_t *info, void *context)
{
    (void)context;
    mr__mapped_fault_here(signo, info);
    mr__mapped_fault(signo, info);
    mr__crash_note(signo, info);
    if (syscall(SYS_getpid) == watch.pid && mr__crash_is_stray(signo) && !sender_of(info))
        __atomic_store_n(watch.doubt, 1, __ATOMIC_SEQ_CST); /* before any time passes */
    syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), signo);
}

/* Whoever was before us may live on: a run-time may use faults for its own purposes. */
static void on_others(int signo, siginfo_t *info, void *context)
{
    mr__mapped_fault_here(signo, info);
    mr__crash_note(signo, info);
    for (size_t i = 0; i < SIGNALS; i++) {
        const struct sigaction *before = &watch.before[i];
        if (signals[i] != signo)
            continue;
        if (before->sa_flags & SA_SIGINFO)
            before->sa_sigaction(signo, info, context);
        else
            before->sa_handler(signo);
    }
}

static bool has_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

void mr__crash_install(const struct mr_arena *a, uint32_t lane, bool chain)
{
    struct sigaction ours = {.sa_sigaction = on_crash,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (int)SA_RESETHAND};
    watch.doubt = &a->control->doubt;
    watch.lane = mr__lane(a, lane);
    watch.first = mr__hand(a, lane, 0);
    watch.pid = getpid();
    sigemptyset(&ours.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        sigaction(signals[i], NULL, &watch.before[i]);
        if (!chain || !has_handler(&watch.before[i])) {
            sigaction(signals[i], &ours, NULL);
            continue;
        }
        struct sigaction others = watch.before[i];
        others.sa_sigaction = on_others;
        others.sa_flags |= SA_SIGINFO;
        sigaction(signals[i], &others, NULL);
    }
    mr__mapped_allow(true);
}

void mr__crash_remove(void)
{
    if (!watch.pid)
        return;
    mr__mapped_allow(false);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &watch.before[i], NULL);
    watch.pid = 0;
}

int mr__crash_stack_new(struct mr_crash_stack *stack, struct mr_errbuf *e)
{
    memset(stack, 0, sizeof *stack);
    if (sigaltstack(NULL, &stack->before) < 0 || !(stack->before.ss_flags & SS_DISABLE))
        return MR_OK;
    void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return mr__fail_errno(e, MR_E_MEMORY, "no memory for a signal stack");
    stack_t mine = {.ss_sp = memory, .ss_size = STACK_BYTES};
    sigaltstack(&mine, NULL);
    stack->memory = memory;
    return MR_OK;
}

void mr__crash_stack_free(struct mr_crash_stack *stack)
{
    if (!stack->memory)
        return;
    sigaltstack(&stack->before, NULL);
    munmap(stack->memory, STACK_BYTES);
    stack->memory = NULL;
}
