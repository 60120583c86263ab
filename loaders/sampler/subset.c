/* SPDX-License-Identifier: Apache-2.0
 *
 * subset.c: the samples that a text file lists, a number per line, in its order or in one of the
 * epoch's own. A sample that is listed twice comes twice.
 */
#include "keyed.h"
#include "sample_list.h"

#include "base/descriptor.h"
#include "base/open_file.h"
#include "base/printable.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

struct subset_params {
    const char *file;
    bool shuffle;
};

struct subset {
    uint64_t first, seed;
    bool shuffle;
    struct mr_sample_list list; /* counted from `first` */
};

/* ---- the file ------------------------------------------------------------------------------- */

struct reader {
    const char *path;
    struct mr_printable name;
    FILE *f;
    uint64_t samples, line;
    struct mr_sample_list *list;
    struct mr_errbuf *e;
};

static int no_memory(const struct reader *r)
{
    return mr__fail(r->e, MR_E_MEMORY, "not enough memory for the list of samples '%s'",
                    r->name.text);
}

static int open_list(struct reader *r)
{
    struct stat st;
    int fd = mr__open_file(r->path);
    if (fd < 0)
        return mr__fail_errno(r->e, MR_E_IO, "cannot open the list of samples '%s'", r->name.text);
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    r->f = regular ? fdopen(fd, "r") : NULL;
    if (r->f)
        return MR_OK;
    close(fd);
    return regular
               ? no_memory(r)
               : mr__fail(r->e, MR_E_IO, "the list of samples '%s' is not a file", r->name.text);
}

static int no_number(const struct reader *r, const char *text, size_t n)
{
    return mr__fail_at(r->e, MR_E_CONFIG, r->name.text, r->line, 0,
                       "'%s' is no sample number: a line holds one number from 0, and what is "
                       "behind a '#' is a comment",
                       mr__printable(text, n < 60 ? n : 60).text);
}

static int add_line(struct reader *r, const char *text, size_t n)
{
    size_t end = n;
    const char *comment = memchr(text, '#', n);
    if (comment)
        end = (size_t)(comment - text);
    while (end && isspace((unsigned char)text[end - 1]))
        end--;
    while (end && isspace((unsigned char)*text)) {
        text++;
        end--;
    }
    if (!end)
        return MR_OK;
    uint64_t number = 0;
    for (size_t i = 0; i < end; i++) {
        if (text[i] < '0' || text[i] > '9')
            return no_number(r, text, end);
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            number = UINT64_MAX;
    }
    if (number >= r->samples)
        return mr__fail_at(r->e, MR_E_CONFIG, r->name.text, r->line, 0,
                           "there is no sample %.*s: the data set's are 0 to %llu",
                           end < 40 ? (int)end : 40, text, (unsigned long long)r->samples - 1);
    return mr__sample_list_add(r->list, number) ? MR_OK : no_memory(r);
}

static int read_lines(struct reader *r)
{
    char *text = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = MR_OK;
    errno = 0;
    while (rc >= 0 && (n = getline(&text, &cap, r->f)) >= 0) {
        r->line++;
        rc = add_line(r, text, (size_t)n);
    }
    if (rc >= 0 && !feof(r->f))
        rc = errno == ENOMEM ? no_memory(r)
                             : mr__fail_errno(r->e, MR_E_IO, "cannot read the list of samples '%s'",
                                              r->name.text);
    free(text);
    if (rc >= 0 && !r->list->n)
        return mr__fail_at(r->e, MR_E_CONFIG, r->name.text, r->line ? r->line : 1, 0,
                           "the list has no sample in it: write one number per line");
    return rc;
}

static int read_list(struct mr_sample_list *list, const char *path, uint64_t samples,
                     struct mr_errbuf *e)
{
    struct reader r = {.path = path,
                       .name = mr__printable(path, strlen(path)),
                       .samples = samples,
                       .list = list,
                       .e = e};
    int rc = open_list(&r);
    if (rc < 0)
        return rc;
    rc = read_lines(&r);
    fclose(r.f);
    return rc;
}

/* ---- the sampler ---------------------------------------------------------------------------- */

static void subset_close(void *self)
{
    struct subset *s = self;
    mr__sample_list_free(&s->list);
    free(s);
}

static int subset_open(const void *params, const struct mr_sampler_env *env, void **self,
                       struct mr_errbuf *e)
{
    const struct subset_params *p = params;
    struct subset *s = calloc(1, sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    *s = (struct subset){.first = env->first, .seed = env->seed, .shuffle = p->shuffle};
    mr__sample_list_begin(&s->list, env->samples);
    int rc = read_list(&s->list, p->file, env->samples, e);
    if (rc < 0)
        subset_close(s);
    else
        *self = s;
    return rc;
}

static uint64_t subset_hash(void *self)
{
    const struct subset *s = self;
    return XXH3_64bits(s->list.bytes.data, s->list.bytes.n) | 1;
}

static uint64_t subset_length(void *self)
{
    const struct subset *s = self;
    return s->list.n;
}

static int subset_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                     struct mr_errbuf *e)
{
    const struct subset *s = self;
    const struct mr_row_key whole = {.seed = s->seed, .epoch = epoch};
    uint64_t place = s->shuffle ? mr__keyed(position, s->list.n, &whole, "subset") : position;
    (void)e;
    *pick = (struct mr_pick){.sample = s->first + mr__sample_list_at(&s->list, place)};
    return MR_OK;
}

/* Another one of the list, as often as it is in it. */
static void subset_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                              struct mr_pick *pick)
{
    const struct subset *s = self;
    struct mr_row_key key = {s->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    uint64_t place = mr_rng_below(&rng, s->list.n);
    *pick = (struct mr_pick){.sample = s->first + mr__sample_list_at(&s->list, place)};
}

static const struct mr_opt subset_opts[] = {
    {.name = "file",
     .type = MR_OPT_PATH,
     .off = offsetof(struct subset_params, file),
     .help = "text file with a sample's number per line, from 0 in the source's order; '#' begins "
             "a comment"},
    {.name = "shuffle",
     .type = MR_OPT_BOOL,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct subset_params, shuffle),
     .def = "true",
     .help = "in an order of the epoch's own; false: in the file's"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_subset = {
    .d = {.name = "subset",
          .help = "the samples that a file lists, each as often as it is listed",
          .params_size = sizeof(struct subset_params),
          .opts = subset_opts},
    .open = subset_open,
    .close = subset_close,
    .hash = subset_hash,
    .length = subset_length,
    .at = subset_at,
    .substitute = subset_substitute,
};
