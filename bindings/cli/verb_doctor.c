/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include "millrace/millrace.h"

#include <string.h>

struct options {
    bool json;
};

static const struct cli_flag flags[] = {
    {"json", CLI_BOOL, offsetof(struct options, json), NULL, 0, 0, NULL,
     "print the answers as one JSON object"},
    CLI_FLAGS_END,
};

static int run(const void *options, int nargs, char *const *args)
{
    const struct options *o = options;
    char *text = NULL;
    (void)nargs;
    (void)args;
    int rc = mr_doctor(o->json ? "json" : "text", &text);
    if (text)
        fputs(text, stdout);
    if (text && *text && text[strlen(text) - 1] != '\n')
        putchar('\n');
    mr_free(text);
    return rc < 0 ? cli_fail_library(cli_exit_code(rc), mr_error(NULL)) : CLI_DONE;
}

const struct cli_verb verb_doctor = {
    .name = "doctor",
    .args = "",
    .help = "say what this machine offers, by trying it",
    .more = "ok: works. less: works with less (a layer of the sandbox is missing, little memory).\n"
            "BAD: nothing can run here. Exit code 0, or 1 with a BAD line.\n",
    .flags = flags,
    .options_size = sizeof(struct options),
    .run = run,
};
