/* SPDX-License-Identifier: Apache-2.0
 *
 * overrides.h: the flags that change a config without editing it, for every verb that reads one.
 */
#ifndef MR_CLI_OVERRIDES_H
#define MR_CLI_OVERRIDES_H

#include "cli.h"

#define OVERRIDE_NUMBERS 5

struct override_options {
    struct cli_list set;
    int64_t numbers[OVERRIDE_NUMBERS]; /* -1: not given */
};
#define OVERRIDES_NONE                    \
    {                                     \
        .numbers = { -1, -1, -1, -1, -1 } \
    }

/* Rows of a flag table; `base`: where the override_options lie in the verb's options. */
#define OVERRIDE_NUMBER(base, i) \
    ((base) + offsetof(struct override_options, numbers) + (i) * sizeof(int64_t))
#define OVERRIDE_FLAGS(base)                                                                      \
    {"epochs",                                                                                    \
     CLI_INT,                                                                                     \
     OVERRIDE_NUMBER(base, 0),                                                                    \
     "N",                                                                                         \
     0,                                                                                           \
     INT64_MAX,                                                                                   \
     NULL,                                                                                        \
     "passes over the data set; 0: without end"},                                                 \
        {"producers",                                                                             \
         CLI_INT,                                                                                 \
         OVERRIDE_NUMBER(base, 1),                                                                \
         "N",                                                                                     \
         1,                                                                                       \
         1024,                                                                                    \
         NULL,                                                                                    \
         "producer processes, of one thread each"},                                               \
        {"seed",    CLI_INT, OVERRIDE_NUMBER(base, 2),          "N", 0,                           \
         INT64_MAX, NULL,    "what all randomness follows from"},                                 \
        {"rank", CLI_INT, OVERRIDE_NUMBER(base, 3),        "R", 0,                                \
         65535,  NULL,    "take the batches of rank R ..."},                                      \
        {"world", CLI_INT, OVERRIDE_NUMBER(base, 4), "W", 1, 65536, NULL, "... of W ranks"},      \
    {                                                                                             \
        "set", CLI_LIST, (base) + offsetof(struct override_options, set), "KEY.PATH=VALUE", 0, 0, \
            NULL, "override the config; may be given again"                                       \
    }

#define OVERRIDE_TEXTS 16
struct overrides {
    /* NULL-terminated, for mr_options.set */
    const char *v[CLI_LIST_MAX + OVERRIDE_NUMBERS + OVERRIDE_TEXTS + 1];
    char numbers[OVERRIDE_NUMBERS][40];
    int n;
    char *texts[OVERRIDE_TEXTS];
    int ntexts;
};

/* Fills *set; it points into itself and into `o`. --set first, so that the plain flags win. 0, or
 * CLI_WRONG_USE with a sentence printed. */
int overrides_make(struct overrides *set, const struct override_options *o);

/* Adds "KEY=VALUE" behind the others; `value` is YAML as it stands. */
void overrides_add(struct overrides *set, const char *assignment);
/* Adds a text (a path) that may look like anything: it is quoted. value NULL: nothing is added.
 * False: memory is out. */
bool overrides_add_text(struct overrides *set, const char *key, const char *value);
/* Names the data set SRC as the only source: a folder, a folder of shards or one of them, a
 * manifest (.csv, .tsv), arrays (.npy, .npz). False: SRC is a config. *memory becomes false when
 * memory is out. */
bool overrides_set_source(struct overrides *set, const char *src, bool *memory);
/* CLI_DONE, or CLI_WRONG_USE with a sentence when there is no SRC, or it is none of these. */
int overrides_check_source(const char *src);
/* Whether SRC is a file of arrays. */
bool overrides_is_array(const char *src);
/* Whether SRC is packed data: a folder of shards or one of them. */
bool overrides_is_shards(const char *src);
/* Whether a config's source is packed shards, near or far; false where nobody can tell. */
bool overrides_plan_is_packed(const char *config, const struct override_options *o);
void overrides_free(struct overrides *set); /* safe on a zero struct */

/* CLI_DONE, or CLI_WRONG_USE with a sentence when there is no config file to read at `path`. */
int overrides_find_config(const char *path);

#endif
