/* SPDX-License-Identifier: Apache-2.0
 *
 * descriptor.h: what an op, a source, a codec and a sampler are to the rest of Millrace: one
 * descriptor each, at the end of its file, listed once in a registry. The YAML reader, `millrace
 * ops`, the reference pages, the JSON Schema and the conformance test are all made from these
 * tables.
 */
#ifndef MR_BASE_DESCRIPTOR_H
#define MR_BASE_DESCRIPTOR_H

#include "base/buf.h"
#include "base/error.h"
#include "base/image.h"
#include "base/index.h"
#include "millrace/plugin.h"
#include "millrace/types.h"

#include <stdbool.h>

/* ---- options -------------------------------------------------------------------------------- */

enum mr_opt_type {               /* what lies at `off` in the params struct */
                   MR_OPT_BOOL,  /* bool */
                   MR_OPT_INT,   /* int64_t */
                   MR_OPT_FLOAT, /* double */
                   MR_OPT_ENUM,  /* int: index in `names` */
                   MR_OPT_STR,  /* const char *, owned by the config; NULL when the default is "" */
                   MR_OPT_PATH, /* const char *, made absolute against the config's folder; must
                                   exist */
                   MR_OPT_FLOATS, /* struct mr_floats: one number or a list of them */
                   MR_OPT_RANGE,  /* struct mr_range: [lo, hi], lo <= hi */
                   MR_OPT_SPREAD, /* struct mr_range: [lo, hi], or one number v (the op says what it
                                     means: ColorJitter's v is [max(0, 1 - v), 1 + v]); lo = hi = 0
                                     with set = false when absent */
                   MR_OPT_SIZE,  /* struct mr_size: one integer (h = w = v, single = true) or [h, w]
                                  */
                   MR_OPT_STRS,  /* struct mr_strs: one string or a list of them */
                   MR_OPT_SHARE, /* struct mr_share: a whole number, or a percentage ("1%") */
                   MR_OPT_TYPE_COUNT
};

#define MR_MAX_FLOATS 16
struct mr_floats {
    int n;
    double v[MR_MAX_FLOATS];
};
struct mr_range {
    double lo, hi;
    bool set, single; /* single: one number was given, it is in hi */
};
struct mr_size {
    int64_t h, w;
    bool single;
};
struct mr_strs {
    int n;
    const char *const *v;
};
struct mr_share {
    const char *text; /* as written */
    int64_t count;    /* -1: a percentage, or `auto` */
    double percent;   /* 0 to 100; -1: a count, or `auto` */
};

enum mr_opt_flags {
    MR_OPT_STREAM = 1, /* changes what is delivered: part of the config hash */
    MR_OPT_AUTO = 2,   /* INT, SHARE: the word `auto` may stand for the number; stored as 0, -1 */
    MR_OPT_WHOLE = 4,  /* FLOATS: whole numbers only */
    MR_OPT_OUT = 8,    /* PATH: need not exist */
    MR_OPT_LATER = 16, /* INT, in the config hash: left out of it while it is 0, so that the hashes
                          of configs from before it was there stay what they were */
    MR_OPT_OFF = 32,   /* INT: the word `off` may stand for the number; stored as -1 */
};

struct mr_opt {       /* one row = config key = doc row = schema entry = binding keyword */
    const char *name; /* snake_case */
    enum mr_opt_type type;
    unsigned flags;
    size_t off;      /* offsetof(struct params, field) */
    const char *def; /* default as it would be written in the config; NULL: required; "": absent:
                        the value stays zero, an ENUM's -1 */
    double min, max; /* numbers: inclusive bounds, per element for lists; both 0: none */
    const char *const *names; /* MR_OPT_ENUM: NULL-terminated, index = value */
    const char *unit;         /* NULL: none */
    const char *help;         /* lower case, no full stop */
};
#define MR_OPTS_END  \
    {                \
        .name = NULL \
    }

struct mr_desc {               /* the head that all kinds share */
    const char *name;          /* the config's name */
    const char *help;          /* one line, lower case, no full stop */
    size_t params_size;        /* sizeof the params struct, 0 for none */
    const struct mr_opt *opts; /* ends with MR_OPTS_END; NULL: none */
    /* Checks what no single row can ("scale needs lo > 0"); may be NULL. Errors name the key. */
    int (*check)(const void *params, struct mr_errbuf *e);
};

/* ---- ops ------------------------------------------------------------------------------------ */

/* What is known of the image between two ops. */
struct mr_spec {
    int32_t w, h;        /* pixels; 0 = differs from sample to sample (known at draw time) */
    int32_t c;           /* channels: 1, 3 or 4 */
    int32_t bits;        /* 8 or 16: pixels are u8 or u16 until they are stored */
    enum mr_dtype dtype; /* what the field will hold */
    bool unit;           /* values are 0 .. 1: a to_dtype with scale came before */
    bool normalized;     /* a normalize came before: pixel ops are over */
};

enum mr_op_class {
    MR_OP_GEOMETRY, /* moves pixels: composes with its neighbours, pushed into the decoder */
    MR_OP_PIXEL,    /* changes pixels in place or into a new image (u8/u16) */
    MR_OP_STORE,    /* normalize, to_dtype: folded into the last pass */
    MR_OP_TENSOR,   /* works on the stored row (random_erasing after normalize) */
};

struct mr_op {
    struct mr_desc d;
    enum mr_op_class kind;
    size_t draw_size; /* bytes of the draw struct, 0 for none */
    /* Shapes, once per plan: sets *out from *in, or refuses with a sentence. NULL: out = in. */
    int (*plan)(const void *params, const struct mr_spec *in, struct mr_spec *out,
                struct mr_errbuf *e);
    /* All randomness, once per sample; `in` has the sample's real sizes. NULL: nothing to draw. */
    void (*draw)(const void *params, mr_rng *rng, const struct mr_spec *in, void *draw);
    /* GEOMETRY: appends its effect to the geometry under construction (augment/geometry.h). An op
     * that changes two things (crop, then resize) may leave `g` half changed when it sets
     * g->closed: the executor takes its copy of before, begins a new stage and calls again.
     * MR_E_DATA: the sample does not fit. */
    int (*compose)(const void *params, const void *draw, struct mr_geometry *g,
                   struct mr_errbuf *e);
    /* GEOMETRY, when compose set g->border: finishes the stage's output in place, image and mask
     * alike. */
    void (*border)(const void *params, const void *draw, const struct mr_view *image);
    /* PIXEL: changes `image` in place (masks are left alone: only geometry moves them). */
    void (*pixel)(const void *params, const void *draw, const struct mr_view *image);
    /* STORE: adds to the store (scale and bias per channel, dtype); `in` is what comes before the
     * op. */
    void (*store)(const void *params, const struct mr_spec *in, struct mr_store *s);
    /* TENSOR: changes the stored row in place. `row` is [c][h][w] whatever its layout: strides
     * tell. An op with both `pixel` and `tensor` is run as PIXEL where it stands before every STORE
     * op. */
    void (*tensor)(const void *params, const void *draw, const struct mr_tensor *row);
    /* What was drawn, as one JSON object, into text[cap] (as snprintf); NULL: nothing is drawn. */
    int (*print)(const void *params, const void *draw, char *text, size_t cap);
};

/* ---- codecs --------------------------------------------------------------------------------- */

enum mr_decode_engine {
    MR_DECODE_AUTO,   /* plain JPEGs by our own decoder */
    MR_DECODE_LIBJPEG /* every JPEG by libjpeg-turbo */
};

struct mr_limits {      /* refusals name the config key: limits.max_pixels ... */
    int64_t max_pixels; /* declared width x height */
    int64_t max_side;
    int64_t max_scans;        /* progressive JPEG */
    int64_t max_decode_bytes; /* heap of the decoder library */
    int64_t max_file_bytes;
    int engine; /* enum mr_decode_engine: no limit, but as decoders are opened with */
};

struct mr_image_info { /* from the header alone */
    int32_t w, h;      /* as displayed: after the EXIF orientation */
    int32_t c;         /* colour channels stored: 1, 3, 4 (CMYK); alpha counts: 2 = gray + alpha */
    int32_t bits;      /* 8 or 16 */
    int32_t orientation; /* EXIF 1..8; 1 when absent or damaged */
};

/* The bytes of a file of which only what is needed is read. */
struct mr_ranges {
    uint64_t n; /* of the whole file, at least 1 */
    /* Bytes [at, at + bytes) of the n, bytes >= 1, read and held against their checksums unless
     * they were before: *data. They stay good until another file of the same column is asked for,
     * and 64 bytes behind them can be read, whatever they are. All that is asked for lies in one
     * array: bytes that were asked for before are found at their distance. MR_E_DATA when they are
     * damaged or not of the n; MR_E_IO, MR_E_MEMORY. The sentence names the file. */
    int (*get)(void *ctx, uint64_t at, uint64_t bytes, const uint8_t **data, struct mr_errbuf *e);
    void *ctx;
};

/* Where a decoder puts the rows of a crop as they come. */
struct mr_row_taker {
    /* Rows will come, from the top. Called once more when the decoder has to start over: what it
     * gave before counts no more. */
    int (*begin)(void *ctx, struct mr_errbuf *e);
    /* The next n >= 1 rows, `stride` bytes apart. They are in the cache, and overwritten
     * afterwards. */
    void (*rows)(void *ctx, const void *data, int64_t stride, int32_t n);
    void *ctx;
    int32_t most; /* rows at once that suit it best, if the decoder can; 0: any number */
};

/* Who decoded an image. */
enum mr_engine {
    MR_ENGINE_LIBJPEG,  /* libjpeg-turbo */
    MR_ENGINE_BASELINE, /* loaders/codec/baseline */
    MR_ENGINE_LIBPNG,
    MR_ENGINE_RAW, /* loaders/codec/raw */
    MR_ENGINES
};

/* What the last decode has touched, however much of it was asked for. */
struct mr_decode_cost {
    enum mr_engine engine;
    uint64_t bytes;       /* of the file, read */
    uint64_t pixels_read; /* of the file's pixels, those whose coded data were read */
    uint64_t pixels_made; /* pixels computed (transformed, converted), at the size asked for */
};

struct mr_codec {
    struct mr_desc d;
    const char *(*version)(void);  /* the library's, for people: "libpng 1.6.39"; NULL: none */
    const char *const *extensions; /* lower case, without the dot, NULL-terminated */
    bool (*probe)(const uint8_t *data, size_t n); /* by content */
    /* A decoder keeps what can be reused between images; one per thread. */
    int (*open)(void **decoder, const struct mr_limits *limits, struct mr_errbuf *e);
    void (*close)(void *decoder);
    /* Reads the header of `data`, which must stay until decode is done. Limits are held against the
     * declared size here, before memory is taken. MR_E_DATA / MR_E_LIMIT with reason. */
    int (*header)(void *decoder, const uint8_t *data, size_t n, struct mr_image_info *info,
                  struct mr_errbuf *e);
    /* The same for a file that is read in ranges, which must stay until decode is done: decode and
     * rows then ask for what they need. Few large ranges are cheaper than many small ones. What
     * `get` says is passed on as it is. NULL: the codec wants the whole file in memory. */
    int (*header_ranges)(void *decoder, const struct mr_ranges *file, struct mr_image_info *info,
                         struct mr_errbuf *e);
    /* Between header and decode: the image is to be decoded `scale` times smaller each way (1, 2, 4
     * or 8), straight from its coefficients; decode and rows then take coordinates of that image.
     * MR_E_USAGE. NULL: it has but one size. */
    int (*shrink)(void *decoder, int32_t scale, struct mr_shrunk *shrunk, struct mr_errbuf *e);
    /* Decodes the rectangle `roi` (in displayed coordinates, inside the image) into dst: dst->w x
     * dst->h = roi's size, dst->c in {1, 3, 4} and dst->bits in {8, 16} as asked for (converted as
     * Pillow's convert() does). The pixels equal those of the full decode at that scale. Data loss
     * is MR_E_DATA, where the crop needs the data that are lost: what lies below it need not be
     * read. Pixels and verdict follow from bytes, scale and crop alone. Call header before each
     * decode. */
    int (*decode)(void *decoder, const struct mr_rect *roi, const struct mr_view *dst,
                  struct mr_errbuf *e);
    /* The same pixels, handed on row by row instead of kept. Only where the header's orientation is
     * 1: MR_E_USAGE. After an error the taker may have got some of the rows. NULL: it cannot. */
    int (*rows)(void *decoder, const struct mr_rect *roi, int32_t c, int32_t bits,
                const struct mr_row_taker *to, struct mr_errbuf *e);
    /* Of the last decode or rows that went well. */
    void (*cost)(const void *decoder, struct mr_decode_cost *cost);
};

/* ---- sources -------------------------------------------------------------------------------- */

enum mr_cached { MR_CACHED_UNKNOWN, MR_CACHED_NOT, MR_CACHED }; /* a file, by the kernel */

struct mr_source {
    struct mr_desc d;
    bool network;  /* `read` needs it: the sandbox then lets producers open sockets */
    bool resolved; /* no path of the index leads through a link */
    /* Walks the data set and fills the index (in a helper process, once). */
    int (*index)(const void *params, struct mr_index_builder *b, struct mr_errbuf *e);
    /* In each producer. *self: its own state. */
    int (*open)(const void *params, const struct mr_index *index, const struct mr_limits *limits,
                void **self, struct mr_errbuf *e);
    /* Reads the encoded bytes of a PATH or MADE column ("image", "mask") into *out, replacing what
     * is there. Fails with MR_E_DATA or MR_E_IO naming the path, or "sample 17" where there is
     * none. At least 64 zero bytes follow the n bytes. */
    int (*read)(void *self, uint64_t sample, int column, struct mr_buf *out, struct mr_errbuf *e);
    /* The same bytes, to be read in ranges; *out and what comes of it is good until the next `read`
     * or `ranges` of the same column. Reads nothing of the file yet. out->get NULL: this one has to
     * be read whole. Errors as `read`. NULL: all have to. */
    int (*ranges)(void *self, uint64_t sample, int column, struct mr_ranges *out,
                  struct mr_errbuf *e);
    void (*close)(void *self);
    /* Asks the kernel for the first `most` bytes of what `read` will be asked for soon, perhaps in
     * another process, and does not wait for them. Says whether they were there already. A file
     * that cannot be had is left for `read` to find. NULL: there are no files. */
    enum mr_cached (*ahead)(void *self, uint64_t sample, int column, uint64_t most);
    /* Reads the numbers of a TENSOR column straight to where they are wanted, and nowhere else:
     * `bytes` bytes at `to`, all of the sample's, in this machine's byte order. `at_once`: they are
     * looked at next, and should not go past the caches. Fails as `read` does; there may be
     * anything at `to` then. NULL: there are no TENSOR columns. */
    int (*tensor)(void *self, uint64_t sample, int column, bool at_once, void *to, uint64_t bytes,
                  struct mr_errbuf *e);
    /* Appends the files and folders, each an absolute path with its NUL, that `open` and what
     * follows it open beside the files that the index names: all that a confined producer can
     * read. In the helper process, behind `index`. NULL: none. */
    int (*roots)(const void *params, struct mr_buf *paths, struct mr_errbuf *e);
};

/* ---- samplers ------------------------------------------------------------------------------- */

/* What one row is made from. */
struct mr_pick {
    uint64_t sample;
    struct mr_rect window; /* of the image as displayed; w = 0: all of it */
};

/* What a sampler chooses from. It may keep the pointer: the index outlives it. */
struct mr_sampler_env {
    const struct mr_index *index;
    uint64_t first, samples; /* samples [first, first + samples) of the index, at least one */
    uint64_t seed;
    uint64_t batch; /* rows of a batch */
};

struct mr_weights; /* base/weights.h */

/* What a sampler adds whose choices follow the trainer (mr_feedback). It has weights, one per
 * sample or per class, and nothing but them changes: the commander keeps them in memory that
 * outlives it, in a sum tree, and applies what the trainer says of batch b before it plans batch b
 * + delay. */
struct mr_learner {
    int64_t (*delay)(const void *params); /* in batches of this rank, at least 1 */
    uint64_t (*weights)(void *self);      /* how many, at least 1 */
    float (*initial)(void *self);         /* what they begin with, finite, >= 0 */
    /* Which weight a row's sample moves; UINT64_MAX: none. */
    uint64_t (*weight_of)(void *self, uint64_t sample);
    /* The weight after a value; both finite and >= 0, and so is the answer. Pure. */
    float (*learn)(void *self, float weight, float value);
    /* In place of `at`, and pure in the weights, too. `at` itself gives the choice of the
     * beginning, from equal weights. */
    int (*choose)(void *self, const struct mr_weights *weights, uint64_t epoch, uint64_t position,
                  struct mr_pick *pick, struct mr_errbuf *e);
};

/* What a sampler's `index` may use. */
struct mr_sampler_build {
    const struct mr_limits *limits;
    int threads; /* that may work at a time, at least 1 */
};

/* Every process of a loader opens the sampler. The warden does so before it forks, so what `open`
 * builds is there once for it, the commander and all producers; what `at` builds later is the
 * commander's alone. */
struct mr_sampler {
    struct mr_desc d;
    int (*open)(const void *params, const struct mr_sampler_env *env, void **self,
                struct mr_errbuf *e);
    void (*close)(void *self);
    /* What `open` has read beside params and index (a file), as one number: a state that was saved
     * with another one is refused. NULL: nothing. */
    uint64_t (*hash)(void *self);
    uint64_t (*length)(void *self); /* positions in an epoch, at least 1 */
    /* What is made at a position: a pure function of (params, env, epoch, position < length), in
     * any order of calls, also where `self` keeps a table of the epoch it was last asked about.
     * Fails for want of memory only. */
    int (*at)(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
              struct mr_errbuf *e);
    /* What stands in for a bad sample; attempt = 1, 2, ... *pick holds the first choice and gets
     * the substitute. Pure, and cheap in a process that never called `at`. NULL: any sample, its
     * whole image. */
    void (*substitute)(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                       struct mr_pick *pick);
    const struct mr_learner *learner; /* NULL: it takes no feedback */
    /* The size of every pick's window, for a sampler whose picks have one. NULL: they have none. */
    void (*window)(const void *params, int32_t *w, int32_t *h);
    /* In the helper process, once, behind the source's `index`: adds the columns that `open` needs
     * and the source does not have, with a value for every sample of `b`. NULL: it needs none. */
    int (*index)(const void *params, const struct mr_sampler_build *build,
                 struct mr_index_builder *b, struct mr_errbuf *e);
    /* What people should know of the data set ("3 images are smaller ..."), as a sentence into
     * text[cap], "" when there is nothing; in the warden, once. NULL: there is never anything. */
    void (*note)(void *self, char *text, size_t cap);
    bool batchwise; /* positions g * batch .. g * batch + batch - 1 belong together: a mixture then
                       takes whole batches of it or none */
};

/* ---- registries (loaders/registry.c, augment/registry.c): NULL-terminated, sorted by name ---- */
extern const struct mr_op *const mr_ops[];
extern const struct mr_codec *const mr_codecs[];
extern const struct mr_source *const mr_sources[];
extern const struct mr_sampler *const mr_samplers[];

#endif
