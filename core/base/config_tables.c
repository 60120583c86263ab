/* SPDX-License-Identifier: Apache-2.0 */
#include "config_tables.h"

#include <math.h>

#define AT(field) offsetof(struct mr_config, field)
#define FIELD(field) offsetof(struct mr_field_config, field)

static const char *const last_names[] = {"short", "drop", "pad", "wrap", NULL};
static const char *const context_names[] = {"spawn", "fork", NULL};
static const char *const on_error_names[] = {"fail", "replace", "skip", NULL};
static const char *const decode_names[] = {"exact", "fast", NULL};
static const char *const engine_names[] = {"auto", "libjpeg", NULL};
static const char *const sandbox_names[] = {"auto", "require", "off", NULL};
static const char *const layout_names[] = {"NCHW", "NHWC", NULL};
static const char *const unit_names[] = {"row", "batch", NULL};
static const char *const mix_by_names[] = {"share", "repeat", "all", NULL};
#define DTYPE_TEXT(name, text, bytes) text,
static const char *const dtype_names[] = {MR_DTYPES(DTYPE_TEXT) NULL};
#undef DTYPE_TEXT

const struct mr_tables mr__tables = {mr_ops, mr_sources, mr_codecs, mr_samplers};

const struct mr_opt mr__config_opts[] = {
    {"version", MR_OPT_INT, 0, AT(version), "1", 1, 1, NULL, NULL,
     "version of this format; this build reads version 1"},
    {"seed", MR_OPT_INT, MR_OPT_STREAM, AT(seed), "0", 0, INFINITY, NULL, NULL,
     "all randomness follows from it; the same seed gives the same batches"},
    {"epochs", MR_OPT_INT, 0, AT(epochs), "1", 0, INFINITY, NULL, NULL,
     "passes over the data set; 0: without end"},
    {"epoch_batches", MR_OPT_INT, MR_OPT_STREAM | MR_OPT_AUTO | MR_OPT_LATER, AT(epoch_batches),
     "auto", 1, 1e12, NULL, "batches",
     "batches of an epoch over all ranks, whatever the data set's size: its passes go on from one "
     "epoch into the next; auto: an epoch is one pass"},
    {"slots", MR_OPT_INT, MR_OPT_AUTO, AT(slots), "auto", 1, 1024, NULL, "batches",
     "batches that have a place in shared memory; auto: 4"},
    {"spares", MR_OPT_INT, 0, AT(spares), "1", 0, 16, NULL, "batches",
     "slots kept free for a batch that must move out of a slot whose writer cannot be killed"},
    {"context", MR_OPT_ENUM, 0, AT(context), "spawn", 0, 0, context_names, NULL,
     "how processes start: spawn runs a fresh program, fork copies this one (and its callbacks)"},
    {"deterministic", MR_OPT_BOOL, 0, AT(deterministic), "true", 0, 0, NULL, NULL,
     "false: batches come in the order in which they are finished"},
    {"on_error", MR_OPT_ENUM, MR_OPT_STREAM, AT(on_error), "replace", 0, 0, on_error_names, NULL,
     "a bad sample ends the run, is replaced by another, or leaves its row marked as not valid"},
    {"max_bad", MR_OPT_SHARE, MR_OPT_AUTO, AT(max_bad), "auto", 0, INFINITY, NULL, NULL,
     "bad samples of an epoch that the run goes on with; a percentage is one of its samples; auto: "
     "1%, at least 10, at most 1000; 100%: any number"},
    {"bad_list", MR_OPT_PATH, MR_OPT_OUT, AT(bad_list), "", 0, 0, NULL, NULL,
     "CSV file to write the bad samples to: where, what and why"},
    {"bad_list_in", MR_OPT_PATH, 0, AT(bad_list_in), "", 0, 0, NULL, NULL,
     "such a file from an earlier run or from 'millrace verify': what it names is bad here too"},
    {"index_cache", MR_OPT_PATH, MR_OPT_OUT, AT(index_cache), "", 0, 0, NULL, NULL,
     "file to keep the data set's index in, or a folder for such files: the next run that finds "
     "the data as they were opens it and looks at no name"},
    {"read_ahead", MR_OPT_INT, MR_OPT_AUTO | MR_OPT_OFF, AT(read_ahead), "auto", 1, 4096, NULL,
     "rows",
     "how many rows ahead producers ask the kernel for files; auto: 32, while files are found not "
     "to be in memory yet"},
    {"message_bytes", MR_OPT_INT, 0, AT(message_bytes), "256", 64, 65536, NULL, "bytes",
     "room for a commander's message to a row"},
    {"rank", MR_OPT_INT, MR_OPT_AUTO, AT(rank), "auto", 0, 65535, NULL, NULL,
     "number of this training process; it gets batches rank, rank + world, ...; auto: what "
     "torchrun, mpirun or srun say, else 0"},
    {"world", MR_OPT_INT, MR_OPT_AUTO, AT(world), "auto", 1, 65536, NULL, NULL,
     "training processes that share the epoch; auto: what the launcher says, else 1"},
    {"sandbox", MR_OPT_ENUM, 0, AT(sandbox), "auto", 0, 0, sandbox_names, NULL,
     "what built-in producers give up before they open data; auto: whatever the kernel offers, "
     "require: all of it or an error; programs of `producer.exec` are never confined"},
    {"sample_timeout", MR_OPT_FLOAT, 0, AT(sample_timeout), "30", 0.01, 86400, NULL, "seconds",
     "a producer that works longer than this on one row (with `unit: batch`: on one batch), or "
     "stands still, is replaced"},
    {"sample_cpu_timeout", MR_OPT_FLOAT, 0, AT(sample_cpu_timeout), "20", 0.01, 86400, NULL,
     "seconds", "the same for processor time, which a busy machine does not stretch"},
    MR_OPTS_END,
};

static const struct mr_opt batch_opts[] = {
    {"size", MR_OPT_INT, MR_OPT_STREAM, AT(batch.size), "64", 1, 65536, NULL, "rows",
     "rows of a batch (of each rank)"},
    {"last", MR_OPT_ENUM, MR_OPT_STREAM, AT(batch.last), "", 0, 0, last_names, NULL,
     "an epoch's last, incomplete batch: shorter (the default), dropped, padded with rows "
     "marked as not valid, or filled from the epoch's beginning"},
    {"drop_last", MR_OPT_BOOL, 0, AT(batch.drop_last), "", 0, 0, NULL, NULL,
     "the same in PyTorch's words: true is `last: drop`, false is `last: short`"},
    MR_OPTS_END,
};

static const struct mr_opt producers_opts[] = {
    {"count", MR_OPT_INT, MR_OPT_AUTO, AT(producers.count), "auto", 1, 1024, NULL, "processes",
     "processes that decode and augment; auto: one per processor core"},
    {"threads", MR_OPT_INT, 0, AT(producers.threads), "1", 1, 256, NULL, "threads",
     "threads of each producer, working on several rows"},
    MR_OPTS_END,
};

static const struct mr_opt decode_opts[] = {
    {"mode", MR_OPT_ENUM, MR_OPT_STREAM, AT(decode), "exact", 0, 0, decode_names, NULL,
     "fast: a JPEG of which at least twice as many pixels are used each way as are made of them is "
     "decoded 2, 4 or 8 times smaller, and only resampled from there"},
    {"engine", MR_OPT_ENUM, 0, AT(limits.engine), "auto", 0, 0, engine_names, NULL,
     "auto: plain JPEGs by Millrace's own decoder, all others by libjpeg-turbo; the pixels are the "
     "same"},
    MR_OPTS_END,
};

static const struct mr_opt limits_opts[] = {
    {"max_pixels", MR_OPT_INT, MR_OPT_STREAM, AT(limits.max_pixels), "178956970", 1, 1e12, NULL,
     "pixels", "an image that declares more is bad (Pillow's limit)"},
    {"max_side", MR_OPT_INT, MR_OPT_STREAM, AT(limits.max_side), "65500", 1, 1e9, NULL, "pixels",
     "an image that declares a longer side is bad"},
    {"max_scans", MR_OPT_INT, MR_OPT_STREAM, AT(limits.max_scans), "100", 1, 1e6, NULL, "scans",
     "a progressive JPEG with more scans is bad"},
    {"max_decode_bytes", MR_OPT_INT, MR_OPT_STREAM, AT(limits.max_decode_bytes), "536870912",
     1048576, 1e12, NULL, "bytes", "memory that the decoder may take for one image"},
    {"max_file_bytes", MR_OPT_INT, MR_OPT_STREAM, AT(limits.max_file_bytes), "268435456", 1, 1e12,
     NULL, "bytes", "a larger file is bad"},
    MR_OPTS_END,
};

static const struct mr_opt mixture_opts[] = {
    {"by", MR_OPT_ENUM, MR_OPT_STREAM, AT(mixture.by), "share", 0, 0, mix_by_names, NULL,
     "what decides how much comes of each part: its share of all rows, or how often it comes in an "
     "epoch; all: the parts are one data set, and `sampler` picks from the whole"},
    {"unit", MR_OPT_ENUM, MR_OPT_STREAM, AT(mixture.unit), "row", 0, 0, unit_names, NULL,
     "what comes of one part: each row for itself, or whole batches"},
    {"length", MR_OPT_INT, MR_OPT_AUTO | MR_OPT_STREAM, AT(mixture.length), "auto", 1, 1e15, NULL,
     "rows", "an epoch by share; auto: as many as an epoch of every part has, in whole batches"},
    MR_OPTS_END,
};

#define PART(field) offsetof(struct mr_part_config, field)
const struct mr_opt mr__part_opts[] = {
    {"name", MR_OPT_STR, 0, PART(name), "", 0, 0, NULL, NULL,
     "for messages; default: its number in the list"},
    {"share", MR_OPT_FLOAT, MR_OPT_STREAM, PART(share), "", 0, 1, NULL, NULL,
     "by share: its part of the rows; those of all parts add up to 1"},
    {"repeat", MR_OPT_FLOAT, MR_OPT_STREAM, PART(repeat), "", 0, 1e6, NULL, "times",
     "by repeat: how often it comes in an epoch (0.5: half of it in each); default: 1"},
    {"from_epoch", MR_OPT_INT, MR_OPT_STREAM, PART(from_epoch), "0", 0, 1e12, NULL, NULL,
     "by share: the first epoch that has it; the other parts fill the rows of the others"},
    {"until_epoch", MR_OPT_INT, MR_OPT_STREAM, PART(until_epoch), "", 1, 1e12, NULL, NULL,
     "by share: the first epoch that has it no more; default: it stays"},
    MR_OPTS_END,
};

static const struct mr_opt commander_opts[] = {
    {"plugin", MR_OPT_PATH, 0, AT(commander.plugin), "", 0, 0, NULL, NULL,
     "shared object that exports mr_plugin_entry"},
    {"script", MR_OPT_PATH, 0, AT(commander.script), "", 0, 0, NULL, NULL,
     "Lua 5.4 script that returns a table of functions: next, build, save, load"},
    {"max_instructions", MR_OPT_INT, 0, AT(commander.max_instructions), "10000000", 1000, 1e15,
     NULL, "instructions",
     "what a script may do for one message; for build and load it is a hundred times as much"},
    {"max_memory_bytes", MR_OPT_INT, 0, AT(commander.max_memory_bytes), "67108864", 1048576, 1e12,
     NULL, "bytes", "memory that a script may take"},
    MR_OPTS_END,
};

static const struct mr_opt producer_opts[] = {
    {"plugin", MR_OPT_PATH, 0, AT(producer.plugin), "", 0, 0, NULL, NULL,
     "shared object that exports mr_plugin_entry"},
    {"exec", MR_OPT_STRS, 0, AT(producer.exec), "", 0, 0, NULL, NULL,
     "program, with its arguments, that calls mr_worker_run()"},
    {"unit", MR_OPT_ENUM, MR_OPT_STREAM, AT(producer.unit), "row", 0, 0, unit_names, NULL,
     "what one call of fill() gets: a row or the whole batch"},
    MR_OPTS_END,
};

static const struct mr_opt field_opts[] = {
    {"dtype", MR_OPT_ENUM, MR_OPT_STREAM, FIELD(dtype), "", 0, 0, dtype_names, NULL,
     "element type; image: float32, or uint8 without normalize and to_dtype; mask: uint8; boxes: "
     "float32; label: int64"},
    {"layout", MR_OPT_ENUM, MR_OPT_STREAM, FIELD(layout), "NCHW", 0, 0, layout_names, NULL,
     "images and masks: planes (NCHW) or interleaved channels (NHWC)"},
    {"channels", MR_OPT_INT, MR_OPT_STREAM, FIELD(channels), "", 1, 4, NULL, NULL,
     "images: 1 (gray), 3 (RGB, the default) or 4 (RGBA)"},
    {"bits", MR_OPT_INT, MR_OPT_STREAM, FIELD(bits), "", 8, 16, NULL, "bits",
     "images: 8 (the default) or 16 bits per channel are kept while decoding"},
    {"max", MR_OPT_INT, MR_OPT_STREAM, FIELD(max), "", 1, 65536, NULL, "entries",
     "ragged fields: entries of a row that have a place; the others are dropped"},
    {"shape", MR_OPT_FLOATS, MR_OPT_STREAM | MR_OPT_WHOLE, FIELD(shape), "", 1, 2147483647, NULL,
     NULL, "columns and user producers: shape of one row (of one entry with max); []: one number"},
    MR_OPTS_END,
};

const struct mr_section mr__config_sections[] = {
    {"decode", MR_SECTION_OPTS, "mode", decode_opts, mr__read_decode,
     "how images are decoded"},
    {"batch", MR_SECTION_OPTS, "size", batch_opts, mr__read_batch, "the batches"},
    {"producers", MR_SECTION_OPTS, "count", producers_opts, mr__read_opts,
     "the processes that make rows"},
    {"source", MR_SECTION_SOURCE, "type", NULL, mr__read_source, "where samples come from"},
    {"sampler", MR_SECTION_SAMPLER, "type", NULL, mr__read_sampler,
     "which sample comes next; default: shuffle"},
    {"mixture", MR_SECTION_MIXTURE, NULL, mixture_opts, mr__read_mixture,
     "several data sets in one stream, instead of source and sampler"},
    {"ops", MR_SECTION_OPS, NULL, NULL, mr__read_ops, "what is done to an image, in order"},
    {"fields", MR_SECTION_FIELDS, "dtype", field_opts, mr__read_fields,
     "what a batch holds; default: image and label"},
    {"commander", MR_SECTION_USER, NULL, commander_opts, mr__read_commander,
     "your code instead of the sampler: decides what each row is to hold"},
    {"producer", MR_SECTION_USER, NULL, producer_opts, mr__read_producer,
     "your code instead of source and ops: makes the rows"},
    {"limits", MR_SECTION_OPTS, NULL, limits_opts, mr__read_opts,
     "what an image may cost before it counts as bad"},
    {.name = NULL},
};
