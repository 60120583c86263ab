/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_feedback plan [SAMPLES [ROWS [SECONDS]]]: rows per CPU second of the commander's work with
 * the adaptive sampler, in one process: the feedback of every row of a batch is applied, and a
 * batch is chosen. No messages, no pixels. bench_feedback call CONFIG [BATCHES]: nanoseconds per
 * mr_feedback of a running loader, whose sampler must be an adaptive one.
 */
#include "base/config.h"
#include "millrace/millrace.h"
#include "one_process.h"
#include "shm/feedback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what)
{
    fprintf(stderr, "bench_feedback: %s\n", what);
    return 1;
}

static uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
    return x ^ x >> 29;
}

/* ---- plan ---- */

struct plan_job {
    const struct mr_sampler *sampler;
    void *self;
    struct mr_feedback f;
    struct mr_arena arena; /* only a place for the signal that nobody waits for */
    uint64_t *chosen;
    uint32_t rows;
    uint64_t ordinal;
};

static int step(struct plan_job *j, struct mr_errbuf *e)
{
    int rc = mr__feedback_follow(&j->f, &j->arena, ++j->ordinal, e);
    if (rc == MR_OK)
        mr__feedback_expect(&j->f, j->ordinal);
    for (uint32_t i = 0; i < j->rows && rc == MR_OK; i++) {
        struct mr_pick pick;
        rc = j->sampler->learner->choose(j->self, &j->f.weights, 0, j->ordinal * j->rows + i, &pick,
                                         e);
        j->chosen[i] = pick.sample;
    }
    for (uint32_t i = 0; i < j->rows; i++)
        mr__feedback_give(&j->f, j->ordinal, i, j->chosen[i],
                          (float)(mixed(j->ordinal * j->rows + i) >> 44));
    mr__feedback_done(&j->f, j->ordinal);
    return rc;
}

static int measure(struct plan_job *j, const char *rule, uint64_t samples, double seconds)
{
    struct mr_errbuf e = {0};
    double from = cpu_now(), took = 0;
    uint64_t batches = 0;
    for (; took < seconds; took = cpu_now() - from)
        for (int i = 0; i < 16; i++, batches++)
            if (step(j, &e) != MR_OK)
                return fail(e.text);
    double rate = (double)(batches * j->rows) / took;
    printf(
        "rule %s: %llu samples, batches of %u: %.2f million rows per CPU second (%.0f ns a row), "
        "%.1f MB\n",
        rule, (unsigned long long)samples, j->rows, rate / 1e6, 1e9 / rate,
        (double)j->f.off_given / 1e6);
    return 0;
}

static int plan(const char *rule, uint64_t samples, uint32_t rows, double seconds)
{
    struct mr_errbuf e = {0};
    struct mr_config *config;
    struct plan_job j = {.rows = rows, .arena.ready_fd = -1};
    struct mr_sampler_env env = {.samples = samples, .seed = 1, .batch = rows};
    char text[256];
    snprintf(text, sizeof text,
             "version: 1\nsource: {type: folder, path: .}\n"
             "sampler: {type: adaptive, rule: %s, feedback_delay: 8}\n",
             rule);
    if (mr__config_read(&config, NULL, text, NULL, &e) < 0)
        return fail(e.text);
    j.sampler = config->sampler.desc;
    j.chosen = calloc(rows, sizeof *j.chosen);
    mr__feedback_shape(&j.f, rows, 4, 8);
    if (!j.chosen || j.sampler->open(config->sampler.params, &env, &j.self, &e) < 0 ||
        mr__feedback_create(&j.f, false, &e) < 0 ||
        mr__feedback_grow(&j.f, j.sampler->learner, j.self, &e) < 0 ||
        mr__feedback_attach(&j.f, j.sampler->learner, j.self, &e) < 0)
        return fail(e.text);
    int rc = measure(&j, rule, samples, seconds);
    mr__feedback_release(&j.f);
    j.sampler->close(j.self);
    mr__config_free(config);
    free(j.chosen);
    return rc;
}

/* ---- call ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int call(const char *config, int batches)
{
    mr_loader *loader;
    mr_batch *b;
    mr_batch_info info = {0};
    double *ns = calloc((size_t)batches, sizeof *ns);
    int n = 0, rc = MR_OK;
    if (!ns || mr_open(&loader, config, NULL) < 0)
        return fail(mr_error(NULL));
    while (n < batches && (rc = mr_next(loader, &b, MR_FOREVER)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        mr_batch_get_info(b, &info);
        uint64_t from = mr__now_ns();
        for (int32_t row = 0; row < info.rows && rc >= 0; row++)
            rc = mr_feedback(b, row, 1 + row);
        ns[n++] = (double)(mr__now_ns() - from) / info.rows;
        if (rc < 0)
            break;
        mr_release(b);
    }
    if (rc < 0)
        fail(mr_error(loader));
    mr_close(&loader);
    qsort(ns, (size_t)n, sizeof *ns, by_value);
    if (n)
        printf("mr_feedback: %.1f ns a call in the median, %.1f at the 99th percentile, over %d "
               "batches of %d rows\n",
               ns[n / 2], ns[n * 99 / 100], n, info.rows);
    free(ns);
    return rc < 0;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && !strcmp(argv[1], "call"))
        return call(argv[2], argc > 3 ? atoi(argv[3]) : 1000);
    if (argc < 2 || strcmp(argv[1], "plan") != 0)
        return fail("usage: plan [SAMPLES [ROWS [SECONDS]]] | call CONFIG [BATCHES]");
    uint64_t samples = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    uint32_t rows = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 64;
    double seconds = argc > 4 ? strtod(argv[4], NULL) : 2;
    int rc = plan("loss", samples, rows, seconds);
    return rc ? rc : plan("rank", samples, rows, seconds);
}
