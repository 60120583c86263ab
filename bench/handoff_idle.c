/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <millrace/millrace.h>

#include "process_cpu.h"

enum { PATIENCE_MS = 60000, MOST_SLOTS = 4096 };

/* Leases batches until the loader says that every slot is leased. Returns how many, or -1. */
static int lease_all(mr_loader *loader, mr_batch **held)
{
    int n = 0, rc = MR_OK;

    while (n < MOST_SLOTS) {
        rc = mr_next(loader, &held[n], PATIENCE_MS);
        if (rc == MR_OK)
            n++;
        else if (rc != MR_END_EPOCH)
            break;
    }
    if (rc == MR_E_LEASED)
        return n;
    fprintf(stderr, "%s\n", rc < 0 ? mr_error(loader) : "the run ended before every slot was held");
    return -1;
}

static void rest(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};

    nanosleep(&t, NULL);
}

static void watch(double seconds, int slots)
{
    int processes;
    double cpu, start;

    rest(0.5); /* whatever the last lease set going comes to rest */
    start = handoff_now();
    cpu = process_cpu_seconds(&processes);
    rest(seconds);
    cpu = process_cpu_seconds(NULL) - cpu;
    seconds = handoff_now() - start;
    printf("{\"slots_held\": %d, \"processes\": %d, \"seconds\": %.3f, \"cpu_ms\": %.3f, "
           "\"percent_of_a_core\": %.4f}\n",
           slots, processes, seconds, 1e3 * cpu, 100 * cpu / seconds);
}

int handoff_idle(const char *config, const char *const *set, double seconds)
{
    mr_options options = {.size = sizeof options, .set = set};
    mr_batch **held = calloc(MOST_SLOTS, sizeof *held);
    mr_loader *loader = NULL;
    int n = -1;

    if (held && mr_open(&loader, config, &options) < 0)
        fprintf(stderr, "%s\n", mr_error(NULL));
    if (loader)
        n = lease_all(loader, held);
    if (n >= 0)
        watch(seconds, n);
    for (int i = 0; i < n; i++)
        mr_release(held[i]);
    mr_close(&loader);
    free(held);
    return n >= 0 ? 0 : 1;
}
