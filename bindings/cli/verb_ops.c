/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include "millrace/millrace.h"

#include <string.h>

static const char *const kinds[] = {"all", "op", "source", "codec", "sampler", "config", NULL};
static const char *const formats[] = {"text", "json", "schema", "markdown", NULL};

struct options {
    int kind, format;
};

#define AT(field) offsetof(struct options, field)
static const struct cli_flag flags[] = {
    {"kind", CLI_CHOICE, AT(kind), "all|op|source|codec|sampler|config", 0, 0, kinds,
     "which tables (default all)"},
    {"format", CLI_CHOICE, AT(format), "text|json|schema|markdown", 0, 0, formats,
     "schema: a JSON Schema of configs, for editors (default text)"},
    CLI_FLAGS_END,
};

static int run(const void *options, int nargs, char *const *args)
{
    const struct options *o = options;
    const char *kind = o->kind ? kinds[o->kind] : NULL;
    char *text;
    int rc = mr_describe(kind, nargs ? args[0] : NULL, formats[o->format], &text);
    if (rc < 0)
        return cli_fail_library(cli_exit_code(rc), mr_error(NULL));
    fputs(text, stdout);
    if (*text && text[strlen(text) - 1] != '\n')
        putchar('\n');
    mr_free(text);
    return CLI_DONE;
}

const struct cli_verb verb_ops = {
    .name = "ops",
    .args = "[NAME]",
    .help = "print the tables of ops, sources, codecs, samplers and config keys",
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .run = run,
};
