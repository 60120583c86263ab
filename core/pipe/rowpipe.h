/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe.h: from a sample to a row. The op list is compiled once (shapes, order, what can be
 * fused); then, per row, everything random is drawn, geometry is folded into stages, the decoder is
 * asked for only what the first stage reads, and the last stage writes the row: resample + flip +
 * normalise + cast + layout in one pass.
 */
#ifndef MR_PIPE_ROWPIPE_H
#define MR_PIPE_ROWPIPE_H

#include "base/config.h"
#include "base/rng.h"

struct mr_rowpipe; /* compiled, read-only, shared by threads */
struct mr_rowwork; /* one thread's decoders and scratch memory */

/* What the fields of the config turn out to be. One per config field, same order. */
struct mr_field_plan {
    const char *name;
    enum mr_field_kind {
        MR_FIELD_IMAGE,
        MR_FIELD_MASK,
        MR_FIELD_BOXES,
        MR_FIELD_COLUMN,
        MR_FIELD_WINDOW,
        MR_FIELD_USER
    } kind;
    enum mr_dtype dtype;
    enum mr_layout layout;
    int32_t ndim; /* of one row, without the batch dimension; 0 = a scalar */
    int64_t shape[MR_MAX_DIMS - 1];
    uint64_t row_bytes;
    uint32_t max_entries; /* ragged: > 0 */
};

/* Compiles ops and fields. `plans` has room for MR_MAX_FIELDS; *nplans = config->nfields. Field
 * kinds follow from the names: "image" is the decoded image, "mask" its mask, "boxes" its boxes
 * (ragged f32[4], x0 y0 x1 y1 in pixels), "window" with a sampler of windows is the row's (x, y, w,
 * h); every other name is a column of the index, whose shape the field's own `shape` and `max` in
 * the config say (default: a scalar), because memory is reserved before the index exists. A row of
 * "mask" is [h, w]. The config outlives the pipe. Errors are config errors with the op's or field's
 * place. */
int mr__rowpipe_compile(struct mr_rowpipe **pipe, const struct mr_config *config,
                        struct mr_field_plan *plans, int *nplans, struct mr_errbuf *e);
void mr__rowpipe_free(struct mr_rowpipe *pipe);
/* What the pipe does, one line per stage, for `millrace explain`; malloc'ed. */
char *mr__rowpipe_explain(const struct mr_rowpipe *pipe);

/* Private memory that one thread takes at most for an image within the config's limits, for the
 * producers' RLIMIT_DATA. */
uint64_t mr__rowpipe_memory(const struct mr_rowpipe *pipe);
int mr__rowwork_open(struct mr_rowwork **work, const struct mr_rowpipe *pipe, struct mr_errbuf *e);
void mr__rowwork_close(struct mr_rowwork *work);

struct mr_row_input {
    struct mr_row_key key;
    const uint8_t *image,
        *mask; /* encoded bytes, >= 64 readable zero bytes behind them; mask NULL: none */
    uint64_t image_bytes, mask_bytes;
    /* In place of the bytes, of files that are read as they are needed; NULL: the bytes are there.
     * What a range's `get` says of a failure is passed on. */
    const struct mr_ranges *image_ranges, *mask_ranges;
    const uint64_t *read_ns; /* time that ranges have taken so far, counted by who gives them: it
                                is no decoding; NULL: not known */
    const float *boxes;      /* nboxes x 4: x0 y0 x1 y1 in the image's displayed pixels */
    uint32_t nboxes;
    struct mr_rect window; /* what the ops see of the image, as displayed; w = 0: all of it */
};

struct mr_row_output {
    struct mr_tensor image,
        mask;     /* the row's part of the slot (no batch dimension); data NULL: not wanted */
    float *boxes; /* room for max_entries x 4; NULL: not wanted */
    uint32_t boxes_max;
    uint32_t nboxes; /* out; boxes that are left (clipped, not empty), in the input's order */
    uint64_t decode_ns, augment_ns; /* out */
};

/* What making a row has cost, part by part; times in nanoseconds, disjoint. A stage is what
 * neighbouring geometry ops were folded into; it counts for the first of them. */
struct mr_row_cost {
    uint64_t header_ns; /* of the image */
    uint64_t decode_ns; /* of the image, without what its rows went through on the way */
    uint64_t draw_ns;   /* drawing the ops and folding them into stages */
    uint64_t boxes_ns;  /* moving the boxes */
    uint64_t mask_ns;   /* the mask, all of it */
    uint64_t store_ns;  /* the last stage, which writes the row */
    uint64_t op_ns[MR_MAX_OPS];
    uint16_t op_last[MR_MAX_OPS]; /* the last op of the stage that begins at this one */
    int store_first;              /* the first op of the last stage; -1: none moves pixels there */
    bool decoded;                 /* the image was: then these hold as well */
    struct mr_decode_cost decode;
    uint64_t pixels;        /* of the image */
    uint64_t pixels_needed; /* of these, the ones that the first stage reads ... */
    uint64_t pixels_wanted; /* ... and what that is at the size that was decoded */
    int32_t scale;          /* it was decoded this many times smaller */
    int32_t scale_fast;     /* `decode: fast` decodes it this many times smaller */
};

/* Of the row made last. */
const struct mr_row_cost *mr__rowwork_cost(const struct mr_rowwork *work);

/* Makes the row. Every byte of the wanted outputs is written on success. MR_E_DATA: bad sample (a
 * window that does not lie in it is one, too), with the reason; outputs then hold anything. */
int mr__rowpipe_run(const struct mr_rowpipe *pipe, struct mr_rowwork *work,
                    const struct mr_row_input *in, struct mr_row_output *out, struct mr_errbuf *e);

/* What was drawn for the row made last, op by op, as a JSON list; for tracing and replay. As
 * snprintf. */
int mr__rowwork_print(const struct mr_rowwork *work, char *text, size_t cap);

#endif
