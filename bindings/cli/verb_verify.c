/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_verify.c: millrace verify SRC: every sample of a data set decoded whole, once, without
 * training. It is a run like any other, so what a file does to its decoder happens in a confined
 * producer: a crash or a hang is a line of the list.
 */
#include "overrides.h"
#include "progress.h"
#include "verbs.h"
#include "verify_shards.h"

#include "json.h"

#include "millrace/millrace.h"
#include "millrace/shards.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_UP_MS                                                                 \
    100 /* how long mr_next waits before the loop looks whether Ctrl-C was pressed \
         */
#define FIELDS "fields={image: {dtype: uint8}"

struct options {
    struct override_options config;
    const char *bad_list;
    bool json, quiet;
};

#define AT(field) offsetof(struct options, field)
static const struct options defaults = {.config = OVERRIDES_NONE};
static const struct cli_flag flags[] = {
    {"bad-list", CLI_TEXT, AT(bad_list), "FILE", 0, 0, NULL,
     "write the bad samples to a CSV file, for 'run --bad-list-in'"},
    {"producers", CLI_INT, AT(config) + OVERRIDE_NUMBER(0, 1), "N", 1, 1024, NULL,
     "producer processes; default: one per core"},
    {"set", CLI_LIST, AT(config) + offsetof(struct override_options, set), "KEY.PATH=VALUE", 0, 0,
     NULL, "override the config ('limits', 'sample_timeout', ...); may be given again"},
    {"json", CLI_BOOL, AT(json), NULL, 0, 0, NULL, "print the result as one JSON object"},
    {"quiet", CLI_BOOL, AT(quiet), NULL, 0, 0, NULL, "no progress, no summary"},
    CLI_FLAGS_END,
};

struct job {
    const struct options *o;
    const char *src;
    mr_loader *loader;
    struct progress progress;
    struct shards_verified shards; /* src NULL: it is not packed */
    uint64_t samples, done, bad;
    int64_t began_ns;
    const char *error;
    char sentence[1024];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void log_line(void *user, mr_log_level level, const char *line)
{
    struct job *job = user;
    if (level > MR_LOG_WARNING || job->o->quiet || !strncmp(line, "bad sample ", 11))
        return; /* those are printed by print_new, without a loss */
    progress_end(&job->progress);
    fprintf(stderr, "millrace: %s: %s\n", level == MR_LOG_ERROR ? "error" : "warning", line);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* What is decoded of a sample; without images it is read as the config says. */
enum what { MASKS, IMAGES, OWN_FIELDS };

/* Every sample once, in order, all of it decoded, next to nothing kept. */
static void set_run(struct overrides *set, enum what what, bool mixture)
{
    static const char *const keys[] = {"epochs=1",       "rank=0",
                                       "world=1",        "deterministic=true",
                                       "on_error=skip",  "max_bad=100%",
                                       "bad_list=''",    "sampler={type: sequential}",
                                       "bad_list_in=''", "batch={size: 16, last: short}"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        overrides_add(set, keys[i]);
    if (mixture) /* its parts one behind the other, whatever each had to say */
        overrides_add(set, "mixture.by=all");
    overrides_add(set, what == OWN_FIELDS ? "ops=[]" : "ops=[{resize: {size: [8, 8]}}]");
    if (what != OWN_FIELDS)
        overrides_add(set, what == MASKS ? FIELDS ", mask: {}}" : FIELDS "}");
}

static int open_with(struct job *job, enum what what, bool mixture)
{
    struct overrides set;
    bool memory = true;
    if (overrides_make(&set, &job->o->config))
        return MR_E_USAGE;
    bool own = overrides_set_source(&set, job->src, &memory);
    if (!own && overrides_find_config(job->src)) {
        overrides_free(&set);
        return MR_E_USAGE;
    }
    set_run(&set, what, mixture);
    mr_options options = {.size = sizeof options,
                          .config_text = own ? "version: 1\n" : NULL,
                          .set = set.v,
                          .log = log_line,
                          .log_user = job};
    int rc = memory ? mr_open(&job->loader, own ? "verify" : job->src, &options) : MR_E_MEMORY;
    overrides_free(&set);
    snprintf(job->sentence, sizeof job->sentence, "%s",
             rc >= 0  ? ""
             : memory ? mr_error(NULL)
                      : "not enough memory");
    return rc;
}

/* Masks are decoded too where there are any, which only the data set knows. A mixture is met when
 * it refuses to be sampled as one data set. */
static int open_loader(struct job *job)
{
    mr_stats stats = {.size = sizeof stats};
    int rc = open_with(job, MASKS, false);
    bool mixture = rc == MR_E_CONFIG && strstr(job->sentence, "'mixture' and 'sampler'");
    if (mixture)
        rc = open_with(job, MASKS, true);
    if (rc == MR_E_USAGE && !job->sentence[0])
        return CLI_WRONG_USE; /* it was said why */
    if (rc == MR_E_CONFIG && strstr(job->sentence, "mask"))
        rc = open_with(job, IMAGES, mixture);
    if (rc == MR_E_CONFIG && strstr(job->sentence, "no column 'image'"))
        rc = open_with(job, OWN_FIELDS, mixture);
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), job->sentence);
    mr_get_stats(job->loader, &stats);
    job->samples = stats.samples;
    catch_signals();
    return CLI_DONE;
}

/* Known before the work, not after it. */
static int check_list(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!path)
        return CLI_DONE;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (!access(folder, W_OK | X_OK))
        return CLI_DONE;
    return cli_fail(CLI_WRONG_USE, "cannot write the bad list '%s': %s", path, strerror(errno));
}

/* ---- samples -------------------------------------------------------------------------------- */

static void print_bad(const mr_bad_sample *bad)
{
    if (bad->path)
        print_safely(bad->path);
    else
        printf("sample %" PRIu64, bad->sample);
    printf(": %s%s", bad->stage, *bad->stage ? ": " : "");
    print_safely(bad->reason);
    putchar('\n');
}

static void take_new(struct job *job)
{
    mr_bad_sample bad = {.size = sizeof bad};
    for (; mr_get_bad_sample(job->loader, job->bad, &bad) == MR_OK; job->bad++) {
        if (!job->o->json && !verify_shards_has(&job->shards, bad.sample)) {
            progress_end(&job->progress);
            print_bad(&bad);
        }
        mr_free(bad.path);
    }
}

static int take_batches(struct job *job)
{
    mr_batch *batch;
    mr_batch_info info;
    int rc = MR_OK;
    progress_begin(&job->progress, "verifying", "samples", job->samples,
                   job->o->quiet || job->o->json);
    while (!interrupted) {
        rc = mr_next(job->loader, &batch, LOOK_UP_MS);
        if (rc == MR_E_TIMEOUT || rc == MR_END_EPOCH)
            continue;
        if (rc < 0 || rc == MR_END)
            break;
        if (mr_batch_get_info(batch, &info) == MR_OK)
            job->done += (uint64_t)info.rows;
        mr_release(batch);
        take_new(job);
        progress_step(&job->progress, job->done);
    }
    take_new(job);
    progress_end(&job->progress);
    if (rc < 0 && rc != MR_E_TIMEOUT) {
        snprintf(job->sentence, sizeof job->sentence, "%s", mr_error(job->loader));
        job->error = job->sentence;
        return rc;
    }
    return MR_OK;
}

/* ---- the result ----------------------------------------------------------------------------- */

static void report_json(const struct job *job, double seconds)
{
    struct json j;
    mr_bad_sample bad = {.size = sizeof bad};
    json_begin(&j, stdout);
    json_count(&j, "samples", job->samples);
    json_count(&j, "verified", job->done);
    json_count(&j, "bad", job->bad);
    json_real(&j, "seconds", seconds);
    json_real(&j, "samples_per_s", seconds > 0 ? (double)job->done / seconds : 0);
    json_bool(&j, "interrupted", interrupted);
    json_text(&j, "bad_list", job->o->bad_list);
    json_text(&j, "error", job->error);
    if (job->shards.src)
        verify_shards_json(&job->shards, &j);
    json_list(&j, "bad_samples");
    for (uint64_t i = 0; job->loader && mr_get_bad_sample(job->loader, i, &bad) == MR_OK; i++) {
        json_item(&j);
        json_count(&j, "sample", bad.sample);
        json_text(&j, "path", bad.path);
        json_text(&j, "stage", bad.stage);
        json_text(&j, "reason", bad.reason);
        json_text(&j, "cause", bad.cause);
        json_bool(&j, "forced", bad.forced);
        json_item_end(&j);
        mr_free(bad.path);
    }
    json_list_end(&j);
    json_end(&j);
}

static int report(struct job *job)
{
    double seconds = (double)(cli_now_ns() - job->began_ns) * 1e-9;
    int rc = job->bad || job->shards.n ? CLI_FAILED : CLI_DONE;
    if (job->shards.src && !job->o->json && !job->o->quiet)
        fprintf(stderr, "%" PRIu64 " shard%s, %.1f MB, %" PRIu64 " place%s damaged\n",
                job->shards.shards, job->shards.shards == 1 ? "" : "s",
                (double)job->shards.bytes * 1e-6, job->shards.n, job->shards.n == 1 ? "" : "s");
    if (job->o->json)
        report_json(job, seconds);
    else if (!job->o->quiet)
        fprintf(stderr,
                "%s%" PRIu64 " of %" PRIu64 " samples decoded, %" PRIu64 " bad, in %.1f s\n",
                interrupted ? "interrupted: " : "", job->done, job->samples, job->bad, seconds);
    if (job->loader && job->o->bad_list &&
        mr_save_bad_list(job->loader, job->o->bad_list, MR_BAD_ANYWHERE) < 0)
        rc = cli_fail(CLI_FAILED, "%s", mr_error(job->loader));
    return rc;
}

/* Data that do not hold their checksums are not decoded when their index is among them. */
static int check_shards(struct job *job)
{
    job->shards = (struct shards_verified){.src = job->src,
                                           .interrupted = &interrupted,
                                           .silent = job->o->quiet,
                                           .json = job->o->json};
    int rc = verify_shards(&job->shards);
    if (rc == MR_OK || rc == MR_E_CLOSED || (rc == MR_E_DATA && job->shards.n))
        return CLI_DONE;
    return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
}

/* Samples are there, and none is an image: then their checksums are all there is. */
static bool has_images(const struct job *job)
{
    char *text = NULL;
    bool has = !job->shards.src || mr_shards_list(job->src, "json", &text) < 0 ||
               strstr(text, "\"name\": \"image\"");
    mr_free(text);
    return has;
}

/* Then nothing can be decoded. */
static bool index_damaged(const struct job *job)
{
    const struct shard_damage *d = job->shards.damage;
    if (!job->shards.n || d->sample >= 0)
        return false;
    if (job->o->json)
        (void)cli_fail(CLI_FAILED, "%s", d->reason);
    return true;
}

static int decode(struct job *job)
{
    int rc = open_loader(job);
    if (rc)
        return rc;
    int err = take_batches(job);
    rc = report(job);
    mr_close(&job->loader);
    return err < 0 ? cli_fail_library(cli_exit_code(err), job->sentence) : rc;
}

static int check_src(const char *src)
{
    int rc = overrides_check_source(src);
    if (rc || !overrides_is_array(src))
        return rc;
    return cli_fail(CLI_WRONG_USE,
                    "'%s' is an array: it has no images to decode; verify a config with its "
                    "'fields', or the packed copy",
                    src);
}

static int run(const void *options, int nargs, char *const *args)
{
    struct job job = {.o = options, .src = args[0], .began_ns = cli_now_ns()};
    (void)nargs;
    int rc = check_src(job.src);
    rc = rc ? rc : check_list(job.o->bad_list);
    if (!rc && overrides_is_shards(job.src)) {
        catch_signals();
        rc = check_shards(&job);
    }
    if (!rc && (interrupted || index_damaged(&job) || !has_images(&job)))
        rc = report(&job);
    else if (!rc)
        rc = decode(&job);
    verify_shards_free(&job.shards);
    return interrupted && !rc ? CLI_INTERRUPTED : rc;
}

const struct cli_verb verb_verify = {
    .name = "verify",
    .args = "SRC",
    .help = "decode every sample of a data set whole, and list the bad ones",
    .more =
        "SRC is a folder, a manifest (.csv, .tsv), packed data (a folder of shards, a .mrs file) "
        "or\na config. Arrays: give a config. Of packed data every byte is held against its "
        "checksum first:\n'SHARD: REASON' or 'SHARD: sample N (FILE): REASON' per damaged place. "
        "Then prints 'PATH: STAGE:\nREASON' per bad sample. Files are decoded in confined "
        "processes: one that crashes or hangs a\ndecoder is a line of the list. Exit code 0: all "
        "are good, 1: some are bad.\n"
        "JSON keys: samples, verified, bad, seconds, samples_per_s, interrupted, bad_list, "
        "error,\nbad_samples [{sample, path, stage, reason, cause, forced}]; of packed data "
        "shards, damaged\n[{shard, sample, file, reason}].\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
