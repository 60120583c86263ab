/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/plugin.h: user code inside the loader's processes: a commander that decides what each
 * row is to hold, and a producer that makes rows. Compiles as C11 and as C++17.
 *
 * A commander writes messages (typed key-value records), a producer turns each into a row:
 *
 *     static int next(void *self, mr_message *m)          // in the commander process
 *     {
 *         struct mine *c = self;
 *         if (c->index == c->max_index) { c->index = 0; return MR_END_EPOCH; }
 *         return mr_message_set_i64(m, "index", c->index++);
 *     }
 *     static int fill(void *self, mr_rows *rows)          // in a producer process
 *     {
 *         int64_t index;
 *         mr_message_get_i64(mr_rows_message(rows, 0), "index", &index);
 *         const mr_tensor *x = mr_rows_field(rows, "image");
 *         memset(x->data, (int)index, (size_t)(x->shape[1] * x->strides[1]));
 *         return MR_OK;
 *     }
 *
 * How it gets in: `context: fork` passes the two structs in mr_options (callbacks of this program);
 * `context: spawn` names a plug-in in the config (`commander: {plugin: ./my.so}`), a shared object
 * that exports one `const mr_plugin mr_plugin_entry`; a program of its own is named by
 * `producer: {exec: ./worker}` and calls mr_worker_run().
 */
#ifndef MILLRACE_PLUGIN_H
#define MILLRACE_PLUGIN_H

#include "millrace/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MR_PLUGIN_ABI 1u

/* ---- messages ------------------------------------------------------------------------------- */

/* One row's orders: a header (below) and typed key-values. It lives in shared memory that the
 * commander writes and producers map read-only, so a producer reads it in place. Its whole size is
 * capped by the config's `message_bytes` (default 256). */
typedef struct mr_message mr_message;

typedef enum mr_type {
    MR_T_I64 = 1,
    MR_T_F64 = 2,
    MR_T_STR = 3,
    MR_T_BYTES = 4,
    MR_T_LIST = 5
} mr_type;

/* Sets a key (1 to 255 bytes, without NUL). Keys are kept in the order they were set; setting one
 * twice is MR_E_USAGE. All return MR_OK, MR_E_USAGE, or MR_E_LIMIT when `message_bytes` is too
 * small (the message is unchanged). Arrays are copied. Not thread-safe per message. */
MR_API int mr_message_set_i64(mr_message *m, const char *key, int64_t value);
MR_API int mr_message_set_f64(mr_message *m, const char *key, double value);
MR_API int mr_message_set_str(mr_message *m, const char *key, const char *value);
MR_API int mr_message_set_bytes(mr_message *m, const char *key, const void *data, size_t bytes);
MR_API int mr_message_set_i64s(mr_message *m, const char *key, const int64_t *values, size_t n);
MR_API int mr_message_set_f64s(mr_message *m, const char *key, const double *values, size_t n);
/* Opens a list under `key` (NULL inside a list: a nested list without a name); entries set until
 * the matching mr_message_end_list belong to it (their keys may be NULL there). Depth at most 8
 * (MR_E_LIMIT). A row whose message is left with an open list fails. */
MR_API int mr_message_begin_list(mr_message *m, const char *key);
MR_API int mr_message_end_list(mr_message *m);

/* Gets a top-level key. MR_OK and the value, or MR_E_USAGE when the key is absent or of another
 * type (the outputs are unchanged); MR_E_CORRUPT: the memory holds no message. Pointers point into
 * the message: good until the row is finished. An array getter accepts an array of that type, or
 * one scalar as an array of one; get_f64 accepts an integer up to 2^53, since people write `scale:
 * 1`. */
MR_API int mr_message_get_i64(const mr_message *m, const char *key, int64_t *value);
MR_API int mr_message_get_f64(const mr_message *m, const char *key, double *value);
MR_API int mr_message_get_str(const mr_message *m, const char *key, const char **value);
MR_API int mr_message_get_bytes(const mr_message *m, const char *key, const void **data,
                                size_t *bytes);
MR_API int mr_message_get_i64s(const mr_message *m, const char *key, const int64_t **values,
                               size_t *n);
MR_API int mr_message_get_f64s(const mr_message *m, const char *key, const double **values,
                               size_t *n);

/* Walks entries in order, lists included: start with *cursor = 0; MR_OK per entry, MR_END after the
 * last, MR_E_CORRUPT where the memory holds no entry. A list is entered by walking on: `depth`
 * tells where an entry stands (0 = top level). */
typedef struct mr_entry {
    const char *key; /**< NULL for an entry of a list that has none */
    mr_type type;    /**< what `data` points to */
    int32_t depth;   /**< 0 = top level */
    uint64_t n;      /**< elements (I64, F64), bytes (STR without its NUL, BYTES), entries (LIST) */
    const void *data; /**< first element, 8-byte aligned; NULL for a list */
} mr_entry;
MR_API int mr_message_walk(const mr_message *m, uint64_t *cursor, mr_entry *entry);

/* Header: where in the run the row stands. Set by the loader before the commander's `next`. */
MR_API uint64_t mr_message_epoch(const mr_message *m);
MR_API uint64_t
mr_message_position(const mr_message *m); /**< global position in the epoch, from 0 */
MR_API uint64_t mr_message_sample(const mr_message *m);
/* The row's sample id, reported by mr_sample_ids() and part of the stream hash. Default: position.
 */
MR_API int mr_message_set_sample(mr_message *m, uint64_t sample);

/* ---- randomness ----------------------------------------------------------------------------- */

/* Counter-based random numbers (Philox4x32-10, Salmon et al., SC 2011): the same key gives the same
 * numbers in any process. Plain data, copy it freely; not thread-safe per object. */
typedef struct mr_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t out[4];
    uint32_t used;
} mr_rng;
MR_API uint32_t mr_rng_u32(mr_rng *rng); /**< uniform over 32 bits */
MR_API uint64_t mr_rng_below(mr_rng *rng,
                             uint64_t bound); /**< uniform in [0, bound), without bias */
MR_API double mr_rng_uniform(mr_rng *rng, double lo, double hi); /**< in [lo, hi), 24-bit steps */
MR_API double mr_rng_normal(mr_rng *rng); /**< mean 0, deviation 1 (Box-Muller) */

/* ---- rows ----------------------------------------------------------------------------------- */

/* The rows a producer is to fill: one for `unit: row`, the whole batch for `unit: batch`. */
typedef struct mr_rows mr_rows;

MR_API int32_t mr_rows_count(const mr_rows *rows); /**< 1 .. batch size */
MR_API const mr_message *mr_rows_message(const mr_rows *rows, int32_t row);
/* The field of these rows, shape[0] = mr_rows_count(); NULL when the config has no such field.
 * Write every byte of it: what is not written holds zeros. Good until `fill` returns. */
MR_API const mr_tensor *mr_rows_field(mr_rows *rows, const char *name);
/* Ragged fields: how many entries of the row are in use, 0 .. max (MR_E_USAGE above). Default 0. */
MR_API int mr_rows_set_count(mr_rows *rows, const char *name, int32_t row, uint32_t count);
/* The row's own random numbers: a function of (seed, epoch, position, attempt) and `name` alone. */
MR_API mr_rng mr_rows_rng(const mr_rows *rows, int32_t row, const char *name);
/* Sets the sentence that a failing `fill` leaves behind (at most 500 bytes are kept). Returns code.
 */
MR_API int mr_rows_fail(mr_rows *rows, int code, const char *sentence);

/* ---- the run, as its commander sees it ------------------------------------------------------ */

/* What is known when a commander is built. Good until its process ends. Each rank has a loader, and
 * so a commander, of its own: dealing is up to them, by `rank` and `world` or by the position of a
 * message, which is global: rows of rank r's batch number s have positions (s * world + r) * batch
 * and the following. */
typedef struct mr_run {
    size_t size; /**< sizeof(mr_run) */
    uint64_t seed;
    uint64_t batch;       /**< rows */
    uint64_t epochs;      /**< 0: endless */
    uint64_t rank, world; /**< of this loader */
    uint64_t samples;     /**< of the config's `source`; 0: there is none */
    uint64_t classes;     /**< with a name, of that source */
    const char *script;   /**< absolute path of `commander.script`; NULL: none */
    uint64_t max_instructions, max_memory_bytes; /**< of that section */
    int only_read; /**< 1: the script is to be read in `build`, not run: its data set is not there
                    */
} mr_run;

/* In the commander's process: its run; NULL in any other. A module that runs scripts (see
 * mr_plugin) is handed it as *self of `build`. */
MR_API const mr_run *mr_commander_run(void);
/* Sets the sentence that a failing hook leaves behind (at most 700 bytes are kept). Returns code.
 */
MR_API int mr_run_fail(const mr_run *run, int code, const char *sentence);
/* A line for the trainer's log. */
MR_API void mr_run_log(const mr_run *run, const char *line);
/* What a column of numbers ("label") holds of a sample: *n numbers of *dtype. MR_E_USAGE: there is
 * no such column, or no such sample. */
MR_API int mr_run_numbers(const mr_run *run, const char *column, uint64_t sample, mr_dtype *dtype,
                          const void **data, uint64_t *n);
/* Random numbers that follow from (seed, epoch, position) and `name` alone, so that they need no
 * place in a saved state. */
MR_API mr_rng mr_run_rng(const mr_run *run, uint64_t epoch, uint64_t position, const char *name);
/* What comes at `index` < n of a random order of 0 .. n - 1 that follows from (seed, which) alone;
 * costs the same for any n. */
MR_API uint64_t mr_run_permute(const mr_run *run, uint64_t which, uint64_t index, uint64_t n);

/* ---- the two vtables ------------------------------------------------------------------------ */

typedef struct mr_commander {
    size_t size;  /**< sizeof(mr_commander) */
    uint32_t abi; /**< MR_PLUGIN_ABI */
    void *user;   /**< fork context: handed to build as *self; else NULL */
    /** Once, in the commander process, before `next`. params: the config's `commander.params`. On
     * entry *self = user; leave your state there. NULL: nothing to build. */
    int (*build)(void **self, const mr_message *params);
    /** Fills the next row's message. MR_OK; MR_END_EPOCH: the row before was the epoch's last;
     *  MR_END: the run ends; negative: the run fails (MR_E_CODE, naming it). The message comes
     *  empty. With the config's own producers, its sample says what the row is made from. */
    int (*next)(void *self, mr_message *m);
    /** Writes the state (at most `cap` bytes, 64 KiB) from which `load` goes on; called after
     *  `build`, which is the beginning, and after every planned batch, so be quick. What was saved
     *  lets a successor go on when this process dies, and is what mr_save_state keeps. `load` may
     *  come at any time, in any process of the same config. Both may be NULL, or the first save
     *  MR_E_UNSUPPORTED: then a death ends the run, and mr_save_state refuses. */
    int (*save)(void *self, void *state, size_t cap, size_t *bytes);
    int (*load)(void *self, const void *state, size_t bytes);
    /** Before the process ends in good order (not after a crash). May be NULL. */
    void (*destroy)(void *self);
    /** Goes to the beginning of an epoch, from anywhere: for mr_end_epoch and mr_set_epoch, which
     *  refuse without it. Called once behind `build`, with 0. NULL, MR_E_UNSUPPORTED then, or a
     *  `size` that ends before it: there is none. */
    int (*set_epoch)(void *self, uint64_t epoch);
} mr_commander;

typedef struct mr_producer {
    size_t size;  /**< sizeof(mr_producer) */
    uint32_t abi; /**< MR_PLUGIN_ABI */
    void *user;   /**< fork context: handed to build as *self; else NULL */
    /** Once, in each producer process, before `fill`. params: the config's `producer.params`. */
    int (*build)(void **self, const mr_message *params);
    /** Fills the rows. Pure in the messages and the rows' random numbers: it may be run again, in
     *  another process, and must give the same bytes. MR_OK; negative: the rows are bad (MR_E_DATA,
     *  and the config's on_error decides) or the run fails (any other code). */
    int (*fill)(void *self, mr_rows *rows);
    void (*destroy)(void *self);
} mr_producer;

/* What a plug-in exports, under the name `mr_plugin_entry`. Either pointer may be NULL. */
typedef struct mr_plugin {
    size_t size;  /**< sizeof(mr_plugin) */
    uint32_t abi; /**< MR_PLUGIN_ABI */
    const mr_commander *commander;
    const mr_producer *producer;
} mr_plugin;

/* Turns this program into a producer: call it from main() of a program named by the config's
 * `producer: {exec: PROGRAM}`. Returns when the loader stops: 0, or negative with the reason on
 * mr_error(NULL) (MR_E_USAGE when it was not started by a Millrace warden). `producer` NULL: run
 * the config's own pipeline. Calls back from the calling thread only. */
MR_API int mr_worker_run(const mr_producer *producer);

#ifdef __cplusplus
}
#endif
#endif
