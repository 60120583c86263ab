/* SPDX-License-Identifier: Apache-2.0 */
#include "analyze.h"

#include <string.h>

bool analysis_is(const mr_stage_cost *stage, const char *what)
{
    return !strcmp(stage->what, what);
}

static double sum_ns(const struct analysis *a, bool waits)
{
    double sum = 0;
    for (int i = 0; i < a->profile.nstages; i++) {
        if (waits || !analysis_is(&a->profile.stage[i], "wait"))
            sum += (double)a->profile.stage[i].ns;
    }
    return sum;
}

double analysis_work_ns(const struct analysis *a)
{
    return sum_ns(a, false);
}

double analysis_share(const struct analysis *a, const mr_stage_cost *stage)
{
    double all = sum_ns(a, analysis_is(stage, "wait"));
    return all > 0 ? (double)stage->ns / all : 0;
}

double analysis_per_row(const struct analysis *a, double sum)
{
    return a->profile.rows ? sum / (double)a->profile.rows : 0;
}

double analysis_ratio(uint64_t a, uint64_t b)
{
    return b ? (double)a / (double)b : 0;
}

uint64_t analysis_scaled(const uint64_t scale[4])
{
    return scale[1] + scale[2] + scale[3];
}
