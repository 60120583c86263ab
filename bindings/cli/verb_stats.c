/* SPDX-License-Identifier: Apache-2.0 */
#include "overrides.h"
#include "verbs.h"

#include "millrace/millrace.h"

struct options {
    struct override_options config;
    int64_t batches, epoch;
    bool shuffle, json;
};

#define AT(field) offsetof(struct options, field)
static const struct options defaults = {.config = OVERRIDES_NONE, .batches = 1000};
static const struct cli_flag flags[] = {
    {"shuffle", CLI_BOOL, AT(shuffle), NULL, 0, 0, NULL, "how well an epoch's batches are mixed"},
    {"batches", CLI_INT, AT(batches), "N", 0, INT64_MAX, NULL,
     "of the epoch, from its first; default 1000; 0: all"},
    {"epoch", CLI_INT, AT(epoch), "N", 0, INT64_MAX, NULL, "which one, from 0; default 0"},
    {"seed", CLI_INT, AT(config) + OVERRIDE_NUMBER(0, 2), "N", 0, INT64_MAX, NULL,
     "what all randomness follows from"},
    {"set", CLI_LIST, AT(config) + offsetof(struct override_options, set), "KEY.PATH=VALUE", 0, 0,
     NULL, "override the config; may be given again"},
    {"json", CLI_BOOL, AT(json), NULL, 0, 0, NULL, "print the figures as one JSON object"},
    CLI_FLAGS_END,
};

static int run(const void *options, int nargs, char *const *args)
{
    const struct options *o = options;
    struct overrides set;
    char *text;
    (void)nargs;
    if (!o->shuffle)
        return cli_fail(CLI_WRONG_USE, "'stats' needs to be told what of: '--shuffle'; see "
                                       "'millrace stats --help'");
    if (overrides_make(&set, &o->config) || overrides_find_config(args[0]))
        return CLI_WRONG_USE;
    int rc = mr_shuffle_stats(args[0], &(mr_options){.size = sizeof(mr_options), .set = set.v},
                              (uint64_t)o->epoch, (uint64_t)o->batches, o->json ? "json" : "text",
                              &text);
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
    fputs(text, stdout);
    if (o->json)
        putchar('\n');
    mr_free(text);
    return CLI_DONE;
}

const struct cli_verb verb_stats = {
    .name = "stats",
    .args = "CONFIG",
    .help = "figures about what a config would deliver: how well it is shuffled",
    .more = "Plans batches and decodes nothing. Entropy is of the labels in a batch, in bits; "
            "ideal: what\nuniform draws from the whole data set have in the mean.\n"
            "JSON keys: sampler, epoch, batches, batch_size, rows, epoch_rows, samples, classes,\n"
            "dataset_entropy, entropy_mean, entropy_min, entropy_max, entropy_ideal, distance,\n"
            "distance_ideal, correlation, entropies [one per batch].\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
