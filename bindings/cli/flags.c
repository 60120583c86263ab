/* SPDX-License-Identifier: Apache-2.0
 *
 * flags.c: a verb's flag table becomes getopt_long's, the help text and the parsed options.
 */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_MAX 32
#define WORD_MAX 64

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int edit_distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1];
    int n = (int)strlen(b);
    if (n > WORD_MAX || strlen(a) > WORD_MAX)
        return WORD_MAX;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int swap = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            row[j] = smaller(swap, 1 + smaller(row[j], row[j - 1]));
        }
    }
    return row[n];
}

const char *cli_nearest(const char *word, const char *const *candidates, int n)
{
    const char *best = NULL;
    int least = 1 + smaller(3, ((int)strlen(word) + 1) / 2);
    for (int i = 0; i < n; i++) {
        int distance = edit_distance(word, candidates[i]);
        if (distance < least) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}

static int count(const struct cli_flag *flags)
{
    int n = 0;
    while (flags[n].name)
        n++;
    return n;
}

static int unknown_flag(const struct cli_verb *verb, const char *text, size_t length)
{
    const char *names[FLAGS_MAX + 1] = {"help"};
    char word[WORD_MAX + 1];
    int n = count(verb->flags);
    for (int i = 0; i < n; i++)
        names[i + 1] = verb->flags[i].name;
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    const char *meant = cli_nearest(word, names, n + 1);
    if (meant)
        return cli_fail(CLI_WRONG_USE, "'%s' has no flag '--%s'; did you mean '--%s'?", verb->name,
                        word, meant);
    return cli_fail(CLI_WRONG_USE, "'%s' has no flag '--%s'; see 'millrace %s --help'", verb->name,
                    word, verb->name);
}

/* A whole decimal number: no sign but minus, no blanks, nothing behind it. */
static bool read_int(const char *text, char **end, int64_t *value)
{
    if (!(*text >= '0' && *text <= '9') && *text != '-')
        return false;
    errno = 0;
    long long number = strtoll(text, end, 10);
    *value = number;
    return !errno && *end != text;
}

static bool within(const struct cli_flag *flag, int64_t value)
{
    return value >= flag->min && value <= flag->max;
}

static int set_int(const struct cli_flag *flag, const char *text, void *to)
{
    char *end = NULL;
    int64_t value;
    if (!read_int(text, &end, &value) || *end || !within(flag, value))
        return cli_fail(CLI_WRONG_USE,
                        "'--%s %s' is not good: it takes a whole number from %lld to %lld",
                        flag->name, text, (long long)flag->min, (long long)flag->max);
    *(int64_t *)to = value;
    return CLI_DONE;
}

static int set_size(const struct cli_flag *flag, const char *text, void *to)
{
    char *end = NULL;
    struct cli_size size;
    if (!read_int(text, &end, &size.w) || *end != 'x' || !read_int(end + 1, &end, &size.h) ||
        *end || !within(flag, size.w) || !within(flag, size.h))
        return cli_fail(CLI_WRONG_USE,
                        "'--%s %s' is not good: it takes WIDTHxHEIGHT, each from %lld to %lld",
                        flag->name, text, (long long)flag->min, (long long)flag->max);
    *(struct cli_size *)to = size;
    return CLI_DONE;
}

static int set_choice(const struct cli_flag *flag, const char *text, void *to)
{
    for (int i = 0; flag->names[i]; i++) {
        if (!strcmp(flag->names[i], text)) {
            *(int *)to = i;
            return CLI_DONE;
        }
    }
    return cli_fail(CLI_WRONG_USE, "'--%s %s' is not good: it takes %s", flag->name, text,
                    flag->arg);
}

static int set_text(const struct cli_flag *flag, const char *text, void *to)
{
    (void)flag;
    *(const char **)to = text;
    return CLI_DONE;
}

static int set_list(const struct cli_flag *flag, const char *text, void *to)
{
    struct cli_list *list = to;
    if (list->n == CLI_LIST_MAX)
        return cli_fail(CLI_WRONG_USE, "'--%s' can be given %d times at most", flag->name,
                        CLI_LIST_MAX);
    list->v[list->n++] = text;
    return CLI_DONE;
}

static int set_bool(const struct cli_flag *flag, const char *text, void *to)
{
    (void)flag;
    (void)text;
    *(bool *)to = true;
    return CLI_DONE;
}

static int (*const setters[])(const struct cli_flag *, const char *, void *) = {
    [CLI_BOOL] = set_bool, [CLI_INT] = set_int,   [CLI_CHOICE] = set_choice,
    [CLI_SIZE] = set_size, [CLI_TEXT] = set_text, [CLI_LIST] = set_list,
};

/* getopt_long takes any unambiguous beginning of a flag, which would make each new flag a break of
 * somebody's script; so the name is held against the table before getopt_long sees it. */
static int refuse_abbreviation(const struct cli_verb *verb, const char *arg)
{
    if (strncmp(arg, "--", 2) || !arg[2])
        return CLI_DONE;
    size_t length = strcspn(arg + 2, "=");
    if (length == 4 && !strncmp(arg + 2, "help", 4))
        return CLI_DONE;
    for (const struct cli_flag *f = verb->flags; f->name; f++)
        if (strlen(f->name) == length && !strncmp(f->name, arg + 2, length))
            return CLI_DONE;
    return unknown_flag(verb, arg + 2, length);
}

static void getopt_table(const struct cli_flag *flags, struct option *table)
{
    int n = count(flags);
    for (int i = 0; i < n; i++)
        table[i] = (struct option){flags[i].name,
                                   flags[i].type == CLI_BOOL ? no_argument : required_argument,
                                   NULL, 256 + i};
    table[n] = (struct option){"help", no_argument, NULL, 'h'};
    table[n + 1] = (struct option){NULL, 0, NULL, 0};
}

static int bad_option(const struct cli_verb *verb, int what, const char *arg)
{
    if (what == ':')
        return cli_fail(CLI_WRONG_USE, "'%s' needs a value; see 'millrace %s --help'", arg,
                        verb->name);
    return cli_fail(CLI_WRONG_USE, "'%s' is not understood; see 'millrace %s --help'", arg,
                    verb->name);
}

static int check_count(const struct cli_verb *verb, int nargs)
{
    if (nargs < verb->min_args)
        return cli_fail(CLI_WRONG_USE, "'%s' needs %s; see 'millrace %s --help'", verb->name,
                        verb->args, verb->name);
    if (nargs > verb->max_args)
        return cli_fail(CLI_WRONG_USE, "'%s' takes %s, but %d arguments were given", verb->name,
                        verb->max_args ? verb->args : "no argument", nargs);
    return CLI_DONE;
}

int cli_flags_read(const struct cli_verb *verb, void *options, int argc, char **argv, int *nargs)
{
    struct option table[FLAGS_MAX + 2];
    int what, rc = CLI_DONE;
    *nargs = 0;
    getopt_table(verb->flags, table);
    opterr = 0;
    while (optind < argc && !rc) {
        const char *arg = argv[optind];
        if ((rc = refuse_abbreviation(verb, arg)))
            return rc;
        /* "-": arguments come in order, so that argv[optind] is what is read next. */
        what = getopt_long(argc, argv, "-:h", table, NULL);
        if (what == -1)
            break;
        if (what == 1)
            argv[1 + (*nargs)++] = optarg;
        else if (what == 'h')
            return -1;
        else if (what >= 256)
            rc = setters[verb->flags[what - 256].type](
                &verb->flags[what - 256], optarg, (char *)options + verb->flags[what - 256].off);
        else
            rc = bad_option(verb, what, arg);
    }
    while (optind < argc && !rc)
        argv[1 + (*nargs)++] = argv[optind++];
    return rc ? rc : check_count(verb, *nargs);
}

void cli_flags_print(FILE *out, const struct cli_flag *flags)
{
    for (const struct cli_flag *f = flags; f->name; f++) {
        char left[WORD_MAX];
        snprintf(left, sizeof left, "--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
        fprintf(out, "  %-26s %s\n", left, f->help);
    }
    fprintf(out, "  %-26s %s\n", "--help", "this text");
}
