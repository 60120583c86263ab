/* SPDX-License-Identifier: Apache-2.0 */
#include "overrides.h"
#include "verbs.h"

#include "millrace/millrace.h"

struct options {
    struct override_options config;
};

static const struct options defaults = {.config = OVERRIDES_NONE};
static const struct cli_flag flags[] = {
    OVERRIDE_FLAGS(offsetof(struct options, config)),
    CLI_FLAGS_END,
};

static int run_check(const void *options, int nargs, char *const *args)
{
    const struct options *o = options;
    struct overrides set;
    (void)nargs;
    if (overrides_make(&set, &o->config) || overrides_find_config(args[0]))
        return CLI_WRONG_USE;
    int rc = mr_check(args[0], &(mr_options){.size = sizeof(mr_options), .set = set.v});
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
    fprintf(stderr, "%s: good\n", args[0]);
    return CLI_DONE;
}

const struct cli_verb verb_check = {
    .name = "check",
    .args = "CONFIG",
    .help = "check a config, start nothing, read no image",
    .more = "Errors read file:line:column: error: sentence. Exit code 0: good, 2: not.\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run_check,
};
