/* SPDX-License-Identifier: Apache-2.0 */
#include "run_report.h"

#include "cli.h"
#include "json.h"
#include "run_verdict.h"

#include <inttypes.h>
#include <unistd.h>

#define VERDICT_MAX 480

static double since_first(const struct run_report *r)
{
    return (double)(r->last_ns - r->first_ns) * 1e-9;
}

double run_report_rate(const struct run_report *r)
{
    double seconds = since_first(r);
    return r->batches > 1 && seconds > 0 ? (double)(r->rows - r->first_rows) / seconds : 0;
}

static double read_rate(const struct run_report *r)
{
    double seconds = since_first(r);
    uint64_t bytes = r->stats.bytes_read - r->bytes_at_first;
    return r->batches > 1 && seconds > 0 ? (double)bytes * 1e-6 / seconds : 0;
}

static double first_batch(const struct run_report *r)
{
    return r->first_ns ? (double)(r->first_ns - cli_started_ns) * 1e-9 : 0;
}

static double whole(const struct run_report *r)
{
    return (double)((r->last_ns ? r->last_ns : cli_now_ns()) - cli_started_ns) * 1e-9;
}

static void verdict(const struct run_report *r, char text[VERDICT_MAX])
{
    verdict_write(&(struct verdict_input){.stats = &r->stats,
                                          .seconds = since_first(r),
                                          .waited = (double)r->waited_ns * 1e-9,
                                          .batches = r->batches,
                                          .mb_per_s = read_rate(r),
                                          .cores = (int)sysconf(_SC_NPROCESSORS_ONLN),
                                          .packed = r->packed},
                  text, VERDICT_MAX);
}

void run_report_json(const struct run_report *r)
{
    struct json j;
    char text[VERDICT_MAX], hash[17];
    verdict(r, text);
    snprintf(hash, sizeof hash, "%016" PRIx64, r->hash);
    json_begin(&j, stdout);
    json_real(&j, "images_per_s", run_report_rate(r));
    json_count(&j, "batches", r->batches);
    json_count(&j, "rows", r->rows);
    json_real(&j, "first_batch_s", first_batch(r));
    json_real(&j, "seconds", whole(r));
    json_count(&j, "bad_samples", r->stats.bad_samples);
    json_count(&j, "respawns", r->stats.respawns);
    json_text(&j, "verdict", text);
    json_text(&j, "hash", r->has_hash ? hash : NULL);
    json_real(&j, "mb_per_s", read_rate(r));
    json_real(&j, "waited_s", (double)r->waited_ns * 1e-9);
    json_real(&j, "read_s", (double)r->stats.read_ns * 1e-9);
    json_real(&j, "decode_s", (double)r->stats.decode_ns * 1e-9);
    json_real(&j, "augment_s", (double)r->stats.augment_ns * 1e-9);
    json_real(&j, "idle_s", (double)r->stats.idle_ns * 1e-9);
    json_count(&j, "reads", r->stats.reads);
    json_count(&j, "reads_waited", r->stats.reads_waited);
    json_real(&j, "read_wait_s", (double)r->stats.read_wait_ns * 1e-9);
    json_count(&j, "read_aheads", r->stats.read_aheads);
    json_count(&j, "samples", r->stats.samples);
    json_count(&j, "producers", (uint64_t)r->stats.producers);
    json_count(&j, "slots", (uint64_t)r->stats.slots);
    json_count(&j, "arena_bytes", r->stats.arena_bytes);
    json_count(&j, "rank", (uint64_t)r->stats.rank);
    json_count(&j, "world", (uint64_t)r->stats.world);
    json_text(&j, "ranks_from", *r->ranks_from ? r->ranks_from : NULL);
    json_bool(&j, "interrupted", r->interrupted);
    json_text(&j, "error", r->error);
    json_end(&j);
}

void run_report_text(const struct run_report *r)
{
    char text[VERDICT_MAX];
    verdict(r, text);
    if (r->interrupted)
        fputs("interrupted\n", stderr);
    fprintf(stderr, "%" PRIu64 " images in %" PRIu64 " batches", r->rows, r->batches);
    if (r->first_ns)
        fprintf(stderr, ", first batch after %.3f s, %.3f s in all", first_batch(r), whole(r));
    fputc('\n', stderr);
    if (r->batches > 1)
        fprintf(stderr, "%.0f images/s, %.1f MB/s read\n", run_report_rate(r), read_rate(r));
    if (r->stats.bad_samples || r->stats.respawns)
        fprintf(stderr, "%" PRIu64 " bad samples, %" PRIu64 " processes replaced\n",
                r->stats.bad_samples, r->stats.respawns);
    fprintf(stderr, "verdict: %s\n", text);
    if (r->has_hash)
        printf("%016" PRIx64 "\n", r->hash);
}
