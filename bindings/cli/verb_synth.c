/* SPDX-License-Identifier: Apache-2.0
 *
 * verb_synth.c: millrace synth DIR. Picture n of a data set is a function of (seed, n, size,
 * classes, format) alone, so the bytes do not depend on how many threads draw.
 */
#include "image_write.h"
#include "out_file.h"
#include "progress.h"
#include "synth_scene.h"
#include "verbs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum format { JPEG, PNG, MIXED };
static const char *const format_names[] = {"jpeg", "png", "mixed", NULL};

struct options {
    int64_t images, classes, seed;
    struct cli_size size; /* 0x0: each picture its own */
    int format;
    bool force, quiet;
};

#define AT(field) offsetof(struct options, field)
static const struct options defaults = {.images = 200, .classes = 5, .seed = 1};
static const struct cli_flag flags[] = {
    {"images", CLI_INT, AT(images), "N", 1, 9999999, NULL, "pictures in all (default 200)"},
    {"size", CLI_SIZE, AT(size), "WxH", 16, 16384, NULL,
     "every picture's size; default: each its own, 200 to 400 pixels a side"},
    {"classes", CLI_INT, AT(classes), "K", 1, SCENE_CLASSES, NULL,
     "classes, 1 to 64: a shape in a colour each (default 5)"},
    {"seed", CLI_INT, AT(seed), "S", 0, INT64_MAX, NULL,
     "another seed, other pictures (default 1)"},
    {"format", CLI_CHOICE, AT(format), "jpeg|png|mixed", 0, 0, format_names,
     "of the pictures; masks are always PNG (default jpeg)"},
    {"force", CLI_BOOL, AT(force), NULL, 0, 0, NULL,
     "write into a folder that is not empty; other files in it stay"},
    {"quiet", CLI_BOOL, AT(quiet), NULL, 0, 0, NULL, "no progress, no summary"},
    CLI_FLAGS_END,
};

struct category {
    char name[32];
    int shape, colour;
};

struct picture {
    char image[64], mask[64]; /* relative to the data set's folder */
    int label;
    int nboxes;
    struct scene_box boxes[SCENE_MAX_OBJECTS];
};

struct job {
    const struct options *o;
    const char *folder;
    struct category classes[SCENE_CLASSES];
    struct picture *pictures;
    struct progress progress;
    uint64_t done;
    bool failed;
    char sentence[PATH_MAX + 256]; /* the first failure */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct category *)a)->name, ((const struct category *)b)->name);
}

/* Labels follow the sorted names, as a folder source numbers its classes. The colours run through
 * the shapes in steps of three, so that few classes differ in both. */
static void name_classes(struct job *job)
{
    int n = (int)job->o->classes;
    for (int k = 0; k < n; k++) {
        struct category *c = &job->classes[k];
        c->shape = k % SCENE_SHAPES;
        c->colour = (3 * k + k / SCENE_SHAPES) % SCENE_COLOURS;
        snprintf(c->name, sizeof c->name, "%s_%s", scene_colour_name(c->colour),
                 scene_shape_name(c->shape));
    }
    qsort(job->classes, (size_t)n, sizeof job->classes[0], by_name);
}

/* ---- folders -------------------------------------------------------------------------------- */

/* As mkdir -p. 0 or -1 with errno. */
static int make_folder(const char *path)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return mkdir(part, 0777) && errno != EEXIST ? -1 : 0;
}

/* 1: empty or not there; 0: not empty; -1: errno. */
static int is_free(const char *path)
{
    DIR *dir = opendir(path);
    int entries = 0;
    if (!dir)
        return errno == ENOENT ? 1 : -1;
    while (entries < 3 && readdir(dir)) /* . and .. */
        entries++;
    closedir(dir);
    return entries < 3;
}

static int make_folders(const struct job *job)
{
    static const char *const tops[] = {"images", "masks"};
    char path[PATH_MAX];
    for (int t = 0; t < 2; t++) {
        for (int k = 0; k < job->o->classes; k++) {
            int n =
                snprintf(path, sizeof path, "%s/%s/%s", job->folder, tops[t], job->classes[k].name);
            errno = ENAMETOOLONG;
            if (n >= (int)sizeof path || make_folder(path))
                return cli_fail(CLI_FAILED, "cannot make the folder '%s': %s", path,
                                strerror(errno));
        }
    }
    return CLI_DONE;
}

/* ---- pictures ------------------------------------------------------------------------------- */

static void fail_job(struct job *job, const char *what, const char *path, const char *why)
{
#pragma omp critical(synth_failure)
    {
        if (!job->failed)
            snprintf(job->sentence, sizeof job->sentence, "cannot %s '%s': %s", what, path, why);
        job->failed = true;
    }
}

static bool has_failed(struct job *job)
{
    return __atomic_load_n(&job->failed, __ATOMIC_RELAXED);
}

/* Encodes and writes one image under the data set's folder. */
static void write_image(struct job *job, const char *name, const struct pixels *image, bool jpeg)
{
    char path[PATH_MAX];
    struct encoded bytes = {0};
    if (snprintf(path, sizeof path, "%s/%s", job->folder, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        fail_job(job, "write", name, strerror(ENAMETOOLONG));
        return;
    }
    errno = 0;
    if (jpeg ? encode_jpeg(image, 90, &bytes) : encode_png(image, &bytes))
        fail_job(job, "encode", path, "not enough memory");
    else if (write_file(path, bytes.data, bytes.n))
        fail_job(job, "write", path, out_file_why(errno));
    free(bytes.data);
}

static void draw_and_write(struct job *job, int64_t number, struct scene *s, struct scene_rng *rng)
{
    struct picture *p = &job->pictures[number];
    const struct category *c = &job->classes[p->label];
    const struct options *o = job->o;
    bool jpeg = o->format == JPEG || (o->format == MIXED && scene_rng_int(rng, 0, 2));
    scene_draw(s, rng, c->shape, c->colour);
    p->nboxes = s->nobjects;
    memcpy(p->boxes, s->boxes, sizeof p->boxes);
    snprintf(p->image, sizeof p->image, "images/%s/%06lld.%s", c->name, (long long)number + 1,
             jpeg ? "jpg" : "png");
    snprintf(p->mask, sizeof p->mask, "masks/%s/%06lld.png", c->name, (long long)number + 1);
    write_image(job, p->image, &(struct pixels){s->rgb, s->w, s->h, 3}, jpeg);
    if (!has_failed(job))
        write_image(job, p->mask, &(struct pixels){s->mask, s->w, s->h, 1}, false);
}

static void make_picture(struct job *job, int64_t number)
{
    const struct options *o = job->o;
    struct scene_rng rng = scene_rng((uint64_t)o->seed, (uint64_t)number);
    struct scene s = {.w = (int)o->size.w, .h = (int)o->size.h};
    if (!s.w) {
        s.w = scene_rng_int(&rng, 200, 400);
        s.h = scene_rng_int(&rng, 200, 400);
    }
    size_t area = (size_t)s.w * (size_t)s.h;
    uint8_t *memory = malloc(area * 4);
    if (!memory) {
        errno = 0;
        fail_job(job, "draw in", job->folder,
                 "not enough memory for a picture; choose a smaller --size");
        return;
    }
    s.rgb = memory;
    s.mask = memory + area * 3;
    job->pictures[number].label = (int)(number % o->classes);
    draw_and_write(job, number, &s, &rng);
    free(memory);
}

static void make_pictures(struct job *job)
{
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < job->o->images; i++) {
        if (has_failed(job))
            continue;
        make_picture(job, i);
#pragma omp critical(synth_progress)
        progress_step(&job->progress, ++job->done);
    }
}

/* ---- manifest ------------------------------------------------------------------------------- */

/* Written last: where there is a manifest, the data set is whole. */
static int write_manifest(const struct job *job)
{
    char *text = NULL, path[PATH_MAX];
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out)
        return cli_fail(CLI_FAILED, "not enough memory for the manifest");
    fputs("image,mask,label:i64,boxes:f32[4]\n", out);
    for (int64_t i = 0; i < job->o->images; i++) {
        const struct picture *p = &job->pictures[i];
        fprintf(out, "%s,%s,%d,", p->image, p->mask, p->label);
        for (int k = 0; k < p->nboxes; k++)
            fprintf(out, "%s%d %d %d %d", k ? " " : "", p->boxes[k].x0, p->boxes[k].y0,
                    p->boxes[k].x1, p->boxes[k].y1);
        fputc('\n', out);
    }
    /* fclose does not tell of failed allocations; its own leaves no text. */
    bool cut = ferror(out);
    if (fclose(out) || cut || !text) {
        free(text);
        return cli_fail(CLI_FAILED, "not enough memory for the manifest");
    }
    snprintf(path, sizeof path, "%.*s/manifest.csv", PATH_MAX - 16, job->folder);
    int rc = write_file(path, text, n)
                 ? cli_fail(CLI_FAILED, "cannot write '%s': %s", path, out_file_why(errno))
                 : CLI_DONE;
    free(text);
    return rc;
}

/* ---- verb ----------------------------------------------------------------------------------- */

static int make_data_set(struct job *job)
{
    name_classes(job);
    int rc = make_folders(job);
    if (rc)
        return rc;
    progress_begin(&job->progress, "writing", "pictures", (uint64_t)job->o->images, job->o->quiet);
    make_pictures(job);
    progress_end(&job->progress);
    if (job->failed)
        return cli_fail(CLI_FAILED, "%s", job->sentence);
    rc = write_manifest(job);
    if (!rc && !job->o->quiet)
        fprintf(stderr,
                "%lld pictures of %lld classes in '%s/images', labels, masks and boxes in "
                "'%s/manifest.csv' (%.1f s)\n",
                (long long)job->o->images, (long long)job->o->classes, job->folder, job->folder,
                (double)(cli_now_ns() - job->progress.began_ns) * 1e-9);
    return rc;
}

static int run(const void *options, int nargs, char *const *args)
{
    const struct options *o = options;
    (void)nargs;
    int is_empty = is_free(args[0]);
    if (is_empty < 0)
        return cli_fail(CLI_WRONG_USE, "cannot use '%s' as a folder: %s", args[0], strerror(errno));
    if (!is_empty && !o->force)
        return cli_fail(CLI_WRONG_USE,
                        "'%s' is not empty; name a new folder, or write into it with --force",
                        args[0]);
    struct job *job = calloc(1, sizeof *job);
    if (job)
        job->pictures = calloc((size_t)o->images, sizeof *job->pictures);
    if (!job || !job->pictures) {
        free(job);
        return cli_fail(CLI_FAILED, "not enough memory for %lld pictures", (long long)o->images);
    }
    job->o = o;
    job->folder = args[0];
    int rc = make_data_set(job);
    free(job->pictures);
    free(job);
    return rc;
}

const struct cli_verb verb_synth = {
    .name = "synth",
    .args = "DIR",
    .help = "make a data set of coloured shapes that a network can learn",
    .more =
        "DIR/images/CLASS/000001.jpg, DIR/masks/CLASS/000001.png (0 ground, 1.. the objects) and\n"
        "DIR/manifest.csv (image, mask, label, boxes). A class is a shape in a colour; gray "
        "shapes\n"
        "and coloured strokes distract. Equal seeds give equal bytes, however many threads draw\n"
        "(OMP_NUM_THREADS sets how many).\n",
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
