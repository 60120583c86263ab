/* SPDX-License-Identifier: Apache-2.0
 *
 * patch.c: windows out of large images. Every image holds so many tickets, and their sums over the
 * images before it are one table, with each image's size beside it (16 bytes per image: what a pick
 * looks at lies in one line of memory); a number of a ticket leads to its image by binary search.
 * In a grid a ticket is a window, at random it is one of the image's patches of this epoch, or, by
 * area, one of all the windows that it has. With a minimum coverage the index says which windows of
 * a grid have it, or how the mask is spread over an image's cells.
 */
#include "patch.h"

#include "image_sizes.h"
#include "keyed.h"

#include "base/printable.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 32 /* random windows without the coverage, of which then the best is taken */

enum weight { BY_IMAGE, BY_AREA };

struct place {
    uint64_t before; /* tickets of the images before */
    int32_t w, h;    /* the image's size; with a minimum coverage the index has what is needed */
};

struct patch {
    struct mr_patch_params p;
    struct mr_patch_grid grid;
    struct mr_image_sizes sizes;
    int covered; /* column of what the masks show; -1: they do not matter */
    const struct mr_index *index;
    uint64_t first, samples, seed;
    struct place *places; /* [samples + 1] */
    uint64_t length;
    uint64_t images;               /* that hold any */
    uint64_t small, unknown, bare; /* images left out, and why: bare of mask */
    uint64_t left_out;             /* the first of them */
    int32_t largest_w, largest_h;  /* of the images that are too small */
};

/* ---- which image ---- */

/* What is known of an image. */
struct image {
    int32_t w, h;          /* 0: not known */
    const int32_t *places; /* of windows with the coverage: x, y */
    uint64_t nplaces;
    const int32_t *cells;
};

static struct image covered_image(const struct patch *s, uint64_t sample)
{
    struct image i = {0};
    uint64_t n;
    const int32_t *v = mr__index_numbers(s->index, s->covered, sample, &n);
    if (s->p.mode == MR_PATCH_GRID) {
        i.places = v;
        i.nplaces = n;
    } else if (n > 2) {
        i.cells = v;
        i.w = v[0];
        i.h = v[1];
    }
    return i;
}

/* Even where all of it were in one window. */
static bool is_bare(const struct patch *s, const struct image *i)
{
    const struct mr_rect all = {0, 0, i->w, i->h};
    return i->cells &&
           !mr__patch_enough(&s->grid, s->p.min_coverage, mr__patch_cells_count(i->cells, &all));
}

/* Windows of the image that the sampler may take; 0: it is smaller than one. */
static uint64_t tickets_of(const struct patch *s, const struct image *i)
{
    int32_t w = i->w, h = i->h;
    if (s->covered >= 0 && s->p.mode == MR_PATCH_GRID)
        return i->nplaces;
    if (w < s->grid.w || h < s->grid.h || is_bare(s, i))
        return 0;
    if (s->p.mode == MR_PATCH_GRID)
        return mr__patch_grid_count(&s->grid, w, h);
    if (s->p.weight != BY_AREA)
        return (uint64_t)s->p.per_image;
    return (uint64_t)(w - s->grid.w + 1) * (uint64_t)(h - s->grid.h + 1);
}

static uint64_t left_out(const struct patch *s)
{
    return s->small + s->unknown + s->bare;
}

static void leave_out(struct patch *s, uint64_t sample, const struct image *i)
{
    int32_t w = i->w, h = i->h;
    bool bare = (s->covered >= 0 && s->p.mode == MR_PATCH_GRID) ||
                (i->cells && w >= s->grid.w && h >= s->grid.h);
    if (!left_out(s))
        s->left_out = sample;
    s->bare += bare;
    s->small += !bare && w > 0;
    s->unknown += !bare && w == 0;
    if ((int64_t)w * h > (int64_t)s->largest_w * s->largest_h) {
        s->largest_w = w;
        s->largest_h = h;
    }
}

static struct image read_image(const struct patch *s, uint64_t sample)
{
    struct image i = {0};
    if (s->covered >= 0)
        return covered_image(s, sample);
    mr__image_size_at(&s->sizes, sample, &i.w, &i.h);
    return i;
}

static int count_tickets(struct patch *s, struct mr_errbuf *e)
{
    s->places = malloc((s->samples + 1) * sizeof *s->places);
    if (!s->places)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the sampler's table of %llu images",
                        (unsigned long long)s->samples);
    s->places[0].before = 0;
    for (uint64_t i = 0; i < s->samples; i++) {
        struct image image = read_image(s, s->first + i);
        uint64_t n = tickets_of(s, &image);
        if (!n)
            leave_out(s, s->first + i, &image);
        s->images += n > 0;
        s->places[i].w = image.w;
        s->places[i].h = image.h;
        if (__builtin_add_overflow(s->places[i].before, n, &s->places[i + 1].before))
            return mr__fail(e, MR_E_LIMIT, "the images have more than 2^64 windows");
    }
    return MR_OK;
}

/* Narrows [lo, hi] around where a ticket lies if all images have equally many, in growing steps: a
 * search of the whole table would meet a line of memory that is far away in each of its steps. */
static void narrow(const struct patch *s, uint64_t ticket, uint64_t *lo, uint64_t *hi)
{
    double share = (double)ticket / (double)s->places[s->samples].before;
    uint64_t at = (uint64_t)(share * (double)s->samples), step = 8;
    if (at >= s->samples)
        at = s->samples - 1;
    if (s->places[at].before <= ticket) {
        for (*lo = at; step < *hi - *lo && s->places[*lo + step].before <= ticket; step *= 4)
            *lo += step;
        *hi = step < *hi - *lo ? *lo + step : *hi;
    } else {
        for (*hi = at; step < *hi - *lo && s->places[*hi - step].before > ticket; step *= 4)
            *hi -= step;
        *lo = step < *hi - *lo ? *hi - step : *lo;
    }
}

/* The place of the image that holds a ticket; *number: which of its own it is. */
static uint64_t find_image(const struct patch *s, uint64_t ticket, uint64_t *number)
{
    uint64_t lo = 0, hi = s->samples; /* before[lo] <= ticket < before[hi] */
    narrow(s, ticket, &lo, &hi);
    while (hi - lo > 1) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (s->places[mid].before <= ticket)
            lo = mid;
        else
            hi = mid;
    }
    *number = ticket - s->places[lo].before;
    return lo;
}

/* ---- which window ---- */

static struct mr_rect draw_any(const struct patch *s, const struct image *i, mr_rng *rng)
{
    uint64_t x = mr_rng_below(rng, (uint64_t)(i->w - s->grid.w) + 1);
    uint64_t y = mr_rng_below(rng, (uint64_t)(i->h - s->grid.h) + 1);
    return (struct mr_rect){(int32_t)x, (int32_t)y, s->grid.w, s->grid.h};
}

static struct mr_rect draw_window(const struct patch *s, const struct image *i, mr_rng *rng)
{
    struct mr_rect best = draw_any(s, i, rng), r = best;
    double most = i->cells ? mr__patch_cells_count(i->cells, &r) : 0;
    for (int try = 1; i->cells && try < TRIES; try++) {
        if (mr__patch_enough(&s->grid, s->p.min_coverage, most))
            break;
        r = draw_any(s, i, rng);
        double count = mr__patch_cells_count(i->cells, &r);
        if (count > most) {
            most = count;
            best = r;
        }
    }
    return best;
}

static struct mr_rect covered_window(const struct patch *s, const struct image *i, uint64_t number)
{
    return (struct mr_rect){i->places[2 * number], i->places[2 * number + 1], s->grid.w, s->grid.h};
}

static void take(const struct patch *s, uint64_t ticket, mr_rng *rng, struct mr_pick *pick)
{
    uint64_t number, at = find_image(s, ticket, &number);
    pick->sample = s->first + at;
    struct image i = s->covered >= 0 ? covered_image(s, pick->sample)
                                     : (struct image){.w = s->places[at].w, .h = s->places[at].h};
    pick->window = i.places                     ? covered_window(s, &i, number)
                   : s->p.mode == MR_PATCH_GRID ? mr__patch_grid_window(&s->grid, i.w, i.h, number)
                                                : draw_window(s, &i, rng);
}

/* The place in the order of an epoch. */
static uint64_t shuffled(const struct patch *s, uint64_t epoch, uint64_t position)
{
    const struct mr_row_key whole = {.seed = s->seed, .epoch = epoch};
    return mr__keyed(position, s->length, &whole, "patch.order");
}

static uint64_t all_tickets(const struct patch *s)
{
    return s->places[s->samples].before;
}

static int patch_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                    struct mr_errbuf *e)
{
    const struct patch *s = self;
    struct mr_row_key key = {.seed = s->seed, .epoch = epoch, .position = position};
    mr_rng rng = {0};
    uint64_t ticket = position;
    (void)e;
    if (s->p.mode == MR_PATCH_RANDOM)
        rng = mr__rng_open(&key, "patch", 0);
    if (s->p.mode == MR_PATCH_RANDOM && s->p.weight == BY_AREA)
        ticket = mr_rng_below(&rng, all_tickets(s));
    else if (s->p.shuffle)
        ticket = shuffled(s, epoch, position);
    take(s, ticket, &rng, pick);
    return MR_OK;
}

static void patch_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                             struct mr_pick *pick)
{
    const struct patch *s = self;
    struct mr_row_key key = {s->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    take(s, mr_rng_below(&rng, all_tickets(s)), &rng, pick);
}

static uint64_t patch_length(void *self)
{
    return ((const struct patch *)self)->length;
}

static void patch_window(const void *params, int32_t *w, int32_t *h)
{
    const struct mr_patch_params *p = params;
    *w = (int32_t)p->size.w;
    *h = (int32_t)p->size.h;
}

/* ---- what is left out ---- */

static int nothing_left(const struct patch *s, struct mr_errbuf *e)
{
    if (s->bare)
        return mr__fail(e, MR_E_CONFIG,
                        "no patch of %d x %d pixels (width x height) has a mask over %g of it: not "
                        "one of %llu images gives any; make 'sampler.min_coverage' or "
                        "'sampler.size' smaller",
                        s->grid.w, s->grid.h, s->p.min_coverage, (unsigned long long)s->samples);
    if (!s->small)
        return mr__fail(e, MR_E_DATA,
                        "the sampler 'patch' finds no image: not one of %llu could be read ('"
                        "millrace verify' says why)",
                        (unsigned long long)s->samples);
    return mr__fail(e, MR_E_CONFIG,
                    "no image has room for a patch of %d x %d pixels (width x height): the largest "
                    "of %llu is %d x %d; make 'sampler.size' smaller",
                    s->grid.w, s->grid.h, (unsigned long long)s->samples, s->largest_w,
                    s->largest_h);
}

static void patch_note(void *self, char *text, size_t cap)
{
    const struct patch *s = self;
    if (!left_out(s))
        return;
    int image = mr__index_column(s->index, "image");
    bool named = image >= 0 && s->index->head->column[image].kind == MR_COL_PATH;
    char *path = named ? mr__index_full_path(s->index, image, s->left_out) : NULL;
    snprintf(text, cap,
             "the sampler 'patch' leaves out %llu of %llu images: %llu are smaller than a patch of "
             "%d x %d (width x height), %llu have too little mask, %llu could not be read; the "
             "first is '%s'",
             (unsigned long long)left_out(s), (unsigned long long)s->samples,
             (unsigned long long)s->small, s->grid.w, s->grid.h, (unsigned long long)s->bare,
             (unsigned long long)s->unknown, path ? mr__printable(path, strlen(path)).text : "?");
    free(path);
}

/* ---- life ---- */

static void patch_close(void *self)
{
    struct patch *s = self;
    if (s)
        free(s->places);
    free(s);
}

static int find_columns(struct patch *s, struct mr_errbuf *e)
{
    char name[MR_INDEX_NAME];
    s->covered = -1;
    if (s->p.min_coverage <= 0)
        return mr__image_sizes_open(&s->sizes, s->index, e);
    mr__patch_column(&s->p, name);
    s->covered = mr__index_column(s->index, name);
    return s->covered >= 0 ? MR_OK
                           : mr__fail(e, MR_E_CONFIG, "the index does not say what the masks show");
}

static int set_length(struct patch *s, struct mr_errbuf *e)
{
    if (!s->images)
        return nothing_left(s, e);
    s->length = all_tickets(s);
    if (s->p.mode == MR_PATCH_RANDOM && s->p.weight == BY_AREA &&
        __builtin_mul_overflow(s->images, (uint64_t)s->p.per_image, &s->length))
        return mr__fail(e, MR_E_LIMIT, "an epoch of more than 2^64 patches");
    return MR_OK;
}

static int patch_open(const void *params, const struct mr_sampler_env *env, void **self,
                      struct mr_errbuf *e)
{
    struct patch *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    s->p = *(const struct mr_patch_params *)params;
    if (!s->p.per_image)
        s->p.per_image = 1;
    s->grid = mr__patch_grid(&s->p);
    s->index = env->index;
    s->first = env->first;
    s->samples = env->samples;
    s->seed = env->seed;
    int rc = find_columns(s, e);
    if (rc == MR_OK)
        rc = count_tickets(s, e);
    if (rc == MR_OK)
        rc = set_length(s, e);
    if (rc == MR_OK)
        *self = s;
    else
        patch_close(s);
    return rc;
}

/* ---- options ---- */

static int patch_check(const void *params, struct mr_errbuf *e)
{
    const struct mr_patch_params *p = params;
    int64_t shorter = p->size.w < p->size.h ? p->size.w : p->size.h;
    const char *foreign = NULL;
    if (p->mode == MR_PATCH_RANDOM)
        foreign = p->stride.h ? "stride" : p->overlap ? "overlap" : p->edge >= 0 ? "edge" : NULL;
    else
        foreign = p->per_image ? "per_image" : p->weight >= 0 ? "weight" : NULL;
    if (foreign)
        return mr__fail(e, MR_E_CONFIG,
                        "'%s' means nothing with 'mode: %s': take it out, or "
                        "write 'mode: %s'",
                        foreign, p->mode == MR_PATCH_RANDOM ? "random" : "grid",
                        p->mode == MR_PATCH_RANDOM ? "grid" : "random");
    if (p->stride.h && p->overlap)
        return mr__fail(e, MR_E_CONFIG,
                        "'stride' and 'overlap' both say how far windows lie apart: give one");
    if (p->overlap >= shorter)
        return mr__fail(e, MR_E_CONFIG,
                        "an 'overlap' of %lld pixels leaves no step between windows of %lld x "
                        "%lld (height x width): it must be less than both",
                        (long long)p->overlap, (long long)p->size.h, (long long)p->size.w);
    return MR_OK;
}

static const char *const modes[] = {"random", "grid", NULL};
static const char *const edges[] = {"shift", "drop", NULL};
static const char *const weights[] = {"image", "area", NULL};

#define AT(field) offsetof(struct mr_patch_params, field)
static const struct mr_opt opts[] = {
    {"size", MR_OPT_SIZE, MR_OPT_STREAM, AT(size), NULL, 1, 65535, NULL, "pixels",
     "size of a patch: one number for a square, or [height, width]"},
    {"mode", MR_OPT_ENUM, MR_OPT_STREAM, AT(mode), "random", 0, 0, modes, NULL,
     "random: anywhere in the image, anew in every epoch; grid: side by side over the image"},
    {"per_image", MR_OPT_INT, MR_OPT_STREAM, AT(per_image), "", 1, 1e9, NULL, "patches",
     "random: patches of an image in an epoch (default 1)"},
    {"weight", MR_OPT_ENUM, MR_OPT_STREAM, AT(weight), "", 0, 0, weights, NULL,
     "random: image: every image gives as many (the default); area: every window of the data set "
     "is as likely, so large images give more"},
    {"stride", MR_OPT_SIZE, MR_OPT_STREAM, AT(stride), "", 1, 65535, NULL, "pixels",
     "grid: from one window to the next: one number, or [down, right]; default: the size"},
    {"overlap", MR_OPT_INT, MR_OPT_STREAM, AT(overlap), "", 1, 65534, NULL, "pixels",
     "grid: what neighbours share, in place of a stride"},
    {"edge", MR_OPT_ENUM, MR_OPT_STREAM, AT(edge), "", 0, 0, edges, NULL,
     "grid: where the last window does not reach the edge, one more is shifted inward (the "
     "default), or the rest is left out"},
    {"min_coverage", MR_OPT_FLOAT, MR_OPT_STREAM, AT(min_coverage), "0", 0, 1, NULL, NULL,
     "the least share of a window in which the image's mask is not zero: windows of a grid with "
     "less are left out, random ones drawn anew (32 times, then the best of them is taken)"},
    {"shuffle", MR_OPT_BOOL, MR_OPT_STREAM, AT(shuffle), "true", 0, 0, NULL, NULL,
     "an order of the epoch's own; false: image after image, a grid row by row"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_patch = {
    .d = {.name = "patch",
          .help = "windows out of large images, at random or on a grid; only they are decoded",
          .params_size = sizeof(struct mr_patch_params),
          .opts = opts,
          .check = patch_check},
    .open = patch_open,
    .close = patch_close,
    .length = patch_length,
    .at = patch_at,
    .substitute = patch_substitute,
    .window = patch_window,
    .index = mr__patch_index,
    .note = patch_note,
};
