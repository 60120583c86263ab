/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.h: what every verb of the command line shares: exit codes, the verb's descriptor, the flag
 * table and the sentences on stderr. Human text goes to stderr, data to stdout.
 */
#ifndef MR_CLI_H
#define MR_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_WRONG_USE = 2, CLI_INTERRUPTED = 130 };

/* ---- flags ---------------------------------------------------------------------------------- */

enum cli_flag_type {             /* what lies at `off` in the verb's options */
                     CLI_BOOL,   /* bool, becomes true */
                     CLI_INT,    /* int64_t, min to max */
                     CLI_CHOICE, /* int: index in `names` */
                     CLI_SIZE,   /* struct cli_size: WxH, both min to max */
                     CLI_TEXT,   /* const char *, points into argv */
                     CLI_LIST    /* struct cli_list: one text for each time the flag is given */
};

#define CLI_LIST_MAX 255
struct cli_list {
    int n;
    const char *v[CLI_LIST_MAX + 1]; /* NULL behind the last */
};
struct cli_size {
    int64_t w, h;
};

struct cli_flag {
    const char *name; /* without the dashes */
    enum cli_flag_type type;
    size_t off;
    const char *arg;          /* how the help names the value; NULL for CLI_BOOL */
    int64_t min, max;         /* CLI_INT, CLI_SIZE: inclusive */
    const char *const *names; /* CLI_CHOICE: NULL-terminated */
    const char *help;
};
#define CLI_FLAGS_END \
    {                 \
        .name = NULL  \
    }

/* ---- verbs ---------------------------------------------------------------------------------- */

struct cli_verb {
    const char *name;
    const char *args; /* how the usage line shows the arguments: "DIR" */
    const char *help; /* one line, lower case, no full stop */
    const char *more; /* further lines of `VERB --help`, ends with a newline; NULL: none */
    int min_args, max_args;
    const struct cli_flag *flags; /* ends with CLI_FLAGS_END */
    size_t options_size;
    const void *defaults; /* options_size bytes to begin with; NULL: zeros */
    /* Does the verb's work. `options` as parsed, `args` the nargs positional arguments. Returns the
     * process's exit code; says what went wrong itself. */
    int (*run)(const void *options, int nargs, char *const *args);
};

/* Reads a verb's command line (argv[0] is the verb) into `options`, which holds the defaults, and
 * moves the positional arguments to the front of argv + 1, counted in *nargs. Flags must be spelled
 * out in full. CLI_DONE, CLI_WRONG_USE (a sentence was printed), or -1: `--help` was asked for. */
int cli_flags_read(const struct cli_verb *verb, void *options, int argc, char **argv, int *nargs);
/* One line per flag, as `VERB --help` shows them. */
void cli_flags_print(FILE *out, const struct cli_flag *flags);

/* The candidate that `word` was most likely meant to be, by edit distance; NULL: none is near. */
const char *cli_nearest(const char *word, const char *const *candidates, int n);

/* ---- talk ----------------------------------------------------------------------------------- */

/* Prints "millrace: SENTENCE" on stderr, returns `code`. */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As cli_fail, for a sentence of the library that is printed as it is when it starts with a place
 * in a config (file:line:col), so that editors can follow it. */
int cli_fail_library(int code, const char *sentence);
/* The exit code for a negative mr_err: 2 for wrong usage or config, else 1. */
int cli_exit_code(int err);

/* Nanoseconds of the monotonic clock. */
int64_t cli_now_ns(void);
/* cli_now_ns() at the first line of main(). */
extern int64_t cli_started_ns;

#endif
