/* SPDX-License-Identifier: Apache-2.0
 *
 * rowpipe_types.h: what the files of the rowpipe share; nobody else includes it.
 *
 *     rowpipe.c        compile: ops planned one after the other, what stands where, the store
 *     rowpipe_fields.c compile: the fields' dtypes and shapes
 *     rowpipe_fold.c   per row: draw every op, fold geometry into stages
 *     rowpipe_decode.c per row: decode, into scratch memory or straight into the first stage
 *     rowpipe_run.c    per row: run the steps, store
 *     rowpipe_work.c   a thread's decoders and scratch memory
 *     rowpipe_explain.c what it all does, and what was drawn, as text
 */
#ifndef MR_PIPE_ROWPIPE_TYPES_H
#define MR_PIPE_ROWPIPE_TYPES_H

#include "augment/geometry.h"
#include "augment/kernel/resample.h"
#include "pipe/rowpipe.h"

/* An op in its place. */
struct mr_rowop {
    const struct mr_op *op;
    const void *params;
    uint32_t ordinal;  /* among the ops of this name */
    size_t draw_at;    /* where its draw lies in a thread's draws */
    bool on_pixels;    /* PIXEL, or a TENSOR op that stands before every STORE op */
    struct mr_spec in; /* what comes before it; sizes as far as known at compile time */
    struct mr_mark mark;
};

struct mr_rowpipe {
    const struct mr_config *config; /* outlives the pipe */
    struct mr_rowop ops[MR_MAX_OPS];
    int nops;
    size_t draw_bytes;
    int image, mask, boxes;     /* numbers of the fields, -1: not there */
    struct mr_spec first, last; /* before and after all ops */
    struct mr_store store, mask_store;
    int32_t mask_bits;
    struct mr_field_plan plans[MR_MAX_FIELDS];
    int nplans;
    bool user;    /* a user's producer makes the rows */
    bool windows; /* the sampler picks windows */
};

/* What is done to pixels after decoding, in order. The last step is a STAGE: the one that stores.
 */
struct mr_rowstep {
    enum mr_step_kind { MR_STEP_STAGE, MR_STEP_BORDER, MR_STEP_PIXEL } kind;
    struct mr_geometry g;      /* STAGE */
    struct mr_rect at;         /* STAGE: the part of its input that the step before makes */
    const struct mr_rowop *op; /* BORDER, PIXEL */
    int first_op, last_op;     /* the ops that it stands for; -1: none */
};
#define MR_MAX_STEPS (3 * MR_MAX_OPS + 1) /* an op ends at most two stages, one with a border */

struct mr_scratch {
    uint8_t *data; /* 64-byte aligned */
    size_t cap;
};

struct mr_rowwork {
    const struct mr_rowpipe *pipe;
    struct mr_resampler *resampler;
    void **decoders; /* one per row of mr_codecs, NULL until first needed */
    uint8_t *draws;
    struct mr_rowstep steps[MR_MAX_STEPS], mask_steps[MR_MAX_STEPS];
    int nsteps, nmask_steps;
    struct mr_scratch images[2], boxes;
    struct mr_row_cost cost;
};

/* An encoded image on its way into a field. */
struct mr_rowjob {
    struct mr_rowwork *work;
    const uint8_t *data;
    uint64_t n;
    const struct mr_ranges *ranges; /* NULL: the data are all there */
    const uint64_t *read_ns;        /* that reading them has taken; never NULL */
    bool mask;
    const struct mr_codec *codec;
    void *decoder;
    struct mr_image_info info;
    struct mr_rowstep *steps;
    int nsteps;
    int32_t c, bits;
    const struct mr_store *store;
    void *row;
    uint64_t header_ns, decode_ns; /* so far */
    struct mr_errbuf *e;
};

/* Pixels on their way: those of the rectangle `at` of the image that the next step works on. */
struct mr_rowpixels {
    struct mr_view view;
    struct mr_rect at;
    int buffer; /* which of the two scratch images holds them */
    int next;   /* the step that comes now; nsteps: the row is stored */
};

uint64_t mr__row_now_ns(void);

/* ---- rowpipe_decode.c ---- */
/* Finds the codec and reads the header. */
int mr__row_header(struct mr_rowjob *j);
/* Decodes what the first step reads. Where that is a stage and the codec can, rows go on into it as
 * they come, and it is done when this returns. A row that shows nothing of its image is not decoded
 * at all. */
int mr__row_decode(struct mr_rowjob *j, struct mr_rowpixels *px);
/* Adds to the cost of a step of the image; masks have none of their own. */
void mr__row_count_step(const struct mr_rowjob *j, int step, uint64_t ns);

/* ---- rowpipe_fields.c ---- */
/* Finds image, mask and boxes among the fields and whether rows are a user's. */
void mr__row_fields_find(struct mr_rowpipe *p);
/* Fills p->plans from p->last and the config. */
int mr__row_fields_plan(struct mr_rowpipe *p, struct mr_errbuf *e);

/* ---- rowpipe_fold.c ---- */
/* Draws every op for an image of w x h, of which only `window` counts (w = 0: all of it), and
 * leaves the steps in `work`. MR_E_DATA: the window does not lie in the image, or what it shows
 * does not fit an op. */
int mr__row_fold(struct mr_rowwork *work, const struct mr_row_key *key, int32_t w, int32_t h,
                 const struct mr_rect *window, struct mr_errbuf *e);

/* Makes the mask's steps of the image's: the same geometry by nearest neighbour, borders painted,
 * pixel ops left out. */
void mr__row_fold_mask(struct mr_rowwork *work);
/* Backwards through the steps: what a stage reads is cut out of the stage right before it, which
 * then makes no more than that. Afterwards the stages no longer say where the image's other pixels
 * (and boxes) would have gone. */
void mr__row_narrow(struct mr_rowstep *steps, int n);

/* ---- rowpipe_work.c ---- */
/* Room for `bytes` and 64 more; what was there is gone. MR_E_MEMORY. */
int mr__scratch_grow(struct mr_scratch *s, size_t bytes, struct mr_errbuf *e);
/* A view of w x h pixels in scratch memory, rows 64-byte aligned. */
int mr__scratch_view(struct mr_scratch *s, struct mr_view *v, int32_t w, int32_t h, int32_t c,
                     int32_t bits, struct mr_errbuf *e);
/* The codec of `data` and this thread's decoder of it. MR_E_DATA: nobody knows the content. */
int mr__row_decoder(struct mr_rowwork *work, const uint8_t *data, uint64_t n,
                    const struct mr_codec **codec, void **decoder, struct mr_errbuf *e);

#endif
