/* SPDX-License-Identifier: Apache-2.0
 *
 * badlist_resolve.c: a list of bad samples meets a data set. The list may be of another run, or of
 * a data set that has changed or moved since, so it is asked what each line can still mean:
 *
 *   - a sample is found by its number when the path there is the listed one (the end of it: a data
 *     set may be moved), else by its path, else it is gone;
 *   - a line with a place (epoch, position, attempt) at which this run too tries this sample is
 *     obeyed there and nowhere else, which repeats the run that wrote it exactly, also where the
 *     same file was good because its damage lay outside of the crop;
 *   - a line with a place of another run says that the sample is bad, if its own bytes were to
 *     blame, and nothing if wall time or memory were;
 *   - a line without a place says that the sample is bad wherever it is met.
 */
#include "base/printable.h"
#include "pipe/badlist.h"
#include "pipe/session.h"
#include "shm/report.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct wanted { /* a path whose sample number is not known */
    uint64_t hash;
    uint32_t entry;
    const char *path; /* relative to the root, if it lies below it */
    size_t n;
    const struct mr_index_part *part; /* whose root; NULL: of a data set without parts */
};

struct resolver {
    const struct mr_session *s;
    const struct mr_badlist *list;
    int column;
    uint64_t *sample; /* [list->n] UINT64_MAX: gone */
    struct wanted *wanted;
    size_t nwanted;
    uint32_t gone, elsewhere;
    int64_t gone_line, elsewhere_line; /* the first of each */
};

/* ---- which sample ---- */

static bool ends_with(const char *listed, const char *path, size_t n)
{
    size_t m = strlen(listed);
    if (m < n || memcmp(listed + m - n, path, n) != 0)
        return false;
    return m == n || listed[m - n - 1] == '/';
}

static bool is_at_its_number(const struct resolver *r, const struct mr_bad *bad)
{
    const struct mr_index *index = &r->s->index;
    size_t n;
    if (!index->head) /* a user's commander: numbers are all there is */
        return bad->v.sample != UINT64_MAX;
    if (bad->v.sample >= index->head->samples)
        return false;
    if (!bad->path || r->column < 0)
        return true;
    const char *path = mr__index_path(index, r->column, bad->v.sample, &n);
    return n && ends_with(bad->path, path, n);
}

static void want_path(struct resolver *r, uint32_t entry, const struct mr_index *index,
                      const struct mr_index_part *part)
{
    const struct mr_index_head *head = index->head;
    const char *path = r->list->v[entry].path;
    const char *root = (const char *)index->base + head->root;
    size_t n = strlen(path), m = head->root_bytes;
    if (n > m + 1 && m && !memcmp(path, root, m) && path[m] == '/') {
        path += m + 1;
        n -= m + 1;
    }
    r->wanted[r->nwanted++] = (struct wanted){
        .hash = XXH3_64bits(path, n), .entry = entry, .path = path, .n = n, .part = part};
}

/* In a mixture the file is looked for in each part, below the part's own root. */
static void want_paths(struct resolver *r, uint32_t entry)
{
    const struct mr_index *index = &r->s->index;
    if (!index->head->parts)
        want_path(r, entry, index, NULL);
    for (uint64_t p = 0; p < index->head->parts; p++) {
        const struct mr_index_part *part = &mr__index_parts(index)[p];
        struct mr_index own = mr__index_of_part(index, part);
        want_path(r, entry, &own, part);
    }
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const struct wanted *)a)->hash, y = ((const struct wanted *)b)->hash;
    return x < y ? -1 : x > y;
}

static size_t first_with(const struct resolver *r, uint64_t hash)
{
    size_t lo = 0, hi = r->nwanted;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (r->wanted[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* One pass over the data set's paths. The first sample of several with the same file is taken. */
static void find_paths(struct resolver *r)
{
    if (!r->nwanted || r->column < 0)
        return;
    qsort(r->wanted, r->nwanted, sizeof *r->wanted, by_hash);
    for (uint64_t i = 0; i < r->s->index.head->samples; i++) {
        size_t n;
        const char *path = mr__index_path(&r->s->index, r->column, i, &n);
        uint64_t hash = XXH3_64bits(path, n);
        for (size_t k = first_with(r, hash); k < r->nwanted && r->wanted[k].hash == hash; k++) {
            const struct wanted *w = &r->wanted[k];
            bool here = !w->part || (i >= w->part->first && i - w->part->first < w->part->samples);
            if (r->sample[w->entry] == UINT64_MAX && here && w->n == n && !memcmp(w->path, path, n))
                r->sample[w->entry] = i;
        }
    }
}

static void find_samples(struct resolver *r)
{
    for (uint32_t i = 0; i < r->list->n; i++) {
        const struct mr_bad *bad = &r->list->v[i];
        r->sample[i] = UINT64_MAX;
        if (is_at_its_number(r, bad))
            r->sample[i] = bad->v.sample;
        else if (bad->path && r->s->index.head)
            want_paths(r, i);
    }
    find_paths(r);
}

/* ---- what it means ---- */

/* A place of a run with this seed, sampler and data set; a user's commander is believed, and so is
 * the list about the first choices of a sampler that learns: they hold for that very sample only.
 */
static bool is_our_place(const struct resolver *r, const struct mr_bad *bad, uint64_t sample)
{
    if (bad->v.position == MR_ANYWHERE || bad->v.sample != sample)
        return false;
    return !r->s->sampler || (mr__session_learner(r->s) && !bad->v.attempt) ||
           mr__session_sample(r->s, bad->v.epoch, bad->v.position, bad->v.attempt) == sample;
}

static void count(uint32_t *n, int64_t *first, int64_t line)
{
    if (!(*n)++)
        *first = line;
}

static bool make_verdict(struct resolver *r, uint32_t i, struct mr_verdict *v)
{
    const struct mr_bad *bad = &r->list->v[i];
    uint64_t sample = r->sample[i];
    *v = bad->v;
    v->sample = sample;
    v->listed = i + 1;
    if (sample == UINT64_MAX) {
        count(&r->gone, &r->gone_line, bad->line);
        return false;
    }
    if (bad->v.position == MR_ANYWHERE || is_our_place(r, bad, sample))
        return true;
    if (bad->v.forced) {
        count(&r->elsewhere, &r->elsewhere_line, bad->line);
        return false;
    }
    v->position = MR_ANYWHERE;
    return true;
}

static void tell(const struct resolver *r)
{
    const char *path = r->s->plan->config->bad_list_in;
    const struct mr_printable name = mr__printable(path, strlen(path));
    if (r->gone)
        mr__report_log(&r->s->arena, MR_LANE_WARDEN, MR_REPORT_WARNING,
                       "%s:%lld: this sample is not in the data set (%u such lines are left out)",
                       name.text, (long long)r->gone_line, r->gone);
    if (r->elsewhere)
        mr__report_log(&r->s->arena, MR_LANE_WARDEN, MR_REPORT_WARNING,
                       "%s:%lld: what wall time or memory forced in another run is not repeated "
                       "in this one (%u such lines are left out)",
                       name.text, (long long)r->elsewhere_line, r->elsewhere);
}

static int resolve(struct resolver *r, struct mr_errbuf *e)
{
    uint32_t n = 0;
    struct mr_verdict *v = calloc(r->list->n, sizeof *v);
    r->sample = calloc(r->list->n, sizeof *r->sample);
    uint64_t parts = r->s->index.head ? r->s->index.head->parts : 0;
    r->wanted = calloc(r->list->n, (parts ? parts : 1) * sizeof *r->wanted);
    if (!v || !r->sample || !r->wanted) {
        free(v);
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the bad list");
    }
    find_samples(r);
    for (uint32_t i = 0; i < r->list->n; i++)
        n += make_verdict(r, i, &v[n]);
    mr__verdict_list(&r->s->arena, v, n);
    tell(r);
    free(v);
    return MR_OK;
}

int mr__session_list(const struct mr_session *s, struct mr_errbuf *e)
{
    struct mr_badlist list;
    uint64_t hash;
    const char *path = s->plan->config->bad_list_in;
    if (!path)
        return MR_OK;
    int rc = mr__badlist_read(&list, path, &hash, e);
    if (rc < 0)
        return rc;
    if (hash != s->arena.shape.list_hash || list.n > s->arena.shape.listed_max)
        rc = mr__fail(e, MR_E_CONFIG, "the bad list '%s' was changed while the loader was opened",
                      mr__printable(path, strlen(path)).text);
    struct resolver r = {.s = s, .list = &list};
    r.column = s->index.head ? mr__index_column(&s->index, "image") : -1;
    if (r.column >= 0 && s->index.head->column[r.column].kind != MR_COL_PATH)
        r.column = -1; /* numbers are all there is */
    if (rc >= 0 && list.n)
        rc = resolve(&r, e);
    free(r.sample);
    free(r.wanted);
    mr__badlist_free(&list);
    return rc;
}

uint64_t mr__session_list_hash(const struct mr_session *s)
{
    uint32_t n;
    const struct mr_verdict *v = mr__verdicts(&s->arena, MR_VERDICTS_LISTED, &n);
    uint64_t hash = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t key[5] = {hash, v[i].epoch, v[i].position, v[i].attempt, v[i].sample};
        if (v[i].position == MR_ANYWHERE)
            key[1] = key[3] = 0;
        hash = XXH3_64bits(key, sizeof key) | 1;
    }
    return hash;
}
