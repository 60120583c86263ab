/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include "millrace/version.h"

static const struct cli_flag flags[] = {CLI_FLAGS_END};

static int run(const void *options, int nargs, char *const *args)
{
    (void)options;
    (void)nargs;
    (void)args;
    puts("millrace " MR_VERSION_STRING);
    return CLI_DONE;
}

const struct cli_verb verb_version = {
    .name = "version",
    .args = "",
    .help = "print the version",
    .flags = flags,
    .run = run,
};
