/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c: the table of verbs.
 */
#include "cli.h"
#include "verbs.h"

#include "millrace/version.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define VERB_COUNT ((int)(sizeof verbs / sizeof verbs[0]))

static const struct cli_verb *const verbs[] = {
    &verb_run,   &verb_check, &verb_explain, &verb_ops,    &verb_stats,
    &verb_synth, &verb_pack,  &verb_verify,  &verb_doctor, &verb_version,
};

static void print_short_help(FILE *out)
{
    fputs("millrace: feeds a training loop with batches\n"
          "\n"
          "  millrace synth DATA                   make a small data set of coloured shapes\n"
          "  millrace run configs/quickstart.yaml  run a config and say what limits it\n"
          "\n"
          "'millrace --help' lists the verbs, 'millrace VERB --help' tells about one.\n",
          out);
}

static void print_help(FILE *out)
{
    fputs("usage: millrace VERB [ARGUMENTS] [FLAGS]\n\n", out);
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(out, "  %-9s %-14s %s\n", verbs[i]->name, verbs[i]->args, verbs[i]->help);
    fputs("\n'millrace VERB --help' tells about one verb.\n"
          "Human text goes to stderr, data to stdout. Exit codes: 0 done, 1 failed while running,\n"
          "2 wrong usage or config.\n",
          out);
}

static int print_verb_help(const struct cli_verb *verb)
{
    printf("usage: millrace %s%s%s [FLAGS]\n%s\n\n", verb->name, *verb->args ? " " : "", verb->args,
           verb->help);
    cli_flags_print(stdout, verb->flags);
    if (verb->more)
        printf("\n%s", verb->more);
    return CLI_DONE;
}

static const struct cli_verb *find_verb(const char *name)
{
    const char *names[VERB_COUNT];
    for (int i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i]->name;
        if (!strcmp(names[i], name))
            return verbs[i];
    }
    const char *meant = cli_nearest(name, names, VERB_COUNT);
    if (meant)
        cli_fail(CLI_WRONG_USE, "there is no verb '%s'; did you mean '%s'?", name, meant);
    else
        cli_fail(CLI_WRONG_USE, "there is no verb '%s'; 'millrace --help' lists them", name);
    return NULL;
}

static int run_verb(const struct cli_verb *verb, int argc, char **argv)
{
    void *options = calloc(1, verb->options_size ? verb->options_size : 1);
    int nargs;
    if (!options)
        return cli_fail(CLI_FAILED, "not enough memory");
    if (verb->defaults)
        memcpy(options, verb->defaults, verb->options_size);
    int rc = cli_flags_read(verb, options, argc, argv, &nargs);
    if (rc < 0)
        rc = print_verb_help(verb);
    else if (!rc)
        rc = verb->run(options, nargs, argv + 1);
    free(options);
    return rc;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_short_help(stderr);
        return CLI_WRONG_USE;
    }
    bool help = !strcmp(argv[1], "help");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || (help && argc == 2)) {
        print_help(stdout);
        return CLI_DONE;
    }
    const struct cli_verb *verb =
        !strcmp(argv[1], "--version") ? &verb_version : find_verb(argv[help ? 2 : 1]);
    if (!verb)
        return CLI_WRONG_USE;
    return help ? print_verb_help(verb) : run_verb(verb, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    cli_started_ns = cli_now_ns();
    signal(SIGXFSZ, SIG_IGN); /* a file over RLIMIT_FSIZE is an error with a sentence */
    int rc = dispatch(argc, argv);
    if ((fflush(stdout) || ferror(stdout)) && !rc)
        rc = cli_fail(CLI_FAILED, "standard output could not be written");
    return rc;
}
