/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_planner: what it costs to decide which sample comes next.
 */
#include "plan_bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double plan_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double plan_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int usage(void)
{
    fputs("usage: bench_planner rates [--samples N] [--batch N] [--seconds S] [--stored]\n"
          "       bench_planner open [--samples N]\n"
          "  rates  rows/s of the planner with each sampler, over N samples (10000000), S seconds "
          "each (1);\n"
          "         seconds are of processor time; --stored: labels, sizes and weights of each "
          "sample's own\n"
          "  open   opens a synthetic data set of N samples, and goes on in its epoch 1000\n",
          stderr);
    return 2;
}

static int parse(int argc, char **argv, struct plan_options *o)
{
    static const struct option known[] = {{"samples", required_argument, NULL, 'n'},
                                          {"batch", required_argument, NULL, 'b'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {"stored", no_argument, NULL, 's'},
                                          {0}};
    int letter;
    *o = (struct plan_options){.samples = 10000000, .batch = 256, .seconds = 1};
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (letter == 'n')
            o->samples = strtoull(optarg, NULL, 10);
        else if (letter == 'b')
            o->batch = atoi(optarg);
        else if (letter == 's')
            o->stored = true;
        else if (letter == 't')
            o->seconds = atof(optarg);
        else
            return -1;
    }
    return optind == argc && o->samples && o->batch > 0 && o->seconds > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct plan_options o;
    if (argc < 2 || parse(argc - 1, argv + 1, &o) < 0)
        return usage();
    if (!strcmp(argv[1], "rates"))
        return plan_rates(&o);
    if (!strcmp(argv[1], "open"))
        return plan_opening(&o);
    return usage();
}
