/* SPDX-License-Identifier: Apache-2.0
 *
 * shards_check.c: mr_shards_check(): the shards of a set, several at a time.
 */
#include "base/parallel.h"
#include "loaders/shard/shard_check.h"
#include "millrace/shards.h"
#include "pipe/last_error.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct check {
    const mr_shards_check_options *options;
    struct mr_shard_set set;
    mr_shards_checked result;
    uint64_t done; /* bytes */
    bool ended;
    pthread_mutex_t mutex; /* of all that follows from callbacks, and of these */
    struct mr_shard_checker worker[MR_PARALLEL_MAX];
    struct mr_first_error failure;
};

static void tell(struct check *c, const char *shard, int64_t sample, const char *file,
                 const char *reason)
{
    const mr_damage damage = {shard, sample, file, reason};
    pthread_mutex_lock(&c->mutex);
    c->result.damaged++;
    if (c->options->damage)
        c->options->damage(c->options->user, &damage);
    pthread_mutex_unlock(&c->mutex);
}

static void damage(void *ctx, const struct mr_shard *shard, const struct mr_shard_column *column,
                   uint64_t sample, const char *reason)
{
    struct check *c = ctx;
    const char *slash = strrchr(shard->path, '/'), *name;
    char *file = NULL;
    size_t n = 0;
    int64_t number = column ? (int64_t)(sample + (c->set.alone ? 0 : shard->first)) : -1;
    if (column && (name = mr__shard_name(column, sample, &n)) && n)
        file = strndup(name, n);
    tell(c, slash ? slash + 1 : shard->path, number, file, reason);
    free(file);
}

static bool step(void *ctx, uint64_t bytes)
{
    struct check *c = ctx;
    pthread_mutex_lock(&c->mutex);
    c->done += bytes;
    if (c->options->progress && !c->ended)
        c->ended = c->options->progress(c->options->user, c->done, c->result.bytes) != 0;
    bool go_on = !c->ended;
    pthread_mutex_unlock(&c->mutex);
    return go_on;
}

static void check_one(void *ctx, int worker, uint64_t i)
{
    struct check *c = ctx;
    struct mr_shard_checker *k = &c->worker[worker];
    struct mr_shard shard;
    struct mr_errbuf e = {0};
    if (!step(c, 0))
        return;
    k->damage = damage;
    k->step = step;
    k->ctx = c;
    int rc = mr__shard_set_open(&c->set, i, true, &shard, &e);
    if (rc == MR_OK) {
        rc = mr__shard_check(k, &shard, &e);
        mr__shard_close(&shard);
    } else if (rc == MR_E_DATA) {
        tell(c, c->set.line[i].file, -1, NULL, e.text);
        rc = MR_OK;
    }
    if (rc < 0)
        mr__first_error(&c->failure, &e);
}

static int check_set(struct check *c, struct mr_errbuf *e)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = c->options->threads > 0 ? c->options->threads : cores > 0 ? (int)cores : 1;
    c->result.shards = c->set.n;
    c->result.samples = c->set.samples;
    for (uint64_t i = 0; i < c->set.n; i++)
        c->result.bytes += c->set.line[i].bytes;
    mr__parallel(c->set.n, threads < MR_PARALLEL_MAX ? threads : MR_PARALLEL_MAX, check_one, c);
    if (c->failure.e.code < 0)
        *e = c->failure.e;
    if (c->failure.e.code < 0 || !c->result.damaged)
        return c->failure.e.code;
    return mr__fail(e, MR_E_DATA, "%llu places of the shards are damaged",
                    (unsigned long long)c->result.damaged);
}

int mr_shards_check(const char *path, const mr_shards_check_options *options,
                    mr_shards_checked *result)
{
    static const mr_shards_check_options defaults = {.size = sizeof defaults};
    struct mr_errbuf e = {0};
    struct check *c = calloc(1, sizeof *c);
    int rc = MR_OK;
    if (!path || (options && options->size != sizeof *options))
        rc = mr__fail(&e, MR_E_USAGE,
                      "mr_shards_check needs a path, and options whose size is their sizeof");
    else if (!c)
        rc = mr__fail(&e, MR_E_MEMORY, "not enough memory to check shards");
    else
        rc = mr__shard_set_read(&c->set, path, &e);
    if (rc == MR_OK) {
        c->options = options ? options : &defaults;
        pthread_mutex_init(&c->mutex, NULL);
        rc = check_set(c, &e);
        pthread_mutex_destroy(&c->mutex);
    }
    if (result)
        *result = c ? c->result : (mr_shards_checked){0};
    for (int i = 0; c && i < MR_PARALLEL_MAX; i++)
        mr__shard_checker_free(&c->worker[i]);
    if (c)
        mr__shard_set_free(&c->set);
    free(c);
    return rc < 0 ? mr__keep_error(&e) : rc;
}
