/* SPDX-License-Identifier: Apache-2.0
 *
 * plan_opening.c: whole loaders over a synthetic data set: from mr_open to the first batch, at the
 * beginning and far into the run.
 */
#include "plan_bench.h"

#include "millrace/millrace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, mr_error(NULL));
    return -1;
}

/* Opens, takes one batch; *state gets where a loader stands that has taken none (malloc'ed). */
static int open_once(const char *config, const char *from, char state[1024], double *open_s,
                     double *first_s)
{
    mr_loader *l;
    mr_batch *b;
    mr_options options = {.size = sizeof options, .config_text = config, .state = from};
    size_t bytes;
    double start = plan_now();
    if (mr_open(&l, "bench", &options) < 0)
        return fail("mr_open");
    *open_s = plan_now() - start;
    int rc = mr_save_state(l, state, 1024, &bytes);
    if (rc >= 0)
        rc = mr_next(l, &b, 60000);
    *first_s = plan_now() - start;
    if (rc >= 0)
        rc = mr_release(b);
    if (rc < 0)
        fail("mr_next");
    mr_close(&l);
    return rc;
}

/* {"millrace_state":2,"epoch":0,"batch":0, ... with other numbers. */
static int move_state(char state[1024], unsigned long long epoch, unsigned long long batch)
{
    char moved[1100];
    const char *at = strstr(state, "\"epoch\":"), *rest = strstr(state, ",\"seed\"");
    if (!at || !rest)
        return -1;
    int n = snprintf(moved, sizeof moved, "%.*s\"epoch\":%llu,\"batch\":%llu%s", (int)(at - state),
                     state, epoch, batch, rest);
    if (n < 0 || n >= 1024)
        return -1;
    memcpy(state, moved, (size_t)n + 1);
    return 0;
}

int plan_opening(const struct plan_options *o)
{
    static const struct {
        const char *name, *params; /* %d: an eighth of a batch */
    } samplers[] = {{"sequential", ""},
                    {"shuffle", ""},
                    {"weighted", ", balance: label"},
                    {"pk", ", p: 8, k: %d"}};
    printf("%llu samples\n%-12s %10s %16s %26s\n", (unsigned long long)o->samples, "sampler",
           "open ms", "first batch ms", "first batch, epoch 1000 ms");
    for (size_t i = 0; i < sizeof samplers / sizeof samplers[0]; i++) {
        char config[512], params[64], state[1024];
        double open_s, first_s, again_s, far_s;
        snprintf(params, sizeof params, samplers[i].params, o->batch / 8);
        snprintf(config, sizeof config,
                 "version: 1\nseed: 42\nepochs: 0\nbatch: {size: %d}\nproducers: 1\n"
                 "source: {type: synthetic, samples: %llu, size: 8}\nsampler: {type: %s%s}\n"
                 "ops: [{resize: {size: [8, 8]}}]\nfields: {image: {dtype: uint8}}\n",
                 o->batch, (unsigned long long)o->samples, samplers[i].name, params);
        if (open_once(config, NULL, state, &open_s, &first_s) < 0)
            return 1;
        uint64_t batches = o->samples / (uint64_t)o->batch;
        if (move_state(state, 1000, batches / 2) < 0) {
            fprintf(stderr, "this is no state: %s\n", state);
            return 1;
        }
        char here[1024];
        if (open_once(config, state, here, &again_s, &far_s) < 0)
            return 1;
        printf("%-12s %10.1f %16.1f %26.1f\n", samplers[i].name, open_s * 1e3, first_s * 1e3,
               far_s * 1e3);
    }
    return 0;
}
