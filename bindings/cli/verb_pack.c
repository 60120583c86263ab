/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_pack.c: millrace pack SRC OUT: a data set becomes shards, or files again.
 */
#include "overrides.h"
#include "progress.h"
#include "verbs.h"

#include "json.h"

#include "millrace/millrace.h"
#include "millrace/pack.h"
#include "millrace/shards.h"

#include <inttypes.h>
#include <signal.h>

enum { MODE_COEF = 1 }; /* the last one that has segments */
static const char *const modes[] = {"jpeg", "coef", "raw", "keep", "array", NULL};
static const char *const compressions[] = {"zstd", NULL};
static const char *const on_errors[] = {"fail", "skip", "keep", NULL};

struct options {
    struct override_options config;
    int mode, compress, on_error; /* -1: not given */
    int64_t segment, max_side, quality, shard_bytes, threads;
    bool unpack, list, json, quiet;
};

#define AT(field) offsetof(struct options, field)
static const struct options defaults = {
    .config = OVERRIDES_NONE, .mode = -1, .compress = -1, .on_error = -1};
static const struct cli_flag flags[] = {
    {"mode", CLI_CHOICE, AT(mode), "jpeg|coef|raw|keep|array", 0, 0, modes,
     "what images become; default: jpeg"},
    {"segment", CLI_INT, AT(segment), "PIXELS", 32, 64, NULL,
     "jpeg, coef: width of what is decoded at a time, 32 or 64; default: 64"},
    {"compress", CLI_CHOICE, AT(compress), "zstd", 0, 0, compressions,
     "raw: compress the pixels, some rows at a time"},
    {"max-side", CLI_INT, AT(max_side), "PIXELS", 1, 65535, NULL,
     "make images with a longer side that small"},
    {"quality", CLI_INT, AT(quality), "Q", 1, 100, NULL,
     "of the JPEGs that --max-side makes; default: 90"},
    {"shard-bytes", CLI_INT, AT(shard_bytes), "BYTES", 4096, INT64_MAX, NULL,
     "how large a shard may be; default: 268435456 (256 MiB)"},
    {"threads", CLI_INT, AT(threads), "N", 1, 1024, NULL, "default: one per core"},
    {"on-error", CLI_CHOICE, AT(on_error), "fail|skip|keep", 0, 0, on_errors,
     "a bad sample ends it (default), is left out, or is kept as it is"},
    {"unpack", CLI_BOOL, AT(unpack), NULL, 0, 0, NULL,
     "the way back: SRC's files and a manifest.csv into OUT"},
    {"list", CLI_BOOL, AT(list), NULL, 0, 0, NULL,
     "print what is inside the shards SRC; there is no OUT then"},
    {"set", CLI_LIST, AT(config) + offsetof(struct override_options, set), "KEY.PATH=VALUE", 0, 0,
     NULL, "override the config ('limits', 'source', ...); may be given again"},
    {"json", CLI_BOOL, AT(json), NULL, 0, 0, NULL, "print the result as one JSON object"},
    {"quiet", CLI_BOOL, AT(quiet), NULL, 0, 0, NULL, "no progress, no summary"},
    CLI_FLAGS_END,
};

struct job {
    const struct options *o;
    struct progress progress;
    bool begun;
    int64_t began_ns;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int on_progress(void *user, const mr_pack_progress *p)
{
    struct job *job = user;
    if (!job->begun)
        progress_begin(&job->progress, job->o->unpack ? "unpacking" : "packing", "samples",
                       p->samples, job->o->quiet || job->o->json);
    job->begun = true;
    progress_step(&job->progress, p->done);
    return interrupted;
}

static void on_line(void *user, const char *line)
{
    struct job *job = user;
    if (job->o->quiet)
        return;
    if (job->begun)
        progress_end(&job->progress);
    fprintf(stderr, "millrace: %s\n", line);
}

/* ---- the result ----------------------------------------------------------------------------- */

static void report_json(const mr_pack_progress *p, double seconds, const char *error)
{
    struct json j;
    json_begin(&j, stdout);
    json_count(&j, "samples", p->samples);
    json_count(&j, "done", p->done);
    json_count(&j, "kept", p->kept);
    json_count(&j, "skipped", p->skipped);
    json_count(&j, "shards", p->shards);
    json_count(&j, "bytes_in", p->bytes_in);
    json_count(&j, "bytes_out", p->bytes_out);
    json_real(&j, "seconds", seconds);
    json_real(&j, "samples_per_s", seconds > 0 ? (double)(p->done - p->kept) / seconds : 0);
    json_bool(&j, "interrupted", interrupted);
    json_text(&j, "error", error);
    json_end(&j);
}

static void report(const struct job *job, const char *out, const mr_pack_progress *p,
                   const char *error)
{
    double seconds = (double)(cli_now_ns() - job->began_ns) * 1e-9;
    if (job->begun)
        progress_end((struct progress *)(uintptr_t)&job->progress);
    if (job->o->json)
        report_json(p, seconds, error);
    else if (!job->o->quiet && !error && job->o->unpack)
        fprintf(stderr, "%" PRIu64 " samples, %" PRIu64 " left out, in '%s' (%.1f s)\n",
                p->done - p->skipped, p->skipped, out, seconds);
    else if (!job->o->quiet && !error)
        fprintf(stderr,
                "%" PRIu64 " samples (%" PRIu64 " were there, %" PRIu64 " left out) in %" PRIu64
                " shard%s in '%s': %.1f MB of %.1f MB (%.1f s)\n",
                p->done - p->skipped, p->kept, p->skipped, p->shards, p->shards == 1 ? "" : "s",
                out, (double)p->bytes_out * 1e-6, (double)p->bytes_in * 1e-6, seconds);
}

/* ---- verb ----------------------------------------------------------------------------------- */

static const char *word(const char *const *words, int number)
{
    return number < 0 ? NULL : words[number];
}

static int pack(struct job *job, const char *src, const char *out)
{
    const struct options *o = job->o;
    struct overrides set;
    bool memory = true;
    mr_pack_progress result = {0};
    if (overrides_make(&set, &o->config))
        return CLI_WRONG_USE;
    bool own = overrides_set_source(&set, src, &memory);
    if (!own && overrides_find_config(src)) {
        overrides_free(&set);
        return CLI_WRONG_USE;
    }
    mr_pack_options options = {.size = sizeof options,
                               .config_text = own ? "version: 1\n" : NULL,
                               .set = set.v,
                               .mode = word(modes, o->mode),
                               .segment = (int32_t)o->segment,
                               .compress = word(compressions, o->compress),
                               .max_side = (int32_t)o->max_side,
                               .quality = (int32_t)o->quality,
                               .shard_bytes = (uint64_t)o->shard_bytes,
                               .threads = (int32_t)o->threads,
                               .on_error = word(on_errors, o->on_error),
                               .progress = on_progress,
                               .log = on_line,
                               .user = job};
    int rc = memory ? (o->unpack ? mr_unpack : mr_pack)(own ? "pack" : src, out, &options, &result)
                    : MR_E_MEMORY;
    overrides_free(&set);
    const char *error = rc >= 0 ? NULL : memory ? mr_error(NULL) : "not enough memory";
    char stopped[96];
    if (rc == MR_E_CLOSED && interrupted) {
        snprintf(stopped, sizeof stopped,
                 "interrupted, with %" PRIu64 " of %" PRIu64 " samples done", result.done,
                 result.samples);
        error = stopped;
    }
    report(job, out, &result, error);
    if (rc == MR_E_CLOSED)
        return cli_fail(CLI_INTERRUPTED, "%s%s", error,
                        o->unpack ? "" : "; the same command goes on from here");
    return rc < 0 ? cli_fail_library(cli_exit_code(rc), error) : CLI_DONE;
}

static int list(const struct options *o, const char *src)
{
    char *text;
    int rc = mr_shards_list(src, o->json ? "json" : "text", &text);
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
    fputs(text, stdout);
    if (o->json)
        putchar('\n');
    mr_free(text);
    return CLI_DONE;
}

/* A flag that would do nothing is a mistake. */
static int check_flags(const struct options *o)
{
    const struct {
        const char *name;
        bool given;
    } packs[] = {{"mode", o->mode >= 0},         {"segment", o->segment != 0},
                 {"compress", o->compress >= 0}, {"max-side", o->max_side != 0},
                 {"quality", o->quality != 0},   {"shard-bytes", o->shard_bytes != 0}};
    for (size_t i = 0; i < sizeof packs / sizeof *packs && o->unpack; i++)
        if (packs[i].given)
            return cli_fail(CLI_WRONG_USE, "'--%s' is for packing, not for '--unpack'",
                            packs[i].name);
    if (o->segment && o->mode > MODE_COEF)
        return cli_fail(CLI_WRONG_USE, "'--segment' is for the modes jpeg and coef");
    return CLI_DONE;
}

static int run(const void *options, int nargs, char *const *args)
{
    struct job job = {.o = options, .began_ns = cli_now_ns()};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    if (nargs != (job.o->list ? 1 : 2))
        return cli_fail(CLI_WRONG_USE, "'pack' needs SRC and OUT, or --list and SRC; see 'millrace "
                                       "pack --help'");
    if (job.o->list)
        return list(job.o, args[0]);
    int rc = check_flags(job.o);
    if (rc == CLI_DONE)
        rc = overrides_check_source(args[0]);
    if (rc != CLI_DONE)
        return rc;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return pack(&job, args[0], args[1]);
}

const struct cli_verb verb_pack = {
    .name = "pack",
    .args = "SRC OUT | --list SRC",
    .help = "pack a data set into shards that are read faster, or unpack one",
    .more =
        "SRC is a folder, a manifest (.csv, .tsv), arrays (.npy, .npz), a folder of shards, or a\n"
        "config, of which the source counts. OUT becomes a folder of shards, which the source\n"
        "{type: shards, path: OUT} reads. Modes: jpeg (lossless; crops decode only what they\n"
        "touch), coef (lossless; faster to decode, larger), raw (pixels), keep (files as they "
        "are),\n"
        "array (tensors). A packing that was interrupted goes on when the same command is given\n"
        "again.\n"
        "JSON keys: samples, done, kept, skipped, shards, bytes_in, bytes_out, seconds,\n"
        "samples_per_s, interrupted, error; of --list format, written_by, mode, fingerprint, "
        "samples,\n"
        "bytes, columns [{name, kind, dtype, width, ...}], classes, shards [{file, first, "
        "samples,\n"
        "bytes, check}].\n",
    .min_args = 1,
    .max_args = 2,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
