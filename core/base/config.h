/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h: a config file after reading: every value typed, bounded and defaulted by the tables,
 * nothing opened yet. The struct is what the tables in config_tables.c write into.
 */
#ifndef MR_BASE_CONFIG_H
#define MR_BASE_CONFIG_H

#include "base/descriptor.h"
#include "base/text.h"

#define MR_MAX_OPS 64
#define MR_MAX_FIELDS 32

enum mr_last { MR_LAST_SHORT, MR_LAST_DROP, MR_LAST_PAD, MR_LAST_WRAP };
enum mr_context { MR_CONTEXT_SPAWN, MR_CONTEXT_FORK };
enum mr_on_error { MR_ON_ERROR_FAIL, MR_ON_ERROR_REPLACE, MR_ON_ERROR_SKIP };
enum mr_decode_mode { MR_DECODE_EXACT, MR_DECODE_FAST };
enum mr_layout { MR_LAYOUT_NCHW, MR_LAYOUT_NHWC };
enum mr_unit { MR_UNIT_ROW, MR_UNIT_BATCH };
enum mr_sandbox_mode { MR_SANDBOX_AUTO, MR_SANDBOX_REQUIRE, MR_SANDBOX_OFF };

/* One chosen plug-in and its checked params (params_size bytes, NULL when it has none). */
struct mr_choice {
    const void *desc; /* struct mr_op, mr_source or mr_sampler: all begin with struct mr_desc */
    void *params;
    struct mr_mark mark;
};

enum mr_given { MR_GIVEN_FIELD = 1, MR_GIVEN_LAYOUT = 2, MR_GIVEN_SHAPE = 4 };

struct mr_field_config {
    const char *name;
    unsigned given;         /* enum mr_given: what stands in the config, not defaulted */
    int dtype;              /* enum mr_dtype */
    int layout;             /* enum mr_layout; images and masks only */
    int64_t channels;       /* image: 1, 3 or 4; mask: 1; others: 0 */
    int64_t bits;           /* image: 8 or 16 bits kept while decoding; mask: 8; others: 0 */
    int64_t max;            /* ragged fields: entries that have a place; 0: not ragged */
    struct mr_floats shape; /* columns and user producers: whole numbers; n = 0: a scalar */
    struct mr_mark mark;
};

struct mr_user_code {    /* commander: / producer: */
    const char *plugin;  /* absolute path of a .so, NULL: none */
    const char *script;  /* commander: absolute path of a Lua script, NULL: none */
    int64_t max_instructions, max_memory_bytes; /* of a script: per message, and in all */
    struct mr_strs exec; /* program and arguments of an exec'ed producer, n = 0: none. The program
                            is an absolute path, or a name without '/' that $PATH finds */
    int unit;            /* enum mr_unit */
    mr_message *params;  /* the `params` mapping as a message, NULL: none given */
    uint64_t params_bytes;
    bool given; /* the section is in the config */
    struct mr_mark mark;
};

enum mr_mix_by { MR_MIX_SHARE, MR_MIX_REPEAT, MR_MIX_ALL };
enum mr_mix_unit { MR_MIX_ROW, MR_MIX_BATCH };

struct mr_part_config {               /* one data set of a mixture */
    const char *name;                 /* its number in the list when it was given none */
    double share;                     /* by share: of all rows, 0 < share <= 1 */
    double repeat;                    /* by repeat: times per epoch, > 0 */
    int64_t from_epoch;               /* the first epoch that has it */
    int64_t until_epoch;              /* the first that has it no more; 0: it stays */
    struct mr_choice source, sampler; /* sampler: desc NULL with MR_MIX_ALL */
    struct mr_mark mark;
};

struct mr_mixture_config {
    int by, unit;                 /* enums above */
    int64_t length;               /* rows of an epoch by share; 0: auto */
    struct mr_part_config *parts; /* [nparts]; nparts = 0: there is no mixture */
    int nparts;
    struct mr_mark mark;
};

struct mr_config {
    int64_t version;
    int64_t seed;          /* >= 0 */
    int64_t epochs;        /* 0: endless */
    int64_t epoch_batches; /* 0: an epoch is a pass over the data set */
    struct {
        int64_t size;
        int last;       /* enum mr_last */
        bool drop_last; /* as written; what counts is `last` */
    } batch;
    int64_t slots; /* 0: auto */
    int64_t spares;
    struct {
        int64_t count; /* 0: auto */
        int64_t threads;
    } producers;
    int context, on_error, decode, sandbox; /* enums above; decode: its mode */
    bool deterministic;
    int64_t message_bytes;
    int64_t rank, world;       /* as given, else as the launcher says (rank_env.h) */
    const char *ranks_from;    /* "RANK and WORLD_SIZE of torchrun"; NULL: no launcher was asked */
    const char *ranks_warning; /* what contradicts it, NULL: nothing */
    double sample_timeout;     /* seconds */
    double sample_cpu_timeout; /* seconds of processor time */
    struct mr_share max_bad;   /* bad samples that an epoch may have */
    int64_t read_ahead;        /* rows; 0: auto, -1: off */
    const char *bad_list;      /* absolute: the list of bad samples to write; NULL: none */
    const char *bad_list_in;   /* absolute: one to obey; NULL: none */
    const char *index_cache;   /* absolute: a file to keep the index in, or a folder; NULL: none */
    struct mr_limits limits;
    struct mr_choice source, sampler; /* desc NULL: user code is there instead. Of a mixture: its
                                         own, with the mixture as params */
    struct mr_mixture_config mixture;
    struct mr_choice ops[MR_MAX_OPS];
    int nops;
    struct mr_field_config fields[MR_MAX_FIELDS]; /* in the config's order */
    int nfields;                                  /* at least 1 */
    struct mr_user_code commander, producer;

    const char *path;    /* as given, for messages */
    struct mr_mark mark; /* the first key: the place of what is missing */
    const char *folder;  /* absolute: where relative paths of the file start; those of a --set start
                            in the working directory */
    const char *const *set_keys; /* the keys of the --set texts, for messages */
    uint64_t stream_hash; /* XXH3 over every value that shapes the stream, and a stream version */
    const char *text;     /* what was read */
    bool from_file;       /* relative paths start at the folder of `path`, else where we stand */
    struct mr_pool *pool; /* all memory of this config, this struct included */
};

/* The plug-ins a config can name; each array is NULL-terminated and sorted by name. */
struct mr_tables {
    const struct mr_op *const *ops;
    const struct mr_source *const *sources;
    const struct mr_codec *const *codecs;
    const struct mr_sampler *const *samplers;
};
extern const struct mr_tables mr__tables; /* the registries */

/* What a mixture is to everybody else: a source and a sampler over its parts (loaders/mixture).
 * Their params are a struct mr_mixture_config. In no registry: the section `mixture` names them. */
extern const struct mr_source mr__source_mixture;
extern const struct mr_sampler mr__sampler_mixture;

/* Reads and checks. `text` NULL: the file `path`. `set`: NULL-terminated "key.path=value" overrides
 * or NULL. On success *config is the caller's, to be given to mr__config_free(); on failure it is
 * NULL. Errors: MR_E_CONFIG with "file:line:col: error: ..." (or "--set key: error: ..."), MR_E_IO,
 * MR_E_MEMORY. With `context: fork` a source or a producer may be missing: see
 * mr__config_callbacks(). */
int mr__config_read(struct mr_config **config, const char *path, const char *text,
                    const char *const *set, struct mr_errbuf *e);
/* As mr__config_read, from a config's path, text and from_file: in another process. */
int mr__config_read_again(struct mr_config **config, const char *path, const char *text,
                          bool from_file, const char *const *set, struct mr_errbuf *e);
/* As mr__config_read, with these plug-ins. */
int mr__config_read_with(const struct mr_tables *tables, struct mr_config **config,
                         const char *path, const char *text, const char *const *set,
                         struct mr_errbuf *e);
/* Safe on NULL. */
void mr__config_free(struct mr_config *config);

/* Holds the config against the callbacks of mr_options: they need `context: fork`, must not stand
 * beside the sections they replace, and without them those sections must be there. MR_E_CONFIG,
 * MR_E_USAGE. */
int mr__config_callbacks(const struct mr_config *config, bool commander, bool producer,
                         struct mr_errbuf *e);

/* Appends all that shapes the index but the data themselves; the config has a source. */
void mr__config_index_text(struct mr_text *t, const struct mr_config *config);

/* True when a user's code makes the rows: fields are then what the config says. */
bool mr__config_user_rows(const struct mr_config *config);

/* True when the sampler picks windows: the field "window" then is where a row was cut out. */
bool mr__config_windows(const struct mr_config *config);

/* A config error at a place: "path:line:col: error: sentence". Returns MR_E_CONFIG. */
int mr__config_error(const struct mr_config *config, struct mr_mark mark, struct mr_errbuf *e,
                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* mr_describe() without the allocation conventions: text as in millrace.h, malloc'ed. */
int mr__describe(const char *kind, const char *name, const char *format, char **text,
                 struct mr_errbuf *e);
int mr__describe_with(const struct mr_tables *tables, const char *kind, const char *name,
                      const char *format, char **text, struct mr_errbuf *e);

#endif
