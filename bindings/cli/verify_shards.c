/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_shards.h"

#include "millrace/millrace.h"
#include "millrace/shards.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void print_safely(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            printf("\\x%02x", *c);
        else
            putchar(*c);
    }
}

static void print(const struct shard_damage *d)
{
    print_safely(d->shard);
    if (d->sample >= 0)
        printf(": sample %" PRId64, d->sample);
    if (d->file) {
        printf(" (");
        print_safely(d->file);
        putchar(')');
    }
    printf(": ");
    print_safely(d->reason);
    putchar('\n');
}

static void take(void *user, const mr_damage *damage)
{
    struct shards_verified *v = user;
    struct shard_damage d = {.sample = damage->sample,
                             .shard = strdup(damage->shard),
                             .file = damage->file ? strdup(damage->file) : NULL,
                             .reason = strdup(damage->reason)};
    struct shard_damage *more = realloc(v->damage, (v->n + 1) * sizeof *more);
    if (more)
        v->damage = more;
    if (!more || !d.shard || !d.reason) {
        free(d.shard);
        free(d.file);
        free(d.reason);
        v->failed = true;
        return;
    }
    v->damage[v->n++] = d;
    if (!v->json) {
        progress_end(&v->progress);
        print(&d);
    }
}

static int step(void *user, uint64_t done, uint64_t bytes)
{
    struct shards_verified *v = user;
    if (!v->begun)
        progress_begin(&v->progress, "checking", "MB", bytes / 1000000, v->silent || v->json);
    v->begun = true;
    progress_step(&v->progress, done / 1000000);
    return *v->interrupted;
}

static int by_sample(const void *a, const void *b)
{
    int64_t x = ((const struct shard_damage *)a)->sample;
    int64_t y = ((const struct shard_damage *)b)->sample;
    return x < y ? -1 : x > y;
}

int verify_shards(struct shards_verified *v)
{
    mr_shards_check_options options = {
        .size = sizeof options, .damage = take, .progress = step, .user = v};
    mr_shards_checked checked;
    int rc = mr_shards_check(v->src, &options, &checked);
    v->shards = checked.shards;
    v->bytes = checked.bytes;
    if (v->begun)
        progress_end(&v->progress);
    if (v->n)
        qsort(v->damage, v->n, sizeof *v->damage, by_sample);
    return rc;
}

bool verify_shards_has(const struct shards_verified *v, uint64_t sample)
{
    const struct shard_damage key = {.sample = (int64_t)sample};
    return v->n && bsearch(&key, v->damage, v->n, sizeof key, by_sample);
}

void verify_shards_json(const struct shards_verified *v, struct json *j)
{
    json_count(j, "shards", v->shards);
    json_list(j, "damaged");
    for (uint64_t i = 0; i < v->n; i++) {
        json_item(j);
        json_text(j, "shard", v->damage[i].shard);
        if (v->damage[i].sample >= 0)
            json_count(j, "sample", (uint64_t)v->damage[i].sample);
        json_text(j, "file", v->damage[i].file);
        json_text(j, "reason", v->damage[i].reason);
        json_item_end(j);
    }
    json_list_end(j);
}

void verify_shards_free(struct shards_verified *v)
{
    for (uint64_t i = 0; i < v->n; i++) {
        free(v->damage[i].shard);
        free(v->damage[i].file);
        free(v->damage[i].reason);
    }
    free(v->damage);
}
