/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c: mr_open and mr_close: from a config to running processes, and back to nothing.
 */
#include "pipe/known.h"
#include "pipe/loader.h"

#include "base/crash_point.h"
#include "proc/launch.h"
#include "proc/warden.h"
#include "shm/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define END_MS 5000 /* for the warden to end its children and itself */
#define HANDLES_PER_SLOT 64

/* ---- parts of opening ---- */

static int make_sentinel(mr_loader *l, struct mr_errbuf *e)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return mr__fail_errno(e, MR_E_MEMORY, "no memory for the loader");
    l->here = p;
    l->here[0] = 1;
    madvise(p, page, MADV_WIPEONFORK);
    return MR_OK;
}

static int read_config(mr_loader *l, const char *path, const mr_options *o, struct mr_errbuf *e)
{
    struct mr_config *config;
    if (!path && !o->config_text)
        return mr__fail(e, MR_E_USAGE, "mr_open needs the path of a config or its text");
    int rc = mr__config_read(&config, path, o->config_text, o->set, e);
    if (rc < 0 && (o->commander || o->producer)) { /* it may be just the context that is missing */
        size_t n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n,
                 " (callbacks in mr_options need 'context: fork' in the config)");
    }
    if (rc < 0)
        return rc;
    size_t nset = 0;
    while (o->set && o->set[nset])
        nset++;
    if (nset > MR_MAX_SET) {
        mr__config_free(config);
        return mr__fail(e, MR_E_LIMIT, "%zu overrides are given, %d at most", nset, MR_MAX_SET);
    }
    l->s.user = (struct mr_user){o->commander, o->producer};
    rc = mr__plan_compile(&l->s.plan, config, &l->s.user, e);
    if (rc < 0) {
        mr__config_free(config);
        return rc;
    }
    if (config->ranks_warning && l->log)
        l->log(l->log_user, MR_LOG_WARNING, config->ranks_warning);
    mr__session_shape_feedback(&l->s);
    return MR_OK;
}

static int make_eventfd(int *fd, struct mr_errbuf *e)
{
    *fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *fd < 0 ? mr__fail_errno(e, MR_E_SYSTEM, "cannot create an eventfd") : MR_OK;
}

static int make_arena(mr_loader *l, const mr_options *o, struct mr_errbuf *e)
{
    MR_CRASH_POINT("trainer.config_read");
    struct mr_session *s = &l->s;
    int rc = mr__arena_create(&s->arena, &s->plan->arena, e);
    if (rc >= 0)
        rc = make_eventfd(&s->arena.ready_fd, e);
    if (rc >= 0)
        rc = make_eventfd(&s->arena.warden_fd, e);
    if (rc >= 0 && s->plan->config->source.desc) {
        s->index_fd = mr__index_memfd(e);
        rc = s->index_fd < 0 ? s->index_fd : MR_OK;
    }
    if (rc >= 0 && mr__session_learner(s))
        rc = mr__feedback_create(&s->feedback, o->state != NULL, e);
    return rc;
}

static int make_handles(mr_loader *l, struct mr_errbuf *e)
{
    MR_CRASH_POINT("trainer.arena_made");
    uint32_t nfields = (uint32_t)l->s.plan->nfields;
    l->npool = l->s.plan->arena.slots * HANDLES_PER_SLOT;
    l->pool = calloc(l->npool, sizeof *l->pool);
    l->pool_fields = calloc((size_t)l->npool * nfields, sizeof *l->pool_fields);
    l->user.state = malloc(l->s.plan->arena.state_bytes + 1);
    if (!l->pool || !l->pool_fields || !l->user.state)
        return mr__fail(e, MR_E_MEMORY, "no memory for the loader");
    for (uint32_t i = 0; i < l->npool; i++) {
        l->pool[i].loader = l;
        l->pool[i].fields = l->pool_fields + (size_t)i * nfields;
    }
    return MR_OK;
}

static int take_state(mr_loader *l, const char *text, struct mr_state *state, struct mr_errbuf *e)
{
    if (!text)
        return MR_OK;
    int rc = mr__state_parse(text, state, e);
    if (rc >= 0)
        rc = mr__state_check(l, state, e);
    if (rc >= 0)
        rc = mr__state_give(l, state, e);
    if (rc >= 0) {
        l->epoch = state->epoch;
        l->position = state->batch;
        mr__state_keep(&l->user, state);
        mr__state_request(l, 0);
    }
    return rc;
}

/* ---- the warden ---- */

/* Arenas of the trainer's other loaders are not ours: what we held of them would stay when they are
 * closed. */
static void close_other_arenas(const struct mr_session *s)
{
    const struct mr_arena *a = &s->arena;
    char link[64], target[64];
    for (int fd = 3; fd < 4096; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof target - 1);
        if (n < 0 || fd == a->control_fd || fd == a->plan_fd || fd == a->data_fd ||
            fd == s->index_fd || fd == s->feedback.fd)
            continue;
        target[n] = 0;
        if (!strncmp(target, "/memfd:millrace-", 16))
            close(fd);
    }
}

static void run_forked_warden(void *ctx)
{
    mr_loader *l = ctx;
    struct mr_roles roles;
    int trainer = mr__pidfd_open(l->owner);
    if (trainer < 0 || getppid() != l->owner)
        _exit(1); /* it is dead already */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* the trainer's choice must not eat our children's deaths */
    close_other_arenas(&l->s);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    mr__session_roles(&l->s, &roles);
    _exit(mr__warden_run(&l->s.arena, &roles, trainer));
}

static int start_warden(mr_loader *l, const mr_options *o, struct mr_errbuf *e)
{
    MR_CRASH_POINT("trainer.handles_made");
    struct mr_session *s = &l->s;
    if (s->plan->config->context == MR_CONTEXT_FORK)
        return mr__launch_fork(&l->warden, run_forked_warden, l, e);
    char *exe = mr__launch_find(o->warden, e);
    if (!exe)
        return e->code;
    s->boot_fd = mr__boot_write(s->plan->config, o->set, e);
    MR_CRASH_POINT("trainer.boot_written");
    int rc = s->boot_fd < 0 ? s->boot_fd : MR_OK;
    const int fds[MR_BOOT_FDS] = {s->arena.control_fd, s->arena.plan_fd, s->arena.data_fd,
                                  s->index_fd,         s->boot_fd,       s->arena.ready_fd,
                                  s->arena.warden_fd,  s->feedback.fd};
    if (rc >= 0)
        rc = mr__launch_spawn(&l->warden, exe, fds, MR_BOOT_FDS, MR_BOOT_FIRST_FD, e);
    free(exe);
    return rc;
}

/* It ended before it could reach the arena: a wrong program, or one of another build. */
static int warden_never_was(mr_loader *l, struct mr_errbuf *e)
{
    char how[96];
    const struct mr_shape *s = &l->s.arena.shape;
    mr__child_describe(mr__child_reap(&l->warden), how, sizeof how);
    if (MR_GET(l->s.arena.control->reserving))
        return mr__fail(e, MR_E_MEMORY,
                        "the arena needs %.1f MB, and the process that reserved them %s: the "
                        "kernel's OOM killer answers so when a cgroup's memory limit is met. Make "
                        "'slots', 'spares', 'batch.size' or the fields' shapes or dtypes smaller",
                        (double)(s->plan_bytes + s->data_bytes) / 1e6, how);
    return mr__fail(e, MR_E_DIED,
                    "the warden %s before it was ready; what it said is on standard error. Is "
                    "MILLRACE_WARDEN, or the installed millrace-warden, of another build?",
                    how);
}

static int wait_until_ready(mr_loader *l, struct mr_errbuf *e)
{
    struct mr_control *c = l->s.arena.control;
    MR_CRASH_POINT("trainer.ready_waited_for");
    while (__atomic_load_n(&c->phase, __ATOMIC_ACQUIRE) != MR_PHASE_READY) {
        if (mr__run_failed(&l->s.arena, e))
            return e->code;
        int rc = mr__loader_wait(l, -1, e);
        if (rc == MR_E_DIED && !mr__run_failed(&l->s.arena, e))
            return warden_never_was(l, e);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

static void keep_from_children(const struct mr_arena *a)
{
    madvise(a->data, a->shape.data_bytes, MADV_DONTFORK);
    madvise(a->plan, a->shape.plan_bytes, MADV_DONTFORK);
    madvise(a->control, a->shape.control_bytes, MADV_DONTFORK);
    MR_CRASH_POINT("trainer.kept_from_children");
}

/* mr_fd: one descriptor that shows a batch and the warden's death alike. */
static int make_epoll(mr_loader *l, struct mr_errbuf *e)
{
    struct epoll_event in = {.events = EPOLLIN};
    MR_CRASH_POINT("trainer.warden_started");
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->s.arena.ready_fd, &in) < 0 ||
        epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->warden.pidfd, &in) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot make an epoll descriptor");
    return MR_OK;
}

static int start(mr_loader *l, const mr_options *o, struct mr_errbuf *e)
{
    int rc = start_warden(l, o, e);
    if (rc >= 0) /* from here on, a forked child of the trainer has no business in the slots */
        keep_from_children(&l->s.arena);
    if (rc >= 0)
        rc = make_epoll(l, e);
    if (rc >= 0)
        rc = wait_until_ready(l, e);
    if (rc >= 0)
        rc = mr__session_follow(&l->s, e);
    if (rc >= 0)
        rc = mr__session_attach_feedback(&l->s, e);
    if (rc >= 0)
        rc = mr__bad_start(l, e);
    if (rc >= 0 && !l->s.plan->config->producer.exec.n) /* an exec'ed producer has yet to map it */
        rc = mr__arena_seal_data(&l->s.arena, e);
    if (rc >= 0)
        mr__session_drop_descriptors(&l->s);
    return rc;
}

static int open_all(mr_loader *l, const char *path, const mr_options *o, struct mr_errbuf *e)
{
    struct mr_state state = {0};
    int rc = make_sentinel(l, e);
    if (rc >= 0)
        rc = read_config(l, path, o, e);
    if (rc >= 0)
        rc = mr__learned_expect(l, o, e);
    if (rc >= 0)
        rc = mr__bad_open(l, e);
    if (rc >= 0)
        rc = make_arena(l, o, e);
    if (rc >= 0)
        rc = make_handles(l, e);
    if (rc >= 0)
        rc = take_state(l, o->state, &state, e);
    if (rc >= 0 && l->s.index_fd < 0) /* no index to wait for */
        rc = mr__session_list(&l->s, e);
    if (rc < 0) {
        mr__state_free(&state);
        return rc;
    }
    pthread_mutex_lock(&l->lock);
    rc = start(l, o, e);
    if (rc >= 0 && o->state)
        rc = mr__state_check(l, &state, e); /* once more: now the data's hash is known */
    if (rc >= 0 && o->state && mr__session_learner(&l->s))
        rc = mr__learned_resume(l, o->weights, &state, e);
    mr__state_free(&state);
    MR_CRASH_POINT("trainer.started");
    mr__loader_drain_events(l);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* Stops the processes, in good order if they let us. */
static void end_processes(mr_loader *l)
{
    uint64_t one = 1;
    if (!l->warden.pid)
        return;
    __atomic_store_n(&l->s.arena.control->stop, 1, __ATOMIC_RELEASE);
    MR_CRASH_POINT("trainer.stop_set");
    mr__warden_wake_all(&l->s.arena);
    MR_CRASH_POINT("trainer.stop_rung");
    if (write(l->s.arena.warden_fd, &one, sizeof one) < 0)
        kill(l->warden.pid, SIGKILL); /* cannot be: the counter is ours alone */
    MR_CRASH_POINT("trainer.stop_told");
    mr__launch_end(&l->warden, END_MS);
}

/* ---- the calls ---- */

int mr_open(mr_loader **out, const char *path, const mr_options *options)
{
    static const mr_options defaults = {.size = sizeof defaults};
    struct mr_errbuf e = {0};
    const mr_options *o = options ? options : &defaults;
    if (!out || o->size != sizeof *o) {
        mr__fail(&e, MR_E_USAGE,
                 !out ? "mr_open needs a place for the loader"
                      : "mr_options.size is not sizeof(mr_options): set it, and "
                        "compile with this version's headers");
        if (out)
            *out = NULL;
        return mr__keep_error(&e);
    }
    *out = NULL;
    mr_loader *l = calloc(1, sizeof *l);
    if (!l) {
        mr__fail(&e, MR_E_MEMORY, "no memory for the loader");
        return mr__keep_error(&e);
    }
    l->s.index_fd = l->s.boot_fd = l->warden.pidfd = l->epoll_fd = l->s.feedback.fd = -1;
    l->owner = getpid();
    l->log = o->log;
    l->log_user = o->log_user;
    const char *poison = getenv("MILLRACE_POISON");
    l->poison = poison && !strcmp(poison, "1");
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->left, &attr);
    pthread_condattr_destroy(&attr);
    if (open_all(l, path, o, &e) < 0) {
        end_processes(l);
        mr__loader_free(l);
        return mr__keep_error(&e);
    }
    mr__known_add(l);
    *out = l;
    return MR_OK;
}

static void free_classes(mr_loader *l)
{
    for (uint64_t i = 0; l->classes && i < l->s.index.head->classes; i++)
        free(l->classes[i]);
    free(l->classes);
}

void mr__loader_free(mr_loader *l)
{
    MR_CRASH_POINT("trainer.freeing");
    mr__known_remove(l);
    free_classes(l);
    mr__bad_free(l);
    free(l->learned.given);
    mr__session_release(&l->s);
    MR_CRASH_POINT("trainer.memory_given_back");
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->here)
        munmap(l->here, (size_t)sysconf(_SC_PAGESIZE));
    free(l->pool);
    free(l->pool_fields);
    free(l->user.state);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->left);
    free(l);
}

/* Waits until no other thread is in a call on this loader; they find it closed. Lock held. */
static void wait_for_others(mr_loader *l)
{
    mr__signal_ready(&l->s.arena); /* whoever polls looks up */
    pthread_cond_broadcast(&l->left);
    while (__atomic_load_n(&l->inside, __ATOMIC_ACQUIRE) > 1)
        pthread_cond_wait(&l->left, &l->lock);
}

void mr_close(mr_loader **loader)
{
    struct mr_errbuf e;
    if (!loader || !*loader)
        return;
    mr_loader *l = *loader;
    *loader = NULL;
    if (mr__loader_enter(l, &e) < 0)
        return; /* a forked child's copy: nothing here is its own */
    l->closed = true;
    MR_CRASH_POINT("trainer.closing");
    wait_for_others(l);
    end_processes(l);
    mr__loader_drain_events(l);
    mr__bad_save(l);
    MR_CRASH_POINT("trainer.processes_ended");
    l->close_done = true;
    bool last = l->leases == 0;
    mr__loader_leave(l);
    if (last)
        mr__loader_free(l);
}
