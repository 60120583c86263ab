/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_run.c: millrace run CONFIG: a consumer that does nothing but take batches, and tells how
 * fast they came.
 */
#include "contact_sheet.h"
#include "out_file.h"
#include "overrides.h"
#include "progress.h"
#include "run_report.h"
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* How long mr_next waits before the loop looks whether Ctrl-C was pressed. */
#define LOOK_UP_MS 100
/* Of --timeout, in a row: the last one ends the run. */
#define TIMEOUTS 3
#define STATE_MAX (1 << 20)

struct options {
    struct override_options config;
    int64_t batches, timeout;
    const char *state, *resume, *hash_list, *contact_sheet, *bad_list, *bad_list_in;
    bool json, hash, quiet;
};

#define AT(field) offsetof(struct options, field)
static const struct options defaults = {.config = OVERRIDES_NONE, .batches = 0};
static const struct cli_flag flags[] = {
    {"batches", CLI_INT, AT(batches), "N", 1, INT64_MAX, NULL, "stop after N batches"},
    OVERRIDE_FLAGS(offsetof(struct options, config)),
    {"timeout", CLI_INT, AT(timeout), "SECONDS", 1, 86400, NULL,
     "no batch for so long: say what all processes do; the third time ends it"},
    {"state", CLI_TEXT, AT(state), "FILE", 0, 0, NULL, "write the state to FILE at the end"},
    {"resume", CLI_TEXT, AT(resume), "FILE", 0, 0, NULL, "go on from a state that --state wrote"},
    {"bad-list", CLI_TEXT, AT(bad_list), "FILE", 0, 0, NULL, "write the bad samples to a CSV file"},
    {"bad-list-in", CLI_TEXT, AT(bad_list_in), "FILE", 0, 0, NULL,
     "take the samples of such a file for bad, as the run did that wrote it"},
    {"json", CLI_BOOL, AT(json), NULL, 0, 0, NULL, "print the result as one JSON object"},
    {"hash", CLI_BOOL, AT(hash), NULL, 0, 0, NULL, "hash every delivered byte (64-bit XXH3)"},
    {"hash-list", CLI_TEXT, AT(hash_list), "FILE", 0, 0, NULL,
     "write a line 'epoch batch hash' per batch"},
    {"contact-sheet", CLI_TEXT, AT(contact_sheet), "FILE", 0, 0, NULL,
     "draw the first batch into a PNG"},
    {"quiet", CLI_BOOL, AT(quiet), NULL, 0, 0, NULL, "no progress, no warnings"},
    CLI_FLAGS_END,
};

struct job {
    const struct options *o;
    mr_loader *loader;
    struct out_file hash_list;
    struct contact_sheet *sheet;
    bool sheet_lost; /* memory was out when it was to be taken */
    struct progress progress;
    uint64_t epoch_batches;
    struct run_report report;
    char error[1024];
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Only while batches flow: before, the signal's own action ends the program, and the warden cleans
 * up after it. A second Ctrl-C does the same. */
static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void log_line(void *user, mr_log_level level, const char *line)
{
    struct job *job = user;
    if (level > MR_LOG_WARNING || job->o->quiet)
        return;
    progress_end(&job->progress);
    fprintf(stderr, "millrace: %s: %s\n", level == MR_LOG_ERROR ? "error" : "warning", line);
}

/* The failed call's sentence is kept, because calls that follow have sentences of their own. */
static int keep_error(struct job *job, int err)
{
    snprintf(job->error, sizeof job->error, "%s", mr_error(job->loader));
    job->report.error = job->error;
    return err;
}

/* ---- files ---------------------------------------------------------------------------------- */

static char *read_state(const char *path)
{
    char *text = malloc(STATE_MAX);
    FILE *in = fopen(path, "re");
    size_t n = in && text ? fread(text, 1, STATE_MAX, in) : 0;
    bool good = in && text && !ferror(in);
    if (!in || !good)
        cli_fail(CLI_FAILED, "cannot read the state '%s': %s", path, strerror(errno));
    else if (n == STATE_MAX || !n)
        cli_fail(CLI_FAILED, "'%s' is no state: it is %s", path, n ? "too large" : "empty");
    good = good && n && n < STATE_MAX;
    if (in)
        fclose(in);
    if (good) {
        text[n] = 0;
        return text;
    }
    free(text);
    return NULL;
}

/* A sampler that learns has its weights in a file beside the state. */
static char *weights_path(const char *state)
{
    size_t bytes = strlen(state) + sizeof ".weights";
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s.weights", state);
    return path;
}

static int write_weights(struct job *job)
{
    char *path = weights_path(job->o->state);
    int rc = path ? mr_save_weights(job->loader, path) : MR_E_MEMORY;
    free(path);
    if (rc >= 0 || rc == MR_E_UNSUPPORTED)
        return CLI_DONE;
    return cli_fail(CLI_FAILED, "%s",
                    rc == MR_E_MEMORY ? "not enough memory for the weights"
                                      : mr_error(job->loader));
}

static int write_state(struct job *job)
{
    char *text = malloc(STATE_MAX);
    size_t bytes = 0;
    int rc = CLI_DONE;
    if (!text)
        return cli_fail(CLI_FAILED, "not enough memory for the state");
    if (write_weights(job) != CLI_DONE)
        rc = CLI_FAILED;
    else if (mr_save_state(job->loader, text, STATE_MAX, &bytes) < 0)
        rc = cli_fail(CLI_FAILED, "%s", mr_error(job->loader));
    else if (write_file(job->o->state, text, bytes - 1))
        rc = cli_fail(CLI_FAILED, "cannot write the state '%s': %s", job->o->state,
                      out_file_why(errno));
    free(text);
    return rc;
}

static int write_sheet(struct job *job)
{
    const char *path = job->o->contact_sheet;
    if (job->sheet_lost)
        return cli_fail(CLI_FAILED, "not enough memory for the contact sheet '%s'", path);
    if (!job->sheet)
        return CLI_DONE;
    if (contact_sheet_write(job->sheet, path))
        return cli_fail(CLI_FAILED, "cannot write the contact sheet '%s': %s", path,
                        out_file_why(errno));
    if (!job->o->json && !job->o->quiet)
        fprintf(stderr, "contact sheet of the first batch: %s\n", path);
    return CLI_DONE;
}

/* ---- batches -------------------------------------------------------------------------------- */

static void take_sheet(struct job *job, const mr_batch *batch)
{
    const char *why = NULL;
    job->sheet = contact_sheet_take(job->loader, batch, &why);
    if (!job->sheet && why)
        fprintf(stderr, "millrace: warning: no contact sheet: %s\n", why);
    job->sheet_lost = !job->sheet && !why;
}

static int list_hash(struct job *job, const mr_batch *batch, const mr_batch_info *info)
{
    uint64_t hash;
    int rc = mr_batch_hash(batch, &hash);
    if (rc < 0)
        return keep_error(job, rc);
    fprintf(job->hash_list.f, "%" PRIu64 " %" PRIu64 " %016" PRIx64 "\n", info->epoch, info->batch,
            hash);
    return MR_OK;
}

static void begin_epoch(struct job *job)
{
    uint64_t total = job->report.stats.batches_per_epoch;
    uint64_t left = (uint64_t)job->o->batches;
    if (left) {
        left -= job->report.batches;
        total = !total || left < total ? left : total;
    }
    job->epoch_batches = 0;
    progress_begin(&job->progress, "taking", "batches", total, job->o->quiet || job->o->json);
}

static void first_batch(struct job *job, const mr_batch *batch, uint64_t rows, int64_t now)
{
    struct run_report *r = &job->report;
    r->first_ns = now;
    r->first_rows = rows;
    r->waited_ns = 0;
    mr_get_stats(job->loader, &r->stats);
    r->bytes_at_first = r->stats.bytes_read;
    begin_epoch(job);
    if (job->o->contact_sheet)
        take_sheet(job, batch);
}

static int count_batch(struct job *job, const mr_batch *batch)
{
    struct run_report *r = &job->report;
    mr_batch_info info;
    int rc = mr_batch_get_info(batch, &info);
    if (rc < 0)
        return keep_error(job, rc);
    r->last_ns = cli_now_ns();
    r->rows += (uint64_t)info.valid;
    if (!r->batches)
        first_batch(job, batch, (uint64_t)info.valid, r->last_ns);
    r->batches++;
    progress_step(&job->progress, ++job->epoch_batches);
    return job->hash_list.f ? list_hash(job, batch, &info) : MR_OK;
}

/* No batch came for --timeout seconds, for the n-th time: shows why, and whether to go on. */
static bool tell_timeout(struct job *job, int n)
{
    char *dump = mr_dump(job->loader);
    progress_end(&job->progress);
    fprintf(stderr, "millrace: warning: no batch has come for %lld s (%d of %d)\n%s",
            (long long)job->o->timeout, n, TIMEOUTS, dump ? dump : "");
    mr_free(dump);
    if (n < TIMEOUTS)
        return true;
    snprintf(job->error, sizeof job->error, "no batch has come for %d times %lld s (--timeout)",
             TIMEOUTS, (long long)job->o->timeout);
    job->report.error = job->error;
    return false;
}

/* The next batch or an end; MR_END too when Ctrl-C was pressed. */
static int next(struct job *job, mr_batch **batch)
{
    int rc, timeouts = 0;
    int64_t began = cli_now_ns(), since = began, patience = job->o->timeout * 1000000000;
    for (;;) {
        rc = mr_next(job->loader, batch, LOOK_UP_MS);
        if (rc != MR_E_TIMEOUT || interrupted)
            break;
        if (!patience || cli_now_ns() - since < patience)
            continue;
        if (!tell_timeout(job, ++timeouts))
            return rc;
        since = cli_now_ns();
    }
    job->report.waited_ns += cli_now_ns() - began;
    if (rc == MR_E_TIMEOUT)
        return MR_END;
    return rc < 0 ? keep_error(job, rc) : rc;
}

static int take_batches(struct job *job)
{
    uint64_t wanted = job->o->batches ? (uint64_t)job->o->batches : UINT64_MAX;
    mr_batch *batch;
    int rc = MR_OK;
    while (rc >= 0 && !interrupted && job->report.batches < wanted) {
        rc = next(job, &batch);
        if (rc == MR_END)
            break;
        if (rc == MR_END_EPOCH) {
            progress_end(&job->progress);
            begin_epoch(job);
        }
        if (rc == MR_OK) {
            rc = count_batch(job, batch);
            mr_release(batch);
        }
    }
    progress_end(&job->progress);
    return rc < 0 ? rc : MR_OK;
}

/* ---- verb ----------------------------------------------------------------------------------- */

static void tell_rank(struct job *job)
{
    struct run_report *r = &job->report;
    if (mr_get_stats(job->loader, &r->stats) < 0)
        return;
    if (r->stats.ranks_from)
        snprintf(r->ranks_from, sizeof r->ranks_from, "%s", r->stats.ranks_from);
    if (job->o->quiet || job->o->json || (r->stats.world == 1 && !r->stats.ranks_from))
        return;
    fprintf(stderr, "rank %" PRId32 " of %" PRId32 " (%s)\n", r->stats.rank, r->stats.world,
            r->stats.ranks_from ? r->ranks_from : "set by hand");
}

static int open_loader(struct job *job, const char *path)
{
    const struct options *o = job->o;
    struct overrides set;
    char *state = NULL, *weights = NULL;
    if (overrides_make(&set, &o->config) || overrides_find_config(path))
        return CLI_WRONG_USE;
    if (o->resume && !(state = read_state(o->resume)))
        return CLI_WRONG_USE;
    bool learns = state && strstr(state, "\"weights\":");
    if ((learns && !(weights = weights_path(o->resume))) ||
        !overrides_add_text(&set, "bad_list", o->bad_list) ||
        !overrides_add_text(&set, "bad_list_in", o->bad_list_in)) {
        free(weights);
        free(state);
        overrides_free(&set);
        return cli_fail(CLI_FAILED, "not enough memory");
    }
    mr_options options = {.size = sizeof options,
                          .set = set.v,
                          .state = state,
                          .weights = weights,
                          .log = log_line,
                          .log_user = job};
    int rc = mr_open(&job->loader, path, &options);
    free(weights);
    free(state);
    overrides_free(&set);
    if (rc >= 0 && o->hash)
        rc = mr_stream_hash_begin(job->loader);
    if (rc >= 0) {
        tell_rank(job);
        return CLI_DONE;
    }
    keep_error(job, rc);
    mr_close(&job->loader);
    return cli_fail_library(cli_exit_code(rc), job->error);
}

static void finish_report(struct job *job, const char *path)
{
    struct run_report *r = &job->report;
    r->interrupted = interrupted;
    r->packed = r->batches > 1 && overrides_plan_is_packed(path, &job->o->config);
    mr_get_stats(job->loader, &r->stats);
    r->has_hash = job->o->hash && mr_stream_hash(job->loader, &r->hash) >= 0;
}

static int run_job(struct job *job, const char *path)
{
    int err = take_batches(job);
    int rc = err < 0 ? cli_exit_code(err) : CLI_DONE;
    finish_report(job, path);
    if (err < 0)
        cli_fail_library(rc, job->error);
    int state_rc = job->o->state && err >= 0 ? write_state(job) : CLI_DONE;
    if (job->o->bad_list && mr_save_bad_list(job->loader, NULL, 0) < 0)
        state_rc = cli_fail(CLI_FAILED, "%s", mr_error(job->loader));
    mr_close(&job->loader);
    if (job->o->json)
        run_report_json(&job->report);
    else
        run_report_text(&job->report);
    int sheet_rc = write_sheet(job);
    if (rc || state_rc || sheet_rc)
        return rc ? rc : state_rc ? state_rc : sheet_rc;
    return interrupted ? CLI_INTERRUPTED : CLI_DONE;
}

/* A run that Ctrl-C ends has a list, as it has a state; one that fails has none. */
static int close_hash_list(struct job *job, bool opened)
{
    if (!out_file_end(&job->hash_list, opened && !job->report.error))
        return CLI_DONE;
    return cli_fail(CLI_FAILED, "cannot write '%s': %s", job->o->hash_list, out_file_why(errno));
}

static int run(const void *options, int nargs, char *const *args)
{
    struct job job = {.o = options, .report.stats.size = sizeof(mr_stats)};
    (void)nargs;
    if (job.o->hash_list && out_file_begin(&job.hash_list, job.o->hash_list))
        return cli_fail(CLI_WRONG_USE, "cannot write '%s': %s", job.o->hash_list,
                        out_file_why(errno));
    int rc = open_loader(&job, args[0]);
    bool opened = !rc;
    if (opened) {
        catch_interrupts();
        rc = run_job(&job, args[0]);
    }
    if (job.hash_list.f) {
        int list_rc = close_hash_list(&job, opened);
        rc = rc ? rc : list_rc;
    }
    contact_sheet_free(job.sheet);
    return rc;
}

const struct cli_verb verb_run = {
    .name = "run",
    .args = "CONFIG",
    .help = "take a config's batches and tell how fast they come and what limits them",
    .more = "images_per_s counts the rows after the first batch over the time since it. Ctrl-C "
            "ends the\n"
            "run with its summary (exit code 130).\n"
            "JSON keys: images_per_s, batches, rows, first_batch_s (since the program's start),\n"
            "seconds, bad_samples, respawns, verdict, hash (null without --hash), and more.\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
