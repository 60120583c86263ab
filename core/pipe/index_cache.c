/* SPDX-License-Identifier: Apache-2.0 */
#include "pipe/index_cache.h"

#include "base/index_file.h"
#include "base/origin.h"
#include "base/printable.h"
#include "base/whole_file.h"
#include "pipe/file_stamps.h"
#include "proc/mapped.h"
#include "shm/report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define CHANGED_BYTES 512

struct mr_cache {
    char path[PATH_MAX];
    uint64_t key[2]; /* of the options that shape the index */
    struct mr_out out;
    int out_error; /* why out.fd is -1 */
};

static struct mr_printable name_of(const struct mr_cache *c)
{
    return mr__printable(c->path, strlen(c->path));
}

static void tell(const struct mr_session *s, int level, const char *sentence, const char *why)
{
    mr__report_log(&s->arena, MR_LANE_WARDEN, level, sentence, name_of(s->cache).text, why);
}
#define ANEW "the index is built anew, since of its file '%s' is true: %s"
#define NOT_KEPT "the index is not kept in '%s': %s"

void mr__index_made_free(struct mr_index_made *made)
{
    mr__buf_free(&made->origins);
    mr__buf_free(&made->roots);
    mr__buf_free(&made->roots_origins);
}

/* ---- the warden, before ---- */

static bool set_key(struct mr_cache *c, const struct mr_config *config)
{
    struct mr_text t = {0};
    mr__config_index_text(&t, config);
    XXH128_hash_t hash = XXH3_128bits(t.data, t.n);
    c->key[0] = hash.low64;
    c->key[1] = hash.high64;
    bool ok = !t.failed;
    mr__text_free(&t);
    return ok;
}

/* In a folder every data set has a file of its own. */
static bool set_path(struct mr_cache *c, const char *path)
{
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int n = folder ? snprintf(c->path, sizeof c->path, "%s/%016llx%016llx.mrindex", path,
                              (unsigned long long)c->key[1], (unsigned long long)c->key[0])
                   : snprintf(c->path, sizeof c->path, "%s", path);
    return n > 0 && n < (int)sizeof c->path;
}

void mr__cache_begin(struct mr_session *s)
{
    const struct mr_config *config = s->plan->config;
    s->cache = NULL;
    if (!config->index_cache || s->index_fd < 0)
        return;
    struct mr_cache *c = calloc(1, sizeof *c);
    if (!c || !set_key(c, config) || !set_path(c, config->index_cache)) {
        mr__report_log(&s->arena, MR_LANE_WARDEN, MR_REPORT_WARNING,
                       "'index_cache' is left out: its path is too long, or memory is short");
        free(c);
        return;
    }
    c->out_error = mr__out_begin(&c->out, c->path) < 0 ? errno : 0;
    s->cache = c;
}

/* ---- the helper: the file of last time ---- */

/* Are the files what they were, if what is in them is in the index? */
static bool same_contents(const struct mr_index_file *f)
{
    struct mr_file_stamps now = {0};
    struct mr_index index;
    struct mr_errbuf e;
    if (!f->rest.contents)
        return true;
    int rc = mr__index_file_copy(f, &index, &e);
    if (rc < 0)
        return false;
    rc = mr__file_stamps(&index, mr__cpus(), &now, &e);
    mr__index_unmap(&index);
    return rc >= 0 && now.hash == f->rest.contents;
}

/* Does it say the truth? True: *made has the roots, if those do, too. */
static bool is_true(const struct mr_session *s, const struct mr_index_file *f,
                    struct mr_index_made *made)
{
    char changed[CHANGED_BYTES], why[2 * CHANGED_BYTES];
    struct mr_errbuf e;
    const struct mr_index_rest *r = &f->rest;
    if (!mr__origins_same(r->origins, r->origins_bytes, changed, sizeof changed)) {
        snprintf(why, sizeof why, "'%s' has changed since it was written",
                 mr__printable(changed, strlen(changed)).text);
        tell(s, MR_REPORT_INFO, ANEW, why);
        return false;
    }
    if (mr__index_file_verify(f, mr__cpus(), &e) < 0) {
        tell(s, MR_REPORT_WARNING, ANEW, e.text);
        return false;
    }
    if (!same_contents(f)) {
        tell(s, MR_REPORT_INFO, ANEW, "files of the data set have changed since it was written");
        return false;
    }
    bool text = !r->roots_bytes || !r->roots[r->roots_bytes - 1];
    made->roots_known =
        text &&
        mr__origins_same(r->roots_origins, r->roots_origins_bytes, changed, sizeof changed) &&
        mr__buf_append(&made->roots, r->roots, r->roots_bytes);
    return true;
}

int mr__cache_take(struct mr_session *s, struct mr_index_made *made, struct mr_errbuf *e)
{
    struct mr_index_file f;
    struct mr_errbuf why;
    if (!s->cache)
        return 0;
    int rc = mr__index_file_open(&f, s->cache->path, s->cache->key, &why);
    if (rc == MR_INDEX_FILE_NONE)
        return 0;
    if (rc < 0) {
        tell(s, rc == MR_E_VERSION ? MR_REPORT_INFO : MR_REPORT_WARNING, ANEW, why.text);
        return 0;
    }
    bool good = is_true(s, &f, made);
    if (good)
        rc = mr__index_ticket_write(s->index_fd, s->cache->path, &f.head, e);
    mr__index_file_close(&f);
    if (rc >= 0 && good)
        mr__report_log(&s->arena, MR_LANE_WARDEN, MR_REPORT_INFO, "the index is taken from '%s'",
                       name_of(s->cache).text);
    return rc < 0 ? rc : good;
}

/* ---- the helper: a new file ---- */

static int too_new(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_IO,
                    "the data set was changed so lately that the next change might not show");
}

/* Files whose contents are in the index must be older than the first look at them. */
static int stamp_contents(const struct mr_index *index, const struct mr_index_made *made,
                          uint64_t *contents, struct mr_errbuf *e)
{
    struct mr_file_stamps stamps;
    *contents = 0;
    if (!made->from_contents)
        return MR_OK;
    int rc = mr__file_stamps(index, mr__cpus(), &stamps, e);
    if (rc >= 0 && stamps.newest_ns + mr__origin_tick(stamps.newest_ns) > made->started_ns)
        rc = too_new(e);
    *contents = stamps.hash;
    return rc;
}

static int write_file(struct mr_session *s, const struct mr_index_made *made, struct mr_errbuf *e)
{
    struct mr_index index;
    struct mr_index_rest rest = {.origins = made->origins.data,
                                 .origins_bytes = made->origins.n,
                                 .roots = made->roots.data,
                                 .roots_bytes = made->roots.n,
                                 .roots_origins = made->roots_origins.data,
                                 .roots_origins_bytes = made->roots_origins.n};
    if (mr__origins_too_new(rest.origins, rest.origins_bytes))
        return too_new(e);
    int rc = mr__index_copy(&index, s->index_fd, e);
    if (rc >= 0)
        rc = stamp_contents(&index, made, &rest.contents, e);
    if (rc >= 0)
        rc = mr__index_file_write(s->cache->out.fd, s->cache->key, &index, &rest, e);
    mr__index_unmap(&index);
    return rc;
}

/* The folder that the file is to lie in. */
static bool lies_in(const struct mr_cache *c, const struct mr_buf *origins)
{
    char folder[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(c->path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - c->path) + 1 : 1,
             slash ? c->path : ".");
    return stat(folder, &st) == 0 && mr__origins_have(origins->data, origins->n, &st);
}

void mr__cache_keep(struct mr_session *s, const struct mr_index_made *made)
{
    struct mr_errbuf e;
    if (!s->cache)
        return;
    if (!made->origins.n) {
        tell(s, MR_REPORT_INFO, NOT_KEPT, "its source does not say what it is made from");
        return;
    }
    if (lies_in(s->cache, &made->origins)) {
        tell(s, MR_REPORT_WARNING, NOT_KEPT,
             "this is a folder of the data set, which would change by it; choose another place");
        return;
    }
    if (s->cache->out.fd < 0) {
        tell(s, MR_REPORT_WARNING, NOT_KEPT, strerror(s->cache->out_error));
        return;
    }
    signal(SIGXFSZ, SIG_IGN); /* a file that may not become so long is no reason to die */
    if (write_file(s, made, &e) < 0) {
        (void)!ftruncate(s->cache->out.fd, 0);
        tell(s, MR_REPORT_WARNING, NOT_KEPT, e.text);
    }
}

/* ---- the warden, behind ---- */

void mr__cache_publish(struct mr_session *s)
{
    struct mr_cache *c = s->cache;
    if (!c || c->out.fd < 0)
        return;
    if (!mr__index_file_complete(c->out.fd, c->key))
        mr__out_drop(&c->out);
    else if (mr__out_publish(&c->out, c->path) < 0)
        tell(s, MR_REPORT_WARNING, NOT_KEPT, strerror(errno));
}

void mr__cache_watch(const struct mr_session *s)
{
    if (s->cache && mr__index_is_file(&s->index))
        mr__mapped_watch(&s->arena, s->index.map, s->index.map_bytes, s->cache->path);
}

void mr__cache_free(struct mr_session *s)
{
    if (s->cache)
        mr__out_drop(&s->cache->out);
    free(s->cache);
    s->cache = NULL;
}
