/* SPDX-License-Identifier: Apache-2.0
 *
 * analyze_advice.c: from figures to sentences: one per thing that is worth changing, with the
 * figure it rests on. A thing below these shares is not worth a sentence.
 */
#include "analyze.h"

#include <stdio.h>
#include <string.h>

#define DECODE_MATTERS 0.30
#define PART_MATTERS 0.15
#define WAIT_MATTERS 0.50
#define TOUCHED_TWICE 1.5 /* of what is needed: worth a word from here on */
#define SOME 0.10         /* of the images */

static char *next(struct advice *out)
{
    return out->n < ADVICE_MAX ? out->text[out->n++] : NULL;
}

static const mr_stage_cost *find(const struct analysis *a, const char *what)
{
    for (int i = 0; i < a->profile.nstages; i++) {
        if (analysis_is(&a->profile.stage[i], what))
            return &a->profile.stage[i];
    }
    return NULL;
}

static double share(const struct analysis *a, const char *what)
{
    const mr_stage_cost *s = find(a, what);
    return s ? analysis_share(a, s) : 0;
}

static void on_waiting(const struct analysis *a, struct advice *out)
{
    double waits = share(a, "wait");
    char *text = waits >= WAIT_MATTERS ? next(out) : NULL;
    if (text)
        snprintf(text, ADVICE_TEXT,
                 "producers wait %.0f %% of their time for a free slot, though nothing is done "
                 "with the batches here: more slots, or larger batches",
                 100 * waits);
}

static void on_size(const struct analysis *a, struct advice *out)
{
    const mr_profile *p = &a->profile;
    double could = analysis_ratio(analysis_scaled(p->scale_fast), p->images);
    bool does = analysis_scaled(p->scale) > 0;
    char *text = could >= SOME && !does ? next(out) : NULL;
    if (text)
        snprintf(text, ADVICE_TEXT,
                 "%.0f %% of the crops have at least twice the pixels, each way, that they are "
                 "resized to: 'decode: fast' decodes these at a reduced size (other pixels: "
                 "docs/planner.md), and smaller files would spare reading them as well",
                 100 * could);
}

static void on_decoding(const struct analysis *a, struct advice *out)
{
    const mr_profile *p = &a->profile;
    double decodes = share(a, "decode");
    if (decodes < DECODE_MATTERS)
        return;
    on_size(a, out);
    double touched = analysis_ratio(p->pixels_read, p->pixels_needed);
    char *text = touched >= TOUCHED_TWICE ? next(out) : NULL;
    if (text)
        snprintf(text, ADVICE_TEXT,
                 "decoding (%.0f %% of the work) touches %.1f times the pixels that are needed: %s",
                 100 * decodes, touched,
                 a->packed ? "images that are not much larger than the crops have less to read"
                           : "a file is one chain of codes, which is read from its top to the "
                             "crop's last row; 'millrace pack' cuts JPEGs so that a crop reads "
                             "only what it touches (the same pixels; docs/pack.md)");
}

/* Where nothing is decoded, reading is all that there is to do. */
static void on_reading(const struct analysis *a, struct advice *out)
{
    double reads = share(a, "read");
    char *text = reads >= PART_MATTERS && a->profile.images ? next(out) : NULL;
    if (text)
        snprintf(text, ADVICE_TEXT,
                 "reading files is %.0f %% of the work: a local disk, or a data set that fits in "
                 "memory",
                 100 * reads);
}

/* Ops that go over pixels by themselves, and masks. */
static void on_parts(const struct analysis *a, struct advice *out)
{
    static const char *const others[] = {"read", "header", "decode", "wait", "fill"};
    for (int i = 0; i < a->profile.nstages; i++) {
        const mr_stage_cost *s = &a->profile.stage[i];
        bool other = strstr(s->what, " -> ") != NULL; /* the store has to be */
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            other = other || analysis_is(s, others[k]);
        char *text = !other && analysis_share(a, s) >= PART_MATTERS ? next(out) : NULL;
        if (text)
            snprintf(text, ADVICE_TEXT, "'%s' is %.0f %% of the work", s->what,
                     100 * analysis_share(a, s));
    }
}

static void on_producers(const struct analysis *a, struct advice *out)
{
    bool busy = share(a, "wait") < WAIT_MATTERS;
    char *text = busy && a->producers < a->cores ? next(out) : NULL;
    if (text)
        snprintf(text, ADVICE_TEXT, "%d producer%s on %d cores: 'producers: auto' takes them all",
                 a->producers, a->producers == 1 ? "" : "s", a->cores);
}

void analysis_advise(const struct analysis *a, struct advice *out)
{
    out->n = 0;
    on_waiting(a, out);
    on_decoding(a, out);
    on_reading(a, out);
    on_parts(a, out);
    on_producers(a, out);
}
