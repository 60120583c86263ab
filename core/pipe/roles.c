/* SPDX-License-Identifier: Apache-2.0
 *
 * roles.c: which part a process of the loader plays, and the two programs that come in from
 * outside: the warden executable and an exec'ed producer.
 */
#include "base/crash_point.h"
#include "pipe/index_cache.h"
#include "proc/child.h"
#include "proc/crash.h"
#include "proc/warden.h"
#include "shm/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/* ---- the parts ---- */

/* What the sampler needs of the files beside what the source says of them. */
static int index_for_sampler(const struct mr_session *s, struct mr_index_builder *b,
                             struct mr_errbuf *e)
{
    const struct mr_config *c = s->plan->config;
    const struct mr_sampler *sampler = c->sampler.desc;
    const struct mr_sampler_build build = {.limits = &c->limits, .threads = mr__cpus()};
    struct mr_index_builder *part;
    int rc = MR_OK;
    if (!sampler || !sampler->index)
        return MR_OK;
    if (c->mixture.by != MR_MIX_ALL || !c->mixture.nparts)
        return sampler->index(c->sampler.params, &build, b, e);
    for (uint64_t i = 0; rc >= 0 && (part = mr__index_built_part(b, i)); i++) {
        rc = sampler->index(c->sampler.params, &build, part, e);
        if (rc < 0)
            mr__context(e, "part '%s' of the mixture", c->mixture.parts[i].name);
    }
    return rc;
}

/* A sampler that adds columns has found them in the files. */
static int index_and_tell(const struct mr_session *s, struct mr_index_builder *b,
                          struct mr_index_made *made, struct mr_errbuf *e)
{
    struct timespec now;
    struct mr_errbuf none;
    clock_gettime(CLOCK_REALTIME, &now);
    made->started_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t columns = mr__index_built_columns(b);
    int rc = index_for_sampler(s, b, e);
    made->from_contents = mr__index_built_columns(b) != columns;
    if (rc >= 0 && mr__index_gather_origins(b, &made->origins, &none) < 0)
        made->origins.n = 0; /* it is not kept then */
    return rc;
}

int mr__session_index(const struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e)
{
    const struct mr_source *source = s->plan->config->source.desc;
    struct mr_index_builder *b;
    int rc = mr__index_builder_new(&b, e);
    if (rc < 0)
        return rc;
    rc = source->index(s->plan->config->source.params, b, e);
    if (rc >= 0)
        rc = made ? index_and_tell(s, b, made, e) : index_for_sampler(s, b, e);
    if (rc >= 0)
        rc = mr__index_finish(b, s->index_fd, e);
    mr__index_builder_free(b);
    return rc;
}

static int index_role(void *ctx, struct mr_errbuf *e)
{
    struct mr_session *s = ctx;
    if (s->plan->config->sandbox != MR_SANDBOX_OFF)
        mr__sandbox_read_only(mr__contain_network(s));
    MR_CRASH_POINT("index.started");
    struct mr_index_made made = {0};
    int rc = mr__cache_take(s, &made, e), taken = rc > 0;
    if (!rc)
        rc = mr__session_index(s, &made, e);
    MR_CRASH_POINT("index.sealed");
    if (rc >= 0)
        rc = mr__contain_find_roots(s, &made, e);
    if (rc >= 0 && !taken)
        mr__cache_keep(s, &made);
    mr__index_made_free(&made);
    return rc;
}

static int indexed_role(void *ctx, struct mr_errbuf *e)
{
    struct mr_session *s = ctx;
    MR_CRASH_POINT("warden.index_known");
    mr__cache_publish(s);
    int rc = mr__session_bind(ctx, e);
    if (rc >= 0) {
        mr__cache_watch(s);
        mr__session_lead(s);
        mr__session_note(ctx);
    }
    if (rc >= 0)
        rc = mr__session_list(ctx, e);
    if (rc >= 0 && mr__session_learner(s))
        rc = mr__feedback_grow(&s->feedback, mr__session_learner(s), s->sampler, e);
    return rc < 0 ? rc : mr__contain_prepare(ctx, e);
}

static int commander_role(void *ctx, struct mr_errbuf *e)
{
    struct mr_session *s = ctx;
    int rc = mr__arena_hide_data(&s->arena, e);
    if (rc >= 0)
        rc = mr__session_attach_feedback(s, e);
    if (rc < 0)
        return rc;
    return s->plan->user_commander ? mr__run_user_commander(s, e) : mr__run_commander(s, e);
}

static int user_producer_role(struct mr_session *s, uint32_t lane, uint32_t lease,
                              struct mr_errbuf *e)
{
    const mr_plugin *plugin;
    if (s->user.producer)
        return mr__run_user_producer(s, lane, lease, s->user.producer, e);
    const char *path = s->plan->config->producer.plugin;
    int rc = mr__plugin_load(path, &plugin, e);
    if (rc < 0)
        return rc;
    if (!plugin->producer || !plugin->producer->fill || plugin->producer->abi != MR_PLUGIN_ABI ||
        plugin->producer->size < sizeof(mr_producer))
        return mr__fail(e, MR_E_CODE, "the plug-in '%s' has no producer of ABI %u", path,
                        MR_PLUGIN_ABI);
    return mr__run_user_producer(s, lane, lease, plugin->producer, e);
}

static int producer_role(void *ctx, uint32_t lane, uint32_t lease, struct mr_errbuf *e)
{
    struct mr_session *s = ctx;
    MR_CRASH_POINT("producer.started");
    mr__feedback_close(&s->feedback);
    int rc = mr__arena_protect_plan(&s->arena, e);
    MR_CRASH_POINT("producer.plan_protected");
    if (rc < 0)
        return rc;
    mr__crash_install(&s->arena, lane, s->plan->user_producer || mr__sandbox_by_choice());
    if (s->plan->user_producer)
        return user_producer_role(s, lane, lease, e);
    rc = mr__contain_enter(s, lane, e);
    return rc < 0 ? rc : mr__run_producer(s, lane, lease, e);
}

static void name_sample(void *ctx, uint64_t sample, char *text, size_t bytes)
{
    struct mr_session *s = ctx;
    text[0] = 0;
    if (!s->index.head || s->plan->image_column < 0 || sample >= s->index.head->samples)
        return;
    char *path = mr__index_full_path(&s->index, s->plan->image_column, sample);
    if (!path || *path) /* else the number is all there is, and is told already */
        snprintf(text, bytes, "'%s'", path ? path : "?");
    free(path);
}

/* ---- an exec'ed producer ---- */

/* The worker finds the same descriptors where the warden found them, and its place in the
 * environment. */
static int exec_role(void *ctx, uint32_t lane, uint32_t lease, struct mr_errbuf *e)
{
    struct mr_session *s = ctx;
    const struct mr_strs *exec = &s->plan->config->producer.exec;
    char place[64], *argv[65];
    int n = 0;
    if (exec->n > 64)
        return mr__fail(e, MR_E_LIMIT, "'producer.exec' has %d words, 64 at most", exec->n);
    for (; n < exec->n; n++)
        argv[n] = (char *)exec->v[n];
    argv[n] = NULL;
    snprintf(place, sizeof place, "%u:%u", lane, lease);
    if (setenv("MILLRACE_WORKER", place, 1) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot set the worker's environment");
    for (int fd = MR_BOOT_FIRST_FD; fd < MR_BOOT_FIRST_FD + MR_BOOT_FEEDBACK; fd++)
        fcntl(fd, F_SETFD, 0);
    if (s->index_fd < 0) /* something of the warden's own may lie there */
        close(MR_BOOT_FIRST_FD + MR_BOOT_INDEX);
    execv(argv[0], argv);
    return mr__fail_errno(e, MR_E_CODE, "cannot run the producer '%s'", argv[0]);
}

void mr__session_roles(struct mr_session *s, struct mr_roles *r)
{
    const struct mr_config *c = s->plan->config;
    *r = (struct mr_roles){.ctx = s,
                           .commander = commander_role,
                           .producer = producer_role,
                           .name_sample = name_sample,
                           .sample_timeout_ns = (uint64_t)(c->sample_timeout * 1e9),
                           .sample_cpu_timeout_ns = (uint64_t)(c->sample_cpu_timeout * 1e9)};
    mr__contain_begin(s);
    mr__cache_begin(s);
    if (s->index_fd >= 0) {
        r->index = index_role;
        r->indexed = indexed_role;
    }
    if (c->producer.exec.n)
        r->exec_producer = exec_role;
}

/* ---- the warden executable ---- */

static void prepare_descriptors(void)
{
    for (int fd = 0; fd < MR_BOOT_FIRST_FD + MR_BOOT_FDS; fd++)
        if (fd >= MR_BOOT_FIRST_FD)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (null > STDERR_FILENO)
        close(null);
    dup2(STDERR_FILENO,
         STDOUT_FILENO); /* what user code prints must not mix with the trainer's data */
}

/* The trainer is our parent, unless it died before we looked. */
static int watch_trainer(struct mr_errbuf *e)
{
    const char *text = getenv("MILLRACE_TRAINER");
    pid_t trainer = text ? (pid_t)strtol(text, NULL, 10) : 0; /* 1 in a container */
    if (trainer > 0 && getppid() != trainer)
        _exit(0); /* it died before we could say anything to anybody */
    int fd = trainer > 0 ? mr__pidfd_open(trainer) : -1;
    if (fd < 0)
        return mr__fail(e, MR_E_USAGE, "millrace-warden is started by the library, not by hand");
    /* A place among the boot descriptors may be empty, and this must not be taken for one of them.
     */
    int high = fcntl(fd, F_DUPFD_CLOEXEC, MR_BOOT_FIRST_FD + MR_BOOT_FDS);
    close(fd);
    return high < 0 ? mr__fail_errno(e, MR_E_LIMIT, "no file descriptor is left") : high;
}

/* Exported for the program in warden_main.c alone. Not part of the API. */
MR_API int mr__warden_main(void);

int mr__warden_main(void)
{
    struct mr_errbuf e = {0};
    struct mr_session s;
    struct mr_roles roles;
    int trainer = watch_trainer(&e);
    if (trainer < 0) {
        fprintf(stderr, "%s\n", e.text);
        return 2;
    }
    prctl(PR_SET_NAME, "mr-warden");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN); /* a trainer that saves before it ends still needs us */
    prepare_descriptors();
    if (mr__boot_read(&s, &e) < 0) {
        if (!s.arena.control) {
            fprintf(stderr, "millrace-warden: %s\n", e.text);
            return 1;
        }
        mr__fail_run(&s.arena, &e);
        return 1;
    }
    mr__session_roles(&s, &roles);
    int status = mr__warden_run(&s.arena, &roles, trainer);
    mr__session_release(&s);
    return status;
}
