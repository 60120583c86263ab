/* SPDX-License-Identifier: Apache-2.0
 *
 * analyze.h: what `millrace explain --analyze` found out, as text, as JSON, and as advice.
 */
#ifndef MR_CLI_ANALYZE_H
#define MR_CLI_ANALYZE_H

#include "millrace/millrace.h"

#include <stdbool.h>

struct analysis {
    mr_profile profile;
    const char *config;
    uint64_t batches; /* taken */
    int producers, cores;
    bool packed;    /* the source is packed shards */
    double seconds; /* from the first batch asked for to the last one taken */
};

#define ADVICE_MAX 6
#define ADVICE_TEXT 400
struct advice {
    int n;
    char text[ADVICE_MAX][ADVICE_TEXT]; /* lower case, no full stop, the most important first */
};

/* ---- analyze.c: shares and ratios; 0 where there is nothing to divide by ---- */
/* The producers' time but for waiting. */
double analysis_work_ns(const struct analysis *a);
/* Of that, a stage's (of all time for "wait"). */
double analysis_share(const struct analysis *a, const mr_stage_cost *stage);
double analysis_per_row(const struct analysis *a, double sum);
double analysis_ratio(uint64_t a, uint64_t b);
bool analysis_is(const mr_stage_cost *stage, const char *what);
/* Images that are decoded smaller, and that `decode: fast` would. */
uint64_t analysis_scaled(const uint64_t scale[4]);

/* ---- analyze_advice.c ---- */
void analysis_advise(const struct analysis *a, struct advice *advice);

/* ---- analyze_report.c: to stdout ---- */
void analysis_print(const struct analysis *a);
void analysis_json(const struct analysis *a);

#endif
