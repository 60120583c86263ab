/* SPDX-License-Identifier: Apache-2.0
 *
 * run_verdict.h: one sentence about what keeps a run from being faster, with the figures it rests
 * on and what to try.
 */
#ifndef MR_CLI_RUN_VERDICT_H
#define MR_CLI_RUN_VERDICT_H

#include "millrace/millrace.h"

#include <stdbool.h>
#include <stddef.h>

struct verdict_input {
    const mr_stats *stats;
    double seconds;   /* from the first batch to the last */
    double waited;    /* of these, the consumer's in mr_next */
    uint64_t batches; /* in these seconds */
    double mb_per_s;  /* read in these seconds */
    int cores;
    bool packed; /* the source is packed shards */
};

/* Writes the sentence (lower case, no full stop) into text[cap]. */
void verdict_write(const struct verdict_input *in, char *text, size_t cap);

#endif
