/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_handoff: what it costs the trainer to take a finished batch, and what processes that wait
 * cost everybody.
 */
#include "handoff.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_SETTINGS = 32, MOST_ROWS = 65536 };

struct options {
    int rows, rounds, pause;
    double seconds;
    const char *config;
    const char *set[MOST_SETTINGS + 1];
    int settings;
};

double handoff_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int usage(void)
{
    fputs("usage: bench_handoff ready [--batch N] [--rounds N] [--pause MICROSECONDS]\n"
          "       bench_handoff idle --config FILE [--set key.path=value]... [--seconds S]\n"
          "  ready  times mr_next + mr_release of a batch that is ready\n"
          "  idle   leases every slot and sums the CPU time of all processes for S seconds (5)\n",
          stderr);
    return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"batch", required_argument, NULL, 'b'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"pause", required_argument, NULL, 'p'},
                                          {"config", required_argument, NULL, 'c'},
                                          {"set", required_argument, NULL, 's'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {0}};
    int letter;

    *options = (struct options){.rows = 64, .rounds = 5000, .pause = 200, .seconds = 5};
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (letter) {
        case 'b': options->rows = atoi(optarg); break;
        case 'r': options->rounds = atoi(optarg); break;
        case 'p': options->pause = atoi(optarg); break;
        case 'c': options->config = optarg; break;
        case 't': options->seconds = atof(optarg); break;
        case 's':
            if (options->settings == MOST_SETTINGS)
                return -1;
            options->set[options->settings++] = optarg;
            break;
        default: return -1;
        }
    }
    return optind == argc && options->rows > 0 && options->rows <= MOST_ROWS &&
                   options->rounds > 0 && options->pause >= 0 && options->seconds > 0
               ? 0
               : -1;
}

int main(int argc, char **argv)
{
    struct options options;

    if (argc < 2 || parse(argc - 1, argv + 1, &options) < 0)
        return usage();
    if (strcmp(argv[1], "ready") == 0)
        return handoff_ready(options.rows, options.rounds, options.pause);
    if (strcmp(argv[1], "idle") == 0 && options.config)
        return handoff_idle(options.config, options.set, options.seconds);
    return usage();
}
