/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_rates.c: the commander's planner without the commander: each batch is planned into the first
 * slot of a real arena, sampler and message and all, as fast as it goes.
 */
#include "plan_bench.h"

#include "pipe/session.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum given { NOTHING, A_LIST, CLASSES };

/* What a sampler cannot do without. %s is what is given: a file with a number below 1,000,000 in
 * each line, or how many classes of 8 samples fill a batch. */
static const struct {
    const char *name, *params;
    enum given given;
} needs[] = {
    {"bucket", ", by: [width, height], buckets: 64", NOTHING},
    {"patch", ", size: 128, per_image: 2", NOTHING},
    {"pk", ", p: %s, k: 8, small: repeat", CLASSES},
    {"repeat_augment", ", repeats: 4", NOTHING},
    {"subset", ", file: '%s'", A_LIST},
    {"weighted", ", by: weight", NOTHING},
};

struct bench {
    const struct plan_options *o;
    const char *name, *mixture; /* of a sampler; or the shares of a mixture of two halves */
    struct mr_session s;
    struct mr_planner planner;
    double open_s, rows_s, seek_s, memory; /* memory: bytes */
};

static double resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* ---- the data set ---- */

static int add_numbers(struct mr_index_builder *b, int column, uint64_t n, double least,
                       double most, struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (uint64_t i = 0; i < n && rc >= 0; i++) {
        double share = fmod((double)i * 0.6180339887498949, 1);
        int64_t whole = (int64_t)(least + share * (most - least));
        rc = mr__index_add_numbers(b, column, &whole, 1, e);
    }
    return rc;
}

/* Numbers that repeat take no room, and samplers know it. */
static int fill_index(const struct bench *b, struct mr_index_builder *builder, uint64_t samples,
                      struct mr_errbuf *e)
{
    uint64_t numbers = b->o->stored ? samples : 997;
    static const struct {
        const char *name;
        double least, most;
    } columns[] = {
        {"label", 0, 1000}, {"width", 200, 1000}, {"height", 200, 800}, {"weight", 1, 100}};
    int rc = mr__index_add_column(builder, "image", MR_COL_MADE, MR_U8, 1, e);
    for (int i = 0; i < 4 && rc >= 0; i++)
        rc = mr__index_add_column(builder, columns[i].name, MR_COL_FIXED, MR_I64, 1, e);
    for (int i = 0; i < 4 && rc >= 0; i++)
        rc = add_numbers(builder, i + 1, numbers, columns[i].least, columns[i].most, e);
    for (int i = 0; i < (b->o->stored ? 1 : 5) && rc >= 0; i++)
        rc = mr__index_repeat(builder, i, samples, e);
    return rc;
}

static int fill_halves(const struct bench *b, struct mr_index_builder *builder, struct mr_errbuf *e)
{
    struct mr_index_builder *half;
    int rc = MR_OK;
    for (int i = 0; i < 2 && rc >= 0; i++) {
        rc = mr__index_add_part(builder, i ? "two" : "one", &half, e);
        if (rc >= 0)
            rc = fill_index(b, half, b->o->samples / 2, e);
    }
    return rc;
}

static int make_index(struct bench *b, struct mr_errbuf *e)
{
    struct mr_index_builder *builder;
    int rc = mr__index_builder_new(&builder, e);
    if (rc >= 0)
        rc = b->mixture ? fill_halves(b, builder, e) : fill_index(b, builder, b->o->samples, e);
    b->s.index_fd = rc < 0 ? -1 : mr__index_memfd(e);
    if (rc >= 0)
        rc = b->s.index_fd < 0 ? b->s.index_fd : mr__index_finish(builder, b->s.index_fd, e);
    mr__index_builder_free(builder);
    return rc;
}

/* ---- one sampler ---- */

static void sampler_text(const struct bench *b, const char *file, char *text, size_t bytes)
{
    char params[512] = "", classes[16];
    snprintf(classes, sizeof classes, "%d", b->o->batch / 8);
    const char *const given[] = {[NOTHING] = "", [A_LIST] = file, [CLASSES] = classes};
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const char *from = needs[i].params, *place = strstr(from, "%s");
        if (strcmp(needs[i].name, b->name) != 0)
            continue;
        snprintf(params, sizeof params, "%.*s%s%s", (int)(place ? place - from : 500), from,
                 place ? given[needs[i].given] : "", place ? place + 2 : "");
    }
    snprintf(text, bytes, "source: {type: synthetic, samples: %llu}\nsampler: {type: %s%s}\n",
             (unsigned long long)b->o->samples, b->name, params);
}

static void mixture_text(const struct bench *b, char *text, size_t bytes)
{
    double share = strtod(b->mixture, NULL);
    unsigned long long half = b->o->samples / 2;
    snprintf(text, bytes,
             "mixture:\n  of:\n"
             "    - {share: %.10g, source: {type: synthetic, samples: %llu}}\n"
             "    - {share: %.10g, source: {type: synthetic, samples: %llu}}\n",
             share, half, 1 - share, half);
}

static void config_text(const struct bench *b, const char *file, char *text, size_t bytes)
{
    char data[768];
    if (b->mixture)
        mixture_text(b, data, sizeof data);
    else
        sampler_text(b, file, data, sizeof data);
    snprintf(text, bytes,
             "version: 1\nseed: 42\nepochs: 0\nbatch: {size: %d}\n%s"
             "ops: [{resize: {size: [8, 8]}}]\nfields: {image: {dtype: uint8}}\n",
             b->o->batch, data);
}

static int open_session(struct bench *b, const char *text, struct mr_errbuf *e)
{
    struct mr_config *config;
    struct mr_user user = {0};
    int rc = mr__config_read(&config, "bench", text, NULL, e);
    if (rc < 0)
        return rc;
    rc = mr__plan_compile(&b->s.plan, config, &user, e);
    if (rc < 0) {
        mr__config_free(config);
        return rc;
    }
    rc = mr__arena_create(&b->s.arena, &b->s.plan->arena, e);
    if (rc >= 0)
        rc = make_index(b, e);
    if (rc < 0)
        return rc;
    malloc_trim(0);
    double from = plan_cpu(), before = resident();
    rc = mr__session_bind(&b->s, e);
    b->open_s = plan_cpu() - from;
    b->memory = resident() - before;
    return rc < 0 ? rc : mr__session_planner(&b->s, &b->planner, e);
}

static int plan_for(struct bench *b, double seconds, struct mr_errbuf *e)
{
    struct mr_plan_head head;
    uint64_t rows = 0;
    double from = plan_cpu(), now = from;
    int rc = MR_OK;
    while (rc >= 0 && now - from < seconds) {
        for (int i = 0; i < 64 && rc >= 0; i++) {
            head = (struct mr_plan_head){0};
            rc = b->planner.plan(b->planner.ctx, 0, &head, e);
            rows += head.rows;
        }
        now = plan_cpu();
    }
    b->rows_s = (double)rows / (now - from);
    return rc;
}

static int seek_far(struct bench *b, struct mr_errbuf *e)
{
    struct mr_plan_head head = {0};
    double from = plan_cpu();
    int rc = b->planner.seek(b->planner.ctx, 1000, b->s.epochs.batches / 2, e);
    if (rc >= 0)
        rc = b->planner.plan(b->planner.ctx, 0, &head, e);
    b->seek_s = plan_cpu() - from;
    return rc;
}

static int measure(struct bench *b, const char *file)
{
    char text[1024];
    struct mr_errbuf e = {0};
    b->s =
        (struct mr_session){.index_fd = -1, .boot_fd = -1, .roots_fd = -1, .feedback = {.fd = -1}};
    config_text(b, file, text, sizeof text);
    int rc = open_session(b, text, &e);
    if (rc >= 0)
        rc = plan_for(b, b->o->seconds, &e);
    if (rc >= 0)
        rc = seek_far(b, &e);
    if (rc >= 0)
        printf("%-16s %12.2f %12.1f %12.1f %14.3f\n", b->name, b->rows_s / 1e6, b->open_s * 1e3,
               b->memory / 1048576, b->seek_s * 1e3);
    else
        printf("%-16s %s\n", b->name, e.text);
    fflush(stdout);
    free(b->planner.ctx);
    mr__session_release(&b->s);
    return rc;
}

static int write_list(const char *file, uint64_t samples)
{
    FILE *f = fopen(file, "we");
    uint64_t most = samples < 1000000 ? samples : 1000000;
    for (uint64_t i = 0; f && i < most; i++)
        fprintf(f, "%llu\n", (unsigned long long)i);
    return f && fclose(f) == 0 ? 0 : -1;
}

int plan_rates(const struct plan_options *o)
{
    char file[] = "/tmp/bench-planner-XXXXXX";
    int fd = mkstemp(file), failed = 0;
    if (fd < 0 || close(fd) < 0 || write_list(file, o->samples) < 0) {
        perror(file);
        return 1;
    }
    printf("%llu samples, batches of %d\n%-16s %12s %12s %12s %14s\n",
           (unsigned long long)o->samples, o->batch, "sampler", "10^6 rows/s", "open ms",
           "memory MiB", "epoch 1000 ms");
    for (int i = 0; mr_samplers[i]; i++) {
        struct bench b = {.o = o, .name = mr_samplers[i]->d.name};
        failed |= measure(&b, file) < 0;
    }
    static const char *const mixtures[][2] = {{"mixture_7:3", "0.7"},
                                              {"mixture_uneven", "0.1234567891"}};
    for (int i = 0; i < 2; i++) {
        struct bench b = {.o = o, .name = mixtures[i][0], .mixture = mixtures[i][1]};
        failed |= measure(&b, file) < 0;
    }
    unlink(file);
    return failed;
}
