/* SPDX-License-Identifier: Apache-2.0
 *
 * run_report.h: what `millrace run` says at the end, as JSON for programs or as text for people.
 */
#ifndef MR_CLI_RUN_REPORT_H
#define MR_CLI_RUN_REPORT_H

#include "millrace/millrace.h"

#include <stdbool.h>
#include <stdint.h>

struct run_report {
    uint64_t batches, rows;    /* delivered; rows: valid ones */
    uint64_t first_rows;       /* valid rows of the first batch */
    int64_t first_ns, last_ns; /* when the first and the last batch came, 0: never */
    int64_t waited_ns;         /* in mr_next, after the first batch */
    uint64_t bytes_at_first;   /* encoded bytes read when the first batch came */
    mr_stats stats;            /* at the end */
    char ranks_from[96];       /* stats.ranks_from, kept beyond the loader; "": nowhere */
    bool packed;               /* the source is packed shards */
    bool interrupted;
    const char *error; /* why the run ended early; NULL: it did not */
    bool has_hash;
    uint64_t hash;
};

/* Rows after the first batch over the time since it; 0 when there was no second batch. */
double run_report_rate(const struct run_report *r);
/* One object on stdout. */
void run_report_json(const struct run_report *r);
/* A few lines on stderr; the hash, which is data, on stdout. */
void run_report_text(const struct run_report *r);

#endif
