/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_writer.h: writing a shard, sample by sample, and the file that lists the shards of a set.
 * What is written follows from the samples alone. A shard gets its name when it is complete and on
 * the disk: until then, whatever happens, there is no file of that name. The format:
 * docs/shard_format.md.
 */
#ifndef MR_SHARD_SHARD_WRITER_H
#define MR_SHARD_SHARD_WRITER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/index.h"
#include "loaders/shard/shard_format.h"
#include "millrace/version.h"

#define MR_SHARD_TOOL "millrace " MR_VERSION_STRING

/* A column of files (a PATH or MADE one of the index) whose bodies are tensors without a header,
 * little endian, in C order. ndim 0: its bodies are files of any kind. */
struct mr_shard_tensor {
    mr_dtype dtype;
    uint32_t ndim;
    uint64_t shape[MR_SHARD_MAX_DIMS];
};

/* What is the same for all shards of a set. It outlives the writers. */
struct mr_shard_plan {
    const struct mr_index *index; /* of what is packed: its columns of numbers, the names of its
                                     files and its classes go into the shards as they are. Columns
                                     with an '@' in their name are left out */
    uint64_t fingerprint;         /* of what is packed, and how */
    const char *mode;             /* how, for people: "jpeg"; shorter than MR_SHARD_MODE_BYTES */
    bool sizes; /* add the columns image_width and image_height: bucket and patch samplers then
                   need not look into the files. Left out where the index has them */
    struct mr_shard_tensor tensor[MR_INDEX_MAX_COLUMNS]; /* by the index's column; of its TENSOR
                                                            columns the index has it itself */
};

/* Where a shard stands in its set. */
struct mr_shard_line {
    char file[256]; /* name, without a folder */
    uint64_t first, samples, bytes;
    uint64_t check; /* covers every byte of it */
};

/* The encoded bytes of one sample in one column. */
struct mr_shard_bytes {
    const void *data; /* NULL, n = 0: the sample has none */
    uint64_t n;
    const uint8_t *sums; /* by mr__shard_sums, little endian; NULL: the writer makes them */
};

struct mr_shard_sample {
    uint64_t sample;          /* its number in the index */
    int32_t image_w, image_h; /* as displayed, with plan->sizes; 0: not known */
    struct mr_shard_bytes bytes[MR_INDEX_MAX_COLUMNS]; /* by the index's column */
    /* By the index's column, in place of its numbers: as many, of its dtype; NULL: these. */
    const void *numbers[MR_INDEX_MAX_COLUMNS];
};

struct mr_shard_writer;

/* Appends the sums of a body: 4 bytes for each 4096 of it. Any thread, so that many can. False:
 * memory is out. */
bool mr__shard_sums(const void *body, uint64_t n, struct mr_buf *sums);

/* Begins the shard `path` under the name `path` MR_SHARD_TEMPORARY (one that is there is left over
 * from an interrupted packing, and goes), number `number` of its set, whose first sample is number
 * `first` of the set. Nothing of that name may be there. MR_E_IO, MR_E_MEMORY, MR_E_LIMIT (too many
 * columns). */
int mr__shard_writer_begin(struct mr_shard_writer **w, const struct mr_shard_plan *plan,
                           const char *path, uint32_t number, uint64_t first, struct mr_errbuf *e);
/* Adds a sample. Its bytes are written or copied when this returns. */
int mr__shard_writer_add(struct mr_shard_writer *w, const struct mr_shard_sample *sample,
                         struct mr_errbuf *e);
/* How large the shard will be, as far as it goes. */
uint64_t mr__shard_writer_bytes(const struct mr_shard_writer *w);
/* What the sample would add to that, index and all. */
uint64_t mr__shard_writer_adds(const struct mr_shard_writer *w,
                               const struct mr_shard_sample *sample);
/* Ends it: index, foot, to the disk, its name, the folder to the disk. `w` is freed, whatever
 * comes of it. MR_E_IO: there is no such shard, or (the folder could not be synced) all of it. */
int mr__shard_writer_finish(struct mr_shard_writer *w, struct mr_shard_line *line,
                            struct mr_errbuf *e);
/* Nothing is left of it. Safe on NULL. */
void mr__shard_writer_drop(struct mr_shard_writer *w);

/* The folder of a file to the disk: its names stay. 0, or -1 with errno. */
int mr__shard_folder_sync(const char *path);

/* Writes the list of a set's shards (MR_SHARD_SET_FILE in `folder`), whole or not at all, and syncs
 * it and the folder: the last step of packing. MR_E_IO, MR_E_MEMORY. */
int mr__shard_set_write(const char *folder, const struct mr_shard_plan *plan,
                        const struct mr_shard_line *lines, uint64_t n, struct mr_errbuf *e);

#endif
