/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/millrace.h: a config file becomes batches in this process. Compiles as C11 and as C++17.
 *
 *     mr_loader *loader;
 *     mr_batch *b;
 *     int rc;
 *     if (mr_open(&loader, "train.yaml", NULL) < 0) { fputs(mr_error(NULL), stderr); return 1; }
 *     while ((rc = mr_next(loader, &b, MR_FOREVER)) >= 0) {
 *         if (rc == MR_END) break;
 *         if (rc == MR_END_EPOCH) continue;
 *         const mr_tensor *x = mr_field(b, "image");
 *         const mr_tensor *y = mr_field(b, "label");
 *         train_step(x, y);
 *         mr_release(b);
 *     }
 *     if (rc < 0) fputs(mr_error(loader), stderr);
 *     mr_close(&loader);
 *
 * Threads: every call on a loader may come from any thread; calls on one loader wait for each other
 * (mr_next gives way while it waits). The sentences of mr_error() are kept per thread.
 * Processes: a loader belongs to the process that opened it. In a forked child every call on it
 * returns MR_E_FORKED, and its memory is not there.
 */
#ifndef MILLRACE_MILLRACE_H
#define MILLRACE_MILLRACE_H

#include "millrace/plugin.h"
#include "millrace/types.h"
#include "millrace/version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mr_loader mr_loader;
typedef struct mr_batch mr_batch;

#define MR_FOREVER (-1)

typedef enum mr_log_level { MR_LOG_ERROR, MR_LOG_WARNING, MR_LOG_INFO, MR_LOG_DEBUG } mr_log_level;

/* What mr_open() takes beside the config. Zero it, set `size`, set what you need. */
typedef struct mr_options {
    size_t size;             /**< sizeof(mr_options) */
    const char *config_text; /**< the config itself instead of a file (then `path` is only its name
                                  in messages, and relative paths start at the working directory) */
    const char *const *set;  /**< NULL-terminated "key.path=value" texts that override the config */
    const char *state;   /**< where to go on: a text from mr_save_state(); NULL: the beginning */
    const char *weights; /**< with a sampler that learns: the file of mr_save_weights() that belongs
                              to the state */
    const mr_commander
        *commander;              /**< `context: fork` only: callbacks instead of source + sampler */
    const mr_producer *producer; /**< `context: fork` only: callbacks instead of source + ops */
    /** Log lines (no newline at the end), called from inside other calls on this loader, which
     * it must not call in turn. NULL: dropped. */
    void (*log)(void *log_user, mr_log_level level, const char *line);
    void *log_user;
    const char *warden; /**< path of the warden program; NULL: $MILLRACE_WARDEN, else beside the
                             library, else where it was installed */
} mr_options;

/* Opens a loader: checks the config, reserves the arena, starts the processes, builds the index of
 * the data set, and returns while the first batches are being made.
 *   path     config file (YAML); may be NULL when options->config_text is given
 *   options  NULL: all defaults
 * On success *out is the loader, to be given to mr_close(). On failure *out is NULL, nothing is
 * left behind, and mr_error(NULL) has the sentence; for a wrong config it starts with
 * file:line:column. Blocks until the index is built (seconds for millions of files). Errors:
 * MR_E_CONFIG, MR_E_USAGE, MR_E_IO, MR_E_MEMORY (the arena is larger than what is free),
 * MR_E_LIMIT, MR_E_SYSTEM, MR_E_DIED, MR_E_CODE, MR_E_VERSION. */
MR_API int mr_open(mr_loader **out, const char *path, const mr_options *options);

/* Waits for the next batch.
 *   timeout_ms  0: do not wait; MR_FOREVER: no end; else milliseconds
 * MR_OK: *batch is leased to the caller until mr_release(). MR_END_EPOCH and MR_END: *batch is
 * NULL; after MR_END every further call gives MR_END. Batches come in order (`deterministic: true`)
 * or as they are finished, never across the end of an epoch. A batch that is ready costs no system
 * call. Errors leave *batch NULL and lose nothing: MR_E_TIMEOUT (ask again), MR_E_LEASED (every
 * slot is leased: release one first), MR_E_DATA (`on_error: fail` met a bad sample, or
 * there were more than `max_bad`; the run is over), MR_E_DIED, MR_E_CODE, MR_E_FORKED, MR_E_CLOSED,
 * MR_E_CORRUPT. */
MR_API int mr_next(mr_loader *loader, mr_batch **batch, int64_t timeout_ms);

/* Gives a batch back; its memory is filled again at once. Any thread may release, in any order.
 * MR_OK, or MR_E_STALE (it was released already), MR_E_FORKED; on an error nothing changes. After
 * mr_close() it still must be called for leased batches, and frees the memory with the last one. */
MR_API int mr_release(mr_batch *batch);

/* Ends the loader's processes and frees what it holds; *loader becomes NULL. Batches that are still
 * leased stay readable until they are released. Calls of other threads that are under way return
 * MR_E_CLOSED; none may begin once mr_close has returned. Safe on NULL and on a pointer to NULL. */
MR_API void mr_close(mr_loader **loader);

/* The sentence about this thread's last failed call, on this loader or on any: one is kept per
 * thread. Never NULL; good until the thread's next failing call. */
MR_API const char *mr_error(const mr_loader *loader);

/* ---- batches -------------------------------------------------------------------------------- */

/* A field by its name in the config, or by number (0 .. mr_field_count - 1, in the config's order).
 * The view is good until the batch is released; its data may be changed in place. NULL: no such
 * field, or the batch was released. shape[0] is the number of rows, in use or not: the batch size,
 * less only for the last batch of an epoch under `last: short`. */
MR_API const mr_tensor *mr_field(const mr_batch *batch, const char *name);
MR_API const mr_tensor *mr_field_at(const mr_batch *batch, int32_t number);
MR_API int32_t mr_field_count(const mr_batch *batch);

/* Where the batch stands. */
typedef struct mr_batch_info {
    uint64_t epoch; /**< from 0 */
    uint64_t
        batch; /**< global number in the epoch, from 0; with ranks, other ranks have the others */
    uint64_t
        sequence; /**< delivered by this loader in `deterministic` order, from 0, over all epochs */
    int32_t rows; /**< rows of every field */
    int32_t valid;   /**< rows that hold a sample; less under `last: pad` and `on_error: skip` */
    int32_t tainted; /**< 1: a process that crashed while this batch was leased may have written
                        over it; worth asking once more before the release */
} mr_batch_info;
MR_API int mr_batch_get_info(const mr_batch *batch, mr_batch_info *info);

/* [rows] ids of the samples (index in the sorted source; a substitute's own; UINT64_MAX where the
 * row holds none) and [rows] 1 or 0: the row holds a sample. Good until release; NULL when stale.
 */
MR_API const uint64_t *mr_sample_ids(const mr_batch *batch);
MR_API const uint8_t *mr_valid(const mr_batch *batch);

/* 64-bit XXH3 over the batch: each row's id (u64, native order), its valid byte, its fields' bytes
 * in the config's order, each ragged field's count (u32) behind its bytes. One hash per batch. */
MR_API int mr_batch_hash(const mr_batch *batch, uint64_t *hash);
/* The stream hash so far: XXH3 chained over delivered batches in order, or, in completion order,
 * the sum of row hashes. Counting starts with the first call of mr_stream_hash_begin(), which costs
 * a pass over every batch delivered after it. */
MR_API int mr_stream_hash_begin(mr_loader *loader);
MR_API int mr_stream_hash(const mr_loader *loader, uint64_t *hash);

/* ---- feedback ------------------------------------------------------------------------------- */

/* For a sampler that learns (`sampler: {type: adaptive}`): what the trainer found of a row: a loss,
 * or another number that is finite and not negative. It counts for the sample that the row holds (a
 * substitute's own) once the batch is released, and takes effect `feedback_delay` batches later,
 * whatever the processes' timing; until then the last value given for a row counts, and a row
 * without one changes nothing. No system call and no lock. Threads may give values for different
 * rows at the same time. MR_OK, or MR_E_USAGE: no such row, or it holds no sample, or no such
 * number; MR_E_STALE: the batch was released, or delivered before mr_load_state();
 * MR_E_UNSUPPORTED: the sampler takes no feedback; MR_E_FORKED, MR_E_CLOSED. */
MR_API int mr_feedback(const mr_batch *batch, int32_t row, double value);

/* ---- where the run stands ------------------------------------------------------------------- */

/* Writes a short JSON text (under 1 KB, and 100 bytes more for each sample that time or memory made
 * bad in batches to come) from which a loader of the same config, data and `bad_list_in` goes on
 * after the last batch *returned* by mr_next; planned and undelivered batches are planned again.
 * It says how much of the epoch all ranks together have had, so all of them write the same place
 * after the same number of steps, and any number of ranks can go on from it. What a user's
 * commander saved is added, in hexadecimal. MR_E_LIMIT: `cap` < *bytes, which count the NUL. */
MR_API int mr_save_state(mr_loader *loader, char *text, size_t cap, size_t *bytes);
/* Goes to a saved state: work under way is cancelled, leased batches stay good. MR_E_VERSION,
 * MR_E_CONFIG: the state is another config's, data set's or version's; nothing changes. */
MR_API int mr_load_state(mr_loader *loader, const char *text);
/* For a sampler that learns, whose state is too large for a text: writes its weights at this place,
 * and the feedback that has yet to take effect, into a file, whole or not at all. Of batches that
 * are still leased, what was given so far is in it. mr_save_state() has to follow before another
 * batch is taken: the text names the file's hash, and belongs to it alone.
 * MR_E_UNSUPPORTED: the sampler does not learn. MR_E_IO, MR_E_MEMORY. */
MR_API int mr_save_weights(mr_loader *loader, const char *path);
/* Reads such a file for the mr_load_state() that follows, which refuses any other; nothing changes
 * until then. MR_E_CONFIG: it is another config's, data set's, seed's or rank's, or damaged. */
MR_API int mr_load_weights(mr_loader *loader, const char *path);
/* Ends the epoch early: planned batches of it are cancelled; the next mr_next gives MR_END_EPOCH.
 * Waits for nobody; the next epoch's first batch waits for the row that each producer has under
 * way. With ranks: in all of them, after the same number of steps. Errors: as mr_set_epoch. */
MR_API int mr_end_epoch(mr_loader *loader);
/* Goes to the beginning of an epoch, counted from 0, which may lie behind: the next batch is its
 * first one, with no MR_END_EPOCH before it. Planned work is cancelled, leased batches stay good;
 * where that epoch comes next anyhow, nothing is lost. MR_E_USAGE: the config has not so many
 * epochs (`epochs: 0` has all). MR_E_UNSUPPORTED: a user's commander has no set_epoch. */
MR_API int mr_set_epoch(mr_loader *loader, uint64_t epoch);

/* A descriptor for event loops: readable when mr_next(.., 0) may have something new to say, the
 * loader's death included. Do not read it. Owned by the loader. Negative: an error code. */
MR_API int mr_fd(mr_loader *loader);

/* Figures since mr_open. */
typedef struct mr_stats {
    size_t size;      /**< in: sizeof(mr_stats) */
    uint64_t samples; /**< samples of the data set; 0 when a user's commander makes them up */
    uint64_t batches_per_epoch; /**< of this rank; 0: unknown */
    uint64_t batches;           /**< delivered */
    uint64_t rows;              /**< delivered, valid */
    uint64_t bad_samples;       /**< met by producers */
    uint64_t respawns;          /**< processes replaced after a death */
    uint64_t wait_ns;           /**< the trainer's time in mr_next waiting for a batch */
    uint64_t read_ns;           /**< producers' time, summed: reading files */
    uint64_t decode_ns;         /**< producers' time, summed: decoding */
    uint64_t augment_ns;        /**< producers' time, summed: resampling, augmentation, storing */
    uint64_t idle_ns;           /**< producers' time, summed: waiting for a free slot */
    uint64_t commander_idle_ns; /**< the commander's time waiting for a free slot */
    uint64_t bytes_read;        /**< encoded bytes */
    uint64_t arena_bytes;       /**< reserved shared memory */
    int32_t producers;          /**< as configured */
    int32_t slots;
    uint64_t crashes;     /**< deaths by SEGV, BUS, ILL, FPE, ABRT or SYS */
    uint64_t timeouts;    /**< processes ended for sample_timeout or sample_cpu_timeout */
    uint64_t stopped;     /**< processes ended because they stood still (SIGSTOP) */
    uint64_t oom_kills;   /**< processes that the kernel's OOM killer has taken */
    uint64_t reissued;    /**< rows (`unit: batch`: batches) given to others after a death */
    uint64_t refills;     /**< times that every undelivered slot was filled again, after a crash */
    uint64_t tainted;     /**< leased batches at those times */
    uint64_t quarantines; /**< slots given up to a process that could not be ended */
    int32_t rank, world;  /**< of this loader */
    const char *ranks_from; /**< where they are from, "RANK and WORLD_SIZE of torchrun"; NULL: the
                                 config, or nowhere. Good until mr_close */
    uint64_t reads;        /**< files read by producers */
    uint64_t reads_waited; /**< of those, the ones that a disk made them wait for */
    uint64_t read_wait_ns; /**< of read_ns: the time of reading these */
    uint64_t read_aheads;  /**< rows whose files the kernel was asked for ahead */
    int32_t read_ahead;    /**< how many rows ahead at most; 0: not at all */
} mr_stats;
MR_API int mr_get_stats(mr_loader *loader, mr_stats *stats);

/* Where the producers' time goes, and what decoding touches next to what the crops need. */
typedef struct mr_stage_cost {
    char what[128]; /**< "read", "header", "decode", "resize + center_crop", "wait" ... */
    uint64_t ns;    /**< all producers' time, summed */
    uint64_t times; /**< rows it was done for */
} mr_stage_cost;
#define MR_PROFILE_STAGES 80
#define MR_PROFILE_ENGINES 8
typedef struct mr_profile {
    size_t size;     /**< in: sizeof(mr_profile) */
    uint64_t rows;   /**< made by producers, delivered or not */
    int32_t nstages; /**< in the order in which a row goes through them; "wait" is the last */
    mr_stage_cost stage[MR_PROFILE_STAGES];
    uint64_t images;        /**< decoded; what follows is about them alone (not about masks) */
    uint64_t file_bytes;    /**< of their files ... */
    uint64_t bytes_decoded; /**< ... as far as the decoder has read them */
    uint64_t pixels;        /**< of the files ... */
    uint64_t pixels_needed; /**< ... those the first stage reads (the crop) ... */
    uint64_t pixels_read;   /**< ... and those whose coded data had to be read for it */
    uint64_t pixels_wanted; /**< the crop at the size that was decoded ... */
    uint64_t pixels_made;   /**< ... and what was computed for it */
    uint64_t row_bytes;     /**< stored per row, all fields */
    uint64_t scale[4];      /**< images decoded 1, 2, 4 and 8 times smaller ... */
    uint64_t scale_fast[4]; /**< ... and how many `decode: fast` would decode so */
    uint64_t engine[MR_PROFILE_ENGINES];         /**< images by who has decoded them */
    const char *engine_name[MR_PROFILE_ENGINES]; /**< NULL behind the last; good for ever */
} mr_profile;
/* Figures since mr_open; `stage` is empty when a user's producer makes the rows but for "fill" and
 * "wait". */
MR_API int mr_get_profile(mr_loader *loader, mr_profile *profile);

/* A sample that could not be made, as the bad list has it. */
typedef struct mr_bad_sample {
    size_t size;        /**< in: sizeof(mr_bad_sample) */
    uint64_t sample;    /**< its id */
    uint64_t epoch;     /**< where in the run it was tried: epoch, ... */
    uint64_t position;  /**< ... position in it (batch * rows + row) ... */
    int32_t attempt;    /**< ... and 0: as the sampler's choice, n: as the n-th substitute */
    int32_t code;       /**< mr_err: MR_E_DATA, MR_E_IO, MR_E_LIMIT, MR_E_CRASHED, MR_E_SLOW ... */
    int32_t forced;     /**< 1: wall time or memory made it bad, and another run might not */
    const char *stage;  /**< "read", "decode", "fill", or "" */
    const char *cause;  /**< "data", "signal", "timeout", "cpu", "memory" or "listed" */
    const char *reason; /**< why; good until the next call on the loader */
    char *path;         /**< the caller's, freed with mr_free(); NULL: it has none */
} mr_bad_sample;
/* Bad samples of the batches that were delivered, in the order of the stream, from number 0. MR_OK;
 * MR_END past the last (*out is unchanged). */
MR_API int mr_get_bad_sample(mr_loader *loader, uint64_t number, mr_bad_sample *out);

/* Writes the list of them as CSV (sample,path,stage,reason,cause,epoch,position,attempt,forced),
 * whole or not at all; `bad_list_in` reads it.
 *   path   NULL: the config's `bad_list`, which is also written at the end of each epoch and of the
 *          run, and by mr_close(); there a failure is only a line in the log
 *   flags  MR_BAD_ANYWHERE: leave out where in the run they were tried, so that a run that is given
 *          the list takes them for bad wherever it meets them
 * MR_E_IO, MR_E_USAGE. */
#define MR_BAD_ANYWHERE 1u
MR_API int mr_save_bad_list(mr_loader *loader, const char *path, unsigned flags);

/* A page of text: every process's state, row, sample and for how long, every slot's state. Owned by
 * the caller, freed with mr_free(); NULL when memory is out. For people, not for programs. */
MR_API char *mr_dump(mr_loader *loader);

/* Classes of a folder source (or of string labels), in label order. NULL past the end (or, with
 * errno ENOMEM, when memory is out). Good until mr_close. */
MR_API const char *mr_class_name(mr_loader *loader, uint64_t label);
/* Where a sample comes from (its path), NULL past the end or when the source has no paths. Owned by
 * the caller, freed with mr_free(). */
MR_API char *mr_sample_path(mr_loader *loader, uint64_t sample);

/* ---- without running ------------------------------------------------------------------------ */

/* Checks a config as mr_open() would, starts nothing, reads no image. Same errors. */
MR_API int mr_check(const char *path, const mr_options *options);
/* The plan as text for people. *text is the caller's, freed with mr_free(). Same errors. */
MR_API int mr_explain(const char *path, const mr_options *options, char **text);
/* How well an epoch's batches are mixed, found by planning the first `batches` of them (0: all) in
 * this process; no image is read. For each batch the entropy of its labels (column "label"), held
 * against what uniform draws of as many samples have in the mean; the distance of neighbours in the
 * data set's order, and the correlation of place and sample, which tell a shuffle from a sorted
 * order. format: "text" (NULL too) for people, "json": one object. *text is the caller's, freed
 * with mr_free(). Errors: as mr_open; MR_E_UNSUPPORTED: a user's commander has no sampler. */
MR_API int mr_shuffle_stats(const char *path, const mr_options *options, uint64_t epoch,
                            uint64_t batches, const char *format, char **text);
/* The descriptor tables. kind: NULL (all), "op", "source", "codec", "sampler", "config"; name: NULL
 * (all of that kind) or one; format: "text", "json", "schema" (JSON Schema of a config),
 * "markdown". *text is the caller's, freed with mr_free(). MR_E_USAGE: no such kind, name (the
 * sentence has the nearest) or format. */
MR_API int mr_describe(const char *kind, const char *name, const char *format, char **text);
/* What this machine offers, by trying it: kernel, warden, memory, which layers of the producers'
 * sandbox are in force, decoder libraries. format: "text" (NULL too) for people, "json": one
 * object, {"seccomp": {"verdict": "good" | "weaker" | "bad" | "fact", "text": ...}, ...}. Starts a
 * child process for a moment. *text is the caller's, freed with mr_free(). MR_OK, or MR_E_SYSTEM:
 * something that every run needs is missing, and *text says what; MR_E_USAGE, MR_E_MEMORY. */
MR_API int mr_doctor(const char *format, char **text);
/* Frees a text that this library returned. */
MR_API void mr_free(void *text);

#ifdef __cplusplus
}
#endif
#endif
