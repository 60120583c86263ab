/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_explain.c: millrace explain CONFIG: the plan; with --analyze a run of some batches, and what
 * each part of it has cost.
 */
#include "analyze.h"
#include "overrides.h"
#include "verbs.h"

#include <stdlib.h>
#include <unistd.h>

struct options {
    struct override_options config;
    int64_t batches;
    bool analyze, json;
};

#define AT(field) offsetof(struct options, field)
#define SOME_BATCHES 32
static const struct options defaults = {.config = OVERRIDES_NONE};
static const struct cli_flag flags[] = {
    {"analyze", CLI_BOOL, AT(analyze), NULL, 0, 0, NULL,
     "run some batches and tell what each stage costs"},
    {"batches", CLI_INT, AT(batches), "N", 1, INT64_MAX, NULL, "how many (32); with --analyze"},
    {"json", CLI_BOOL, AT(json), NULL, 0, 0, NULL, "one JSON object; with --analyze"},
    OVERRIDE_FLAGS(offsetof(struct options, config)),
    CLI_FLAGS_END,
};

static int print_plan(const char *path, const mr_options *options)
{
    char *text;
    int rc = mr_explain(path, options, &text);
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
    fputs(text, stdout);
    mr_free(text);
    return CLI_DONE;
}

/* ---- a run ---------------------------------------------------------------------------------- */

static void log_line(void *user, mr_log_level level, const char *line)
{
    (void)user;
    if (level <= MR_LOG_WARNING)
        fprintf(stderr, "millrace: %s: %s\n", level == MR_LOG_ERROR ? "error" : "warning", line);
}

static int take_batches(mr_loader *loader, uint64_t wanted, uint64_t *taken)
{
    mr_batch *batch;
    int rc = MR_OK;
    while (*taken < wanted && (rc = mr_next(loader, &batch, MR_FOREVER)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        mr_release(batch);
        ++*taken;
    }
    return rc;
}

static int measure(mr_loader *loader, const struct options *o, struct analysis *a)
{
    mr_stats stats = {.size = sizeof stats};
    int64_t from = cli_now_ns();
    int rc = take_batches(loader, o->batches ? (uint64_t)o->batches : SOME_BATCHES, &a->batches);
    a->seconds = (double)(cli_now_ns() - from) * 1e-9;
    a->profile.size = sizeof a->profile;
    if (rc >= 0)
        rc = mr_get_profile(loader, &a->profile);
    if (rc >= 0)
        rc = mr_get_stats(loader, &stats);
    a->producers = stats.producers;
    a->cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return rc;
}

static int analyze(const char *path, const struct options *o, mr_options *options)
{
    struct analysis *a = calloc(1, sizeof *a);
    mr_loader *loader;
    if (!a)
        return cli_fail(CLI_FAILED, "not enough memory");
    a->config = path;
    a->packed = overrides_plan_is_packed(path, &o->config);
    options->log = log_line;
    int code = CLI_DONE, rc = mr_open(&loader, path, options);
    if (rc >= 0)
        rc = measure(loader, o, a);
    if (rc < 0)
        code = cli_fail_library(cli_exit_code(rc), mr_error(loader));
    mr_close(&loader);
    if (rc >= 0)
        (o->json ? analysis_json : analysis_print)(a);
    free(a);
    return code;
}

/* ---- verb ----------------------------------------------------------------------------------- */

static int run(const void *given, int nargs, char *const *args)
{
    const struct options *o = given;
    struct overrides set;
    (void)nargs;
    if (!o->analyze && (o->batches || o->json))
        return cli_fail(CLI_WRONG_USE, "'--%s' needs --analyze", o->json ? "json" : "batches");
    if (overrides_make(&set, &o->config) || overrides_find_config(args[0]))
        return CLI_WRONG_USE;
    mr_options options = {.size = sizeof options, .set = set.v};
    int rc = o->json ? CLI_DONE : print_plan(args[0], &options);
    return rc == CLI_DONE && o->analyze ? analyze(args[0], o, &options) : rc;
}

const struct cli_verb verb_explain = {
    .name = "explain",
    .args = "CONFIG",
    .help = "print the plan that a config is compiled to, and what it costs",
    .more = "--analyze takes batches as a run does and throws them away. Per stage: the\n"
            "producers' time per row, its share of their work, and how many rows went through it.\n"
            "Of decoding: the pixels that were needed, those whose codes had to be read for them,\n"
            "those that were computed, at which size, and by whom.\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
