/* SPDX-License-Identifier: Apache-2.0
 *
 * millrace/shards.h: looking at packed data: what is inside, and whether all of it still is what
 * was written. Compiles as C11 and as C++17.
 */
#ifndef MILLRACE_SHARDS_H
#define MILLRACE_SHARDS_H

#include "millrace/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a folder of shards, or a single one, holds: its version, how it was packed, columns,
 * classes, shards. format: "text" (NULL too) for people, "json": one object. *text is the caller's,
 * freed with mr_free(). MR_E_DATA: damaged, with the name; MR_E_VERSION: written by a newer
 * version; MR_E_IO, MR_E_MEMORY, MR_E_USAGE. */
MR_API int mr_shards_list(const char *path, const char *format, char **text);

/* Something that is not what was written. */
typedef struct mr_damage {
    const char *shard; /**< its file's name */
    int64_t sample;    /**< of the whole set, from 0; -1: it is not a sample's */
    const char *file;  /**< the name that the sample's file was packed from; NULL: none */
    const char *reason;
} mr_damage;

/* Zero it, set `size`, set what you need. */
typedef struct mr_shards_check_options {
    size_t size;     /**< sizeof(mr_shards_check_options) */
    int32_t threads; /**< 0: one per core */
    /** From one thread at a time; the texts are good during the call. May be NULL. */
    void (*damage)(void *user, const mr_damage *damage);
    /** Now and then, from one thread at a time; not 0 ends the check with MR_E_CLOSED. May be
     * NULL. */
    int (*progress)(void *user, uint64_t bytes_done, uint64_t bytes);
    void *user;
} mr_shards_check_options;

typedef struct mr_shards_checked {
    uint64_t shards, samples, bytes; /**< in all */
    uint64_t damaged;                /**< calls of `damage` */
} mr_shards_checked;

/* Reads every byte of a folder of shards, or of a single one, and holds it against the checksums.
 * Nothing is decoded. options and result may be NULL. MR_OK: all is as it was written. MR_E_DATA:
 * it is not, and `damage` was told what; or the list of the shards is damaged. MR_E_VERSION,
 * MR_E_IO, MR_E_MEMORY, MR_E_USAGE, MR_E_CLOSED. */
MR_API int mr_shards_check(const char *path, const mr_shards_check_options *options,
                           mr_shards_checked *result);

#ifdef __cplusplus
}
#endif
#endif
