/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack.c: mr_unpack().
 */
#include "base/parallel.h"
#include "base/printable.h"
#include "pack/pack_call.h"
#include "pack/unpack_files.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct unpacker { /* a thread's */
    void *reader;
    struct mr_pack_pixels *pixels;
    struct mr_buf body, file;
};

struct unpacking {
    struct mr_pack_call call;
    struct mr_pack_data data;
    const char *out;
    bool skip, keep; /* what is bad */
    char **names;    /* [samples][columns]: what was written */
    bool *left_out;  /* [samples] */
    bool *later;     /* [samples]: not by one of many threads */
    struct unpacker worker[MR_PARALLEL_MAX];
    pthread_mutex_t lock; /* of the call's progress and of `rc` */
    int rc;
    struct mr_errbuf *e;
};

static int need_empty(const char *out, struct mr_errbuf *e)
{
    struct mr_printable p = mr__printable(out, strlen(out));
    struct dirent *entry = NULL;
    if (mkdir(out, 0777) == 0)
        return MR_OK;
    DIR *dir = errno == EEXIST ? opendir(out) : NULL;
    if (!dir)
        return mr__fail_errno(e, MR_E_IO, "cannot use the folder '%s'", p.text);
    while ((entry = readdir(dir)) && entry->d_name[strspn(entry->d_name, ".")] == 0)
        ;
    closedir(dir);
    return entry ? mr__fail(e, MR_E_USAGE, "'%s' is not empty; name a new folder", p.text) : MR_OK;
}

static int open_worker(const struct unpacking *u, struct unpacker *w, struct mr_errbuf *e)
{
    int rc = w->pixels ? MR_OK : mr__pack_pixels_new(&w->pixels, &u->data.config->limits, e);
    if (rc >= 0 && !w->reader)
        rc = mr__pack_data_reader(&u->data, &w->reader, e);
    return rc;
}

/* 1: somebody has written a file of its name, or does so now. */
static int unpack_file(struct unpacking *u, struct unpacker *w, uint64_t sample, int column,
                       struct mr_errbuf *e)
{
    struct mr_unpacked file;
    char **name = &u->names[sample * u->data.index.head->columns + (uint64_t)column];
    int rc = u->data.source->read(w->reader, sample, column, &w->body, e);
    if (rc < 0)
        return rc;
    rc = mr__unpack_body(w->pixels, &w->body, &w->file, &file, e);
    if (rc == MR_E_DATA && u->keep)
        file = (struct mr_unpacked){.file = &w->body};
    else if (rc < 0)
        return rc;
    free(*name);
    *name = mr__unpack_name(&u->data.index, column, sample, file.ending);
    if (!*name)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a name");
    rc = mr__unpack_write(u->out, name, sample, !u->later[sample], file.file, e);
    if (rc != MR_OK)
        return rc;
    __atomic_fetch_add(&u->call.progress.bytes_in, w->body.n, __ATOMIC_RELAXED);
    __atomic_fetch_add(&u->call.progress.bytes_out, file.file->n, __ATOMIC_RELAXED);
    return MR_OK;
}

static int unpack_sample(struct unpacking *u, struct unpacker *w, uint64_t sample,
                         struct mr_errbuf *e)
{
    int rc = open_worker(u, w, e);
    if (rc < 0)
        return rc;
    rc = MR_OK;
    for (int i = 0; i < u->data.nfiles && rc == MR_OK; i++) {
        int column = u->data.files[i];
        if (mr__pack_data_is_tensor(&u->data, column) ||
            (i && !mr__pack_data_has(&u->data, i, sample)))
            continue;
        rc = unpack_file(u, w, sample, column, e);
        if (rc >= 0 || u->skip)
            continue;
        char *name = mr__index_name(&u->data.index, column, sample);
        mr__context(e, "%s", name ? name : "a sample");
        free(name);
    }
    return rc;
}

static void count(struct unpacking *u, uint64_t sample, int rc, struct mr_errbuf *e)
{
    pthread_mutex_lock(&u->lock);
    if (rc == MR_E_DATA && u->skip) {
        mr__pack_call_log(&u->call, "left out: %s", e->text);
        u->left_out[sample] = true;
        u->call.progress.skipped++;
        rc = MR_OK;
    }
    u->call.progress.done++;
    if (rc >= 0)
        rc = mr__pack_call_tell(&u->call, false, e);
    if (rc < 0 && u->rc >= 0)
        *u->e = *e;
    u->rc = u->rc < 0 ? u->rc : rc;
    pthread_mutex_unlock(&u->lock);
}

static void work_on(struct unpacking *u, int worker, uint64_t sample)
{
    struct mr_errbuf e = {0};
    pthread_mutex_lock(&u->lock);
    bool over = u->rc < 0;
    pthread_mutex_unlock(&u->lock);
    int rc = over ? MR_OK : unpack_sample(u, &u->worker[worker], sample, &e);
    if (rc > 0)
        u->later[sample] = true; /* an ending has made two names one */
    else if (!over)
        count(u, sample, rc, &e);
}

static void work_now(void *ctx, int worker, uint64_t sample)
{
    struct unpacking *u = ctx;
    if (!u->later[sample])
        work_on(u, worker, sample);
}

static int unpack_samples(struct unpacking *u, struct mr_errbuf *e)
{
    uint64_t samples = u->data.index.head->samples;
    int rc = mr__unpack_later(&u->data, u->later, e);
    if (rc < 0)
        return rc;
    mr__parallel(samples, mr__pack_call_threads(&u->call), work_now, u);
    for (uint64_t sample = 0; sample < samples; sample++)
        if (u->later[sample])
            work_on(u, 0, sample);
    return u->rc;
}

static int unpack_all(struct unpacking *u, struct mr_errbuf *e)
{
    const struct mr_index_head *head = u->data.index.head;
    bool tensors = false, files = false;
    for (int i = 0; i < u->data.nfiles; i++) {
        bool tensor = mr__pack_data_is_tensor(&u->data, u->data.files[i]);
        tensors |= tensor;
        files |= !tensor;
    }
    u->call.progress.samples = head->samples;
    u->names = calloc(head->samples, head->columns * sizeof *u->names);
    u->left_out = calloc(head->samples, sizeof *u->left_out);
    u->later = calloc(head->samples, sizeof *u->later);
    if (!u->names || !u->left_out || !u->later)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the names of the files");
    int rc = unpack_samples(u, e);
    if (rc < 0)
        return rc;
    if (tensors && u->call.progress.skipped)
        return mr__fail(e, MR_E_USAGE,
                        "samples were left out, and arrays have a row for each: unpack without "
                        "'skip'");
    rc = tensors ? mr__unpack_arrays(&u->data, !files, u->out, e) : MR_OK;
    if (rc >= 0 && files)
        rc = mr__unpack_manifest(&u->data.index, u->names, u->left_out, u->out, e);
    return rc < 0 ? rc : mr__pack_call_tell(&u->call, true, e);
}

static void close_all(struct unpacking *u)
{
    for (int i = 0; i < MR_PARALLEL_MAX; i++) {
        mr__pack_data_reader_close(&u->data, u->worker[i].reader);
        mr__pack_pixels_free(u->worker[i].pixels);
        mr__buf_free(&u->worker[i].body);
        mr__buf_free(&u->worker[i].file);
    }
    for (uint64_t i = 0; u->names && i < u->data.index.head->samples * u->data.index.head->columns;
         i++)
        free(u->names[i]);
    free(u->names);
    free(u->left_out);
    free(u->later);
    mr__pack_data_close(&u->data);
}

int mr_unpack(const char *path, const char *out, const mr_pack_options *options,
              mr_pack_progress *result)
{
    struct mr_errbuf e = {0};
    struct unpacking u = {.lock = PTHREAD_MUTEX_INITIALIZER, .out = out, .e = &e};
    int rc = mr__pack_call_begin(&u.call, path, out, options, &e);
    if (rc >= 0) {
        const char *bad = u.call.o->on_error;
        u.skip = bad && !strcmp(bad, "skip");
        u.keep = bad && !strcmp(bad, "keep");
        rc = mr__pack_data_open(&u.data, path, u.call.o->config_text, u.call.o->set, &e);
    }
    if (rc >= 0)
        rc = need_empty(out, &e);
    if (rc >= 0)
        rc = unpack_all(&u, &e);
    close_all(&u);
    return mr__pack_call_end(&u.call, result, rc, &e);
}
