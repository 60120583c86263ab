/* SPDX-License-Identifier: Apache-2.0 */
#include "analyze.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>

static const int sizes[4] = {1, 2, 4, 8};

/* ---- text ---- */

static void print_stages(const struct analysis *a)
{
    const mr_profile *p = &a->profile;
    printf("  %10s  %6s  %8s  %s\n", "us per row", "share", "rows", "stage");
    for (int i = 0; i < p->nstages; i++) {
        const mr_stage_cost *s = &p->stage[i];
        bool waits = analysis_is(s, "wait");
        if (waits)
            printf("  %10.1f  %5.1f%%  %8" PRIu64 "  all of that\n",
                   analysis_per_row(a, analysis_work_ns(a)) * 1e-3, 100.0, p->rows);
        printf("  %10.1f  %5.1f%%  %8" PRIu64 "  %s%s\n",
               analysis_per_row(a, (double)s->ns) * 1e-3, 100 * analysis_share(a, s), s->times,
               s->what, waits ? " for a free slot (share of all time)" : "");
    }
}

static void print_list(const char *between, const char *what, uint64_t images)
{
    printf("%s%s %" PRIu64, between, what, images);
}

static void print_who(const mr_profile *p)
{
    const char *between = " ";
    char size[8];
    printf("  images      ");
    for (int i = 0; i < MR_PROFILE_ENGINES && p->engine_name[i]; i++) {
        if (p->engine[i]) {
            print_list(between, p->engine_name[i], p->engine[i]);
            between = ", ";
        }
    }
    between = "; at ";
    for (int i = 0; i < 4; i++) {
        if (p->scale[i]) {
            snprintf(size, sizeof size, "1/%d", sizes[i]);
            print_list(between, size, p->scale[i]);
            between = ", ";
        }
    }
    printf("\n");
}

static void print_pixels(const char *what, const struct analysis *a, uint64_t pixels,
                         uint64_t needed, const char *of)
{
    printf("  %-12s %10.0f pixels per image", what, analysis_ratio(pixels, a->profile.images));
    if (needed)
        printf(", %.2f times %s", analysis_ratio(pixels, needed), of);
    printf("\n");
}

static void print_decode(const struct analysis *a)
{
    const mr_profile *p = &a->profile;
    if (!p->images)
        return;
    printf("\ndecoding\n");
    print_who(p);
    printf("  files        %10.0f bytes per image, %.0f %% of them read by the decoder\n",
           analysis_ratio(p->file_bytes, p->images),
           100 * analysis_ratio(p->bytes_decoded, p->file_bytes));
    print_pixels("whole", a, p->pixels, 0, "");
    print_pixels("needed", a, p->pixels_needed, p->pixels, "the whole");
    print_pixels("codes read", a, p->pixels_read, p->pixels_needed, "what is needed");
    print_pixels("computed", a, p->pixels_made, p->pixels_wanted,
                 "what is needed at the decoded size");
    printf("  stored       %10" PRIu64 " bytes per row\n", p->row_bytes);
}

static void print_advice(const struct analysis *a)
{
    struct advice advice;
    analysis_advise(a, &advice);
    printf("\nwhat would help\n");
    for (int i = 0; i < advice.n; i++)
        printf("  - %s\n", advice.text[i]);
    if (!advice.n)
        printf("  nothing stands out\n");
}

void analysis_print(const struct analysis *a)
{
    printf("\nanalyze: %" PRIu64 " batches taken, %" PRIu64 " rows made by %d producer%s in "
           "%.3f s; a run like any other,\nits batches thrown away\n\n",
           a->batches, a->profile.rows, a->producers, a->producers == 1 ? "" : "s", a->seconds);
    print_stages(a);
    print_decode(a);
    print_advice(a);
}

/* ---- JSON ---- */

static void json_stages(struct json *j, const struct analysis *a)
{
    json_list(j, "stages");
    for (int i = 0; i < a->profile.nstages; i++) {
        const mr_stage_cost *s = &a->profile.stage[i];
        json_item(j);
        json_text(j, "what", s->what);
        json_count(j, "ns", s->ns);
        json_count(j, "rows", s->times);
        json_real(j, "us_per_row", analysis_per_row(a, (double)s->ns) * 1e-3);
        json_real(j, "share", analysis_share(a, s));
        json_item_end(j);
    }
    json_list_end(j);
}

static void json_images(struct json *j, const mr_profile *p)
{
    json_list(j, "engines");
    for (int i = 0; i < MR_PROFILE_ENGINES && p->engine_name[i]; i++) {
        json_item(j);
        json_text(j, "name", p->engine_name[i]);
        json_count(j, "images", p->engine[i]);
        json_item_end(j);
    }
    json_list_end(j);
    json_list(j, "sizes");
    for (int i = 0; i < 4; i++) {
        json_item(j);
        json_count(j, "divided_by", (uint64_t)sizes[i]);
        json_count(j, "images", p->scale[i]);
        json_count(j, "images_with_fast", p->scale_fast[i]);
        json_item_end(j);
    }
    json_list_end(j);
}

static void json_advice(struct json *j, const struct analysis *a)
{
    struct advice advice;
    analysis_advise(a, &advice);
    json_list(j, "advice");
    for (int i = 0; i < advice.n; i++) {
        json_item(j);
        json_text(j, "text", advice.text[i]);
        json_item_end(j);
    }
    json_list_end(j);
}

void analysis_json(const struct analysis *a)
{
    const mr_profile *p = &a->profile;
    struct json j;
    json_begin(&j, stdout);
    json_text(&j, "config", a->config);
    json_count(&j, "batches", a->batches);
    json_count(&j, "rows", p->rows);
    json_count(&j, "producers", (uint64_t)a->producers);
    json_real(&j, "seconds", a->seconds);
    json_real(&j, "work_us_per_row", analysis_per_row(a, analysis_work_ns(a)) * 1e-3);
    json_stages(&j, a);
    json_count(&j, "images", p->images);
    json_count(&j, "file_bytes", p->file_bytes);
    json_count(&j, "bytes_decoded", p->bytes_decoded);
    json_count(&j, "pixels", p->pixels);
    json_count(&j, "pixels_needed", p->pixels_needed);
    json_count(&j, "pixels_read", p->pixels_read);
    json_count(&j, "pixels_wanted", p->pixels_wanted);
    json_count(&j, "pixels_made", p->pixels_made);
    json_count(&j, "row_bytes", p->row_bytes);
    json_images(&j, p);
    json_advice(&j, a);
    json_end(&j);
}
