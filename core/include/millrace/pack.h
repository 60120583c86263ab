/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/pack.h: a data set becomes a folder of packed shards, which the source `shards` reads,
 * and becomes files again. Compiles as C11 and as C++17.
 *
 *     mr_pack_options o = {.size = sizeof o, .mode = "coef"};
 *     if (mr_pack("train.yaml", "train_packed", &o, NULL) < 0) fputs(mr_error(NULL), stderr);
 */
#ifndef MILLRACE_PACK_H
#define MILLRACE_PACK_H

#include "millrace/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far it is. */
typedef struct mr_pack_progress {
    uint64_t samples;             /**< of the data set */
    uint64_t done;                /**< looked at so far, those of shards that were there included */
    uint64_t kept;                /**< of these, in shards that an earlier call has left */
    uint64_t skipped;             /**< bad ones that were left out */
    uint64_t shards;              /**< whole and on the disk */
    uint64_t bytes_in, bytes_out; /**< encoded bytes read, and what became of them, in this call */
} mr_pack_progress;

/* Zero it, set `size`, set what you need. */
typedef struct mr_pack_options {
    size_t size;             /**< sizeof(mr_pack_options) */
    const char *config_text; /**< as mr_options has it */
    const char *const *set;  /**< as mr_options has it */
    /** "jpeg" (NULL too): JPEGs cut into segments, lossless; "coef": their coefficients re-coded
     * for fast decoding, lossless; "raw": decoded pixels; "keep": every file as it is; "array": the
     * same, for data sets that have tensors. What is no JPEG stays as it is with "jpeg" and "coef",
     * tensors with all of them. */
    const char *mode;
    int32_t segment;      /**< "jpeg", "coef": pixels that a segment is wide, 32 or 64; 0: 64 */
    const char *compress; /**< "raw": "zstd", or NULL: not at all */
    /** "jpeg", "coef", "raw": images with a longer side are made that small; 0: none is. Boxes
     * (column 'boxes') and masks follow. */
    int32_t max_side;
    int32_t quality; /**< "jpeg", "coef" with max_side: of the smaller JPEGs, 1 to 100; 0: 90 */
    uint64_t shard_bytes; /**< a shard ends before it would be larger; 0: 256 MiB */
    int32_t threads;      /**< 0: one per core */
    /** A sample that cannot be read or decoded: "fail" (NULL too) ends the call, naming it; "skip"
     * leaves it out, so that those behind it have other numbers; "keep": its bytes are kept as they
     * are, for training to find it bad, as it would in the data set itself. */
    const char *on_error;
    /** Now and then, from one thread at a time. Not 0: ends the call with MR_E_CLOSED; what was
     * packed so far is kept, and the next call goes on from it. May be NULL. */
    int (*progress)(void *user, const mr_pack_progress *progress);
    /** A line for people: a sample that was left out, a shard that is packed again. May be NULL. */
    void (*log)(void *user, const char *line);
    void *user;
} mr_pack_options;

/* Packs the config's data set (its `source` or `mixture`, sample by sample, in the order in which
 * they are numbered) into the folder `out`, which it makes.
 *   path     config file; may be NULL when options->config_text is given
 *   out      DIR: DIR/data-000000.mrs and so on, and DIR/pack.json, written last
 *   options  NULL: all defaults
 *   result   how far it came; may be NULL
 * Every file appears whole or not at all. A call that ended early, in whatever way, is gone on with
 * by the same call: shards that are there are kept, and in the end every byte is the same, with any
 * number of threads. MR_E_USAGE: an option; or `out` holds something else, or the shards of other
 * data or options. MR_E_CONFIG, MR_E_IO, MR_E_MEMORY; MR_E_DATA: a bad sample; MR_E_CLOSED. */
MR_API int mr_pack(const char *path, const char *out, const mr_pack_options *options,
                   mr_pack_progress *result);

/* The way back: the files of a data set, packed or not, below the folder `out`, which must be new
 * or empty, under the names that they were packed from (of different files of one name all but one
 * get their sample's number behind it); and out/manifest.csv, written last, with labels, boxes and
 * the other columns. Tensors become arrays, out/NAME.npy; a data set of nothing else becomes a
 * folder that the source `npy` reads, without a manifest. JPEGs that were packed by "jpeg" or
 * "coef" come with other bytes, and the pixels that the originals have; raw pixels become PNG files
 * ("a.jpg.png"). Of the options, `mode`, `segment`, `compress`, `max_side`, `quality`,
 * `shard_bytes` mean nothing here. Errors: as mr_pack. */
MR_API int mr_unpack(const char *path, const char *out, const mr_pack_options *options,
                     mr_pack_progress *result);

#ifdef __cplusplus
}
#endif
#endif
