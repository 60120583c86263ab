/* SPDX-License-Identifier: Apache-2.0
 *
 * contain.c: what built-in producers are confined to: the data set's folders to read, memory for
 * the largest image within the limits, nothing else. A user's plug-in, callbacks and programs are
 * trusted code that may do what the user may.
 */
#include "base/buf.h"
#include "pipe/data_roots.h"
#include "pipe/index_cache.h"
#include "pipe/session.h"
#include "shm/report.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool confined(const struct mr_session *s)
{
    return !s->plan->user_producer && s->index_fd >= 0 &&
           s->plan->config->sandbox != MR_SANDBOX_OFF;
}

static const struct mr_source *source_of(const struct mr_session *s)
{
    return s->plan->config->source.desc;
}

void mr__contain_begin(struct mr_session *s)
{
    s->roots_fd = confined(s) ? memfd_create("millrace-roots", MFD_CLOEXEC) : -1;
}

/* ---- what may be read ---- */

static int write_all(int fd, const uint8_t *data, size_t n, struct mr_errbuf *e)
{
    while (n) {
        ssize_t w = write(fd, data, n);
        if (w < 0 && errno != EINTR)
            return mr__fail_errno(e, MR_E_SYSTEM, "cannot keep the data set's folders");
        if (w > 0) {
            data += w;
            n -= (size_t)w;
        }
    }
    return MR_OK;
}

static int look_for_roots(struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e)
{
    const struct mr_source *source = source_of(s);
    struct mr_index index = {0};
    struct mr_buf more = {0};
    int rc = mr__index_copy(&index, s->index_fd, e);
    if (rc >= 0 && source->roots)
        rc = source->roots(s->plan->config->source.params, &more, e);
    if (rc >= 0)
        rc = mr__data_roots(&index, source->resolved, &more, &made->roots,
                            mr__cache_wanted(s) ? &made->roots_origins : NULL, e);
    mr__index_unmap(&index);
    mr__buf_free(&more);
    return rc;
}

int mr__contain_find_roots(struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e)
{
    int rc = MR_OK;
    if (s->roots_fd < 0 && !mr__cache_wanted(s))
        return MR_OK;
    if (!made->roots_known)
        rc = look_for_roots(s, made, e);
    if (rc >= 0 && s->roots_fd >= 0)
        rc = write_all(s->roots_fd, made->roots.data, made->roots.n, e);
    return rc;
}

static int read_roots(struct mr_session *s, struct mr_buf *roots, struct mr_errbuf *e)
{
    struct stat st;
    if (s->roots_fd < 0 || fstat(s->roots_fd, &st) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot create shared memory (memfd_create)");
    size_t n = (size_t)st.st_size;
    if (!mr__buf_reserve(roots, n + 1))
        return mr__fail(e, MR_E_MEMORY, "no memory for the data set's folders");
    if (pread(s->roots_fd, roots->data, n, 0) != (ssize_t)n)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot read the data set's folders");
    roots->data[n] = 0;
    roots->n = n;
    return MR_OK;
}

/* ---- the sandbox ---- */

static int judge(struct mr_session *s, struct mr_errbuf *e)
{
    bool required = s->plan->config->sandbox == MR_SANDBOX_REQUIRE;
    for (int layer = 0; layer < MR_LAYERS; layer++) {
        const char *name = mr__layer_name((enum mr_layer)layer);
        const char *why = mr__sandbox_missing(s->sandbox, (enum mr_layer)layer);
        if (why && required)
            return mr__fail(e, MR_E_SYSTEM,
                            "'sandbox: require', but there is no %s: %s; 'sandbox: auto' goes on "
                            "without it",
                            name, why);
        if (why && !mr__sandbox_by_choice())
            mr__report_log(&s->arena, MR_LANE_WARDEN, MR_REPORT_WARNING,
                           "producers work without %s: %s ('sandbox: off' leaves this line out)",
                           name, why);
    }
    return MR_OK;
}

bool mr__contain_network(const struct mr_session *s)
{
    const struct mr_mixture_config *m = &s->plan->config->mixture;
    bool needs = source_of(s)->network;
    for (int i = 0; i < m->nparts; i++)
        needs |= ((const struct mr_source *)m->parts[i].source.desc)->network;
    return needs;
}

int mr__contain_prepare(struct mr_session *s, struct mr_errbuf *e)
{
    struct mr_buf roots = {0};
    int threads = (int)s->plan->config->producers.threads;
    if (!confined(s))
        return MR_OK;
    int rc = read_roots(s, &roots, e);
    struct mr_sandbox_spec spec = {
        .layers = MR_LAYERS_ALL,
        .roots = (const char *)roots.data,
        .roots_bytes = roots.n,
        .memory_bytes = (uint64_t)threads * mr__rowpipe_memory(s->plan->pipe),
        .threads = threads,
        .keep_fd = s->arena.ready_fd,
        .network = mr__contain_network(s),
    };
    if (rc >= 0)
        rc = mr__sandbox_new(&s->sandbox, &spec, e);
    if (rc >= 0)
        rc = mr__sandbox_try(s->sandbox, e);
    mr__buf_free(&roots);
    return rc < 0 ? rc : judge(s, e);
}

int mr__contain_enter(struct mr_session *s, uint32_t lane, struct mr_errbuf *e)
{
    if (!s->sandbox)
        return MR_OK;
    unsigned failed = mr__sandbox_enter(s->sandbox, &mr__lane(&s->arena, lane)->refused);
    for (int layer = 0; layer < MR_LAYERS; layer++) {
        const char *name = mr__layer_name((enum mr_layer)layer);
        if (!(failed >> layer & 1))
            continue;
        if (s->plan->config->sandbox == MR_SANDBOX_REQUIRE)
            return mr__fail(e, MR_E_SYSTEM, "'sandbox: require', but the kernel refused %s", name);
        mr__report_log(&s->arena, lane, MR_REPORT_WARNING,
                       "a producer works without %s: the kernel refused it this time, though not "
                       "when it was tried ('sandbox: require' makes this an error)",
                       name);
    }
    return MR_OK;
}
