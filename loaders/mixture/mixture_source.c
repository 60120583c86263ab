/* SPDX-License-Identifier: Apache-2.0
 *
 * mixture_source.c: several sources as one. Each fills a part of the index, which is a whole index
 * to it, and reads its own samples by its own numbers: it need not know that there are others.
 */
#include "base/config.h"

#include <stdlib.h>

struct reader { /* of a part */
    const struct mr_source *source;
    const struct mr_index_part *part;
    struct mr_index index;
    void *self;
};

struct mixture_source {
    const struct mr_index *index;
    int n;
    struct reader reader[];
};

static int index_part(const struct mr_part_config *part, struct mr_index_builder *b,
                      struct mr_errbuf *e)
{
    const struct mr_source *source = part->source.desc;
    struct mr_index_builder *own;
    int rc = mr__index_add_part(b, part->name, &own, e);
    if (rc < 0)
        return rc;
    rc = source->index(part->source.params, own, e);
    if (rc >= 0 && !mr__index_samples(own))
        rc = mr__fail(e, MR_E_DATA, "the data set has no sample");
    return rc < 0 ? mr__context(e, "part '%s' of the mixture", part->name) : MR_OK;
}

static int mixture_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct mr_mixture_config *m = params;
    int rc = MR_OK;
    for (int i = 0; i < m->nparts && rc >= 0; i++)
        rc = index_part(&m->parts[i], b, e);
    return rc;
}

static void mixture_close(void *self)
{
    struct mixture_source *m = self;
    for (int i = 0; i < m->n; i++)
        m->reader[i].source->close(m->reader[i].self);
    free(m);
}

static int mixture_open(const void *params, const struct mr_index *index,
                        const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    const struct mr_mixture_config *c = params;
    int rc = MR_OK;
    struct mixture_source *m = calloc(1, sizeof *m + (size_t)c->nparts * sizeof m->reader[0]);
    if (!m)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the mixture's sources");
    m->index = index;
    for (int i = 0; i < c->nparts && rc >= 0; i++) {
        struct reader *r = &m->reader[i];
        r->source = c->parts[i].source.desc;
        r->part = &mr__index_parts(index)[i];
        r->index = mr__index_of_part(index, r->part);
        rc = r->source->open(c->parts[i].source.params, &r->index, limits, &r->self, e);
        m->n += rc >= 0;
    }
    if (rc >= 0)
        *self = m;
    else
        mixture_close(m);
    return rc;
}

/* The part that has a sample's file; sample and column become its own. NULL: it has none. */
static struct reader *find_file(struct mixture_source *m, uint64_t *sample, int *column,
                                struct mr_errbuf *e)
{
    const struct mr_index_head *head = m->index->head;
    if (*sample >= head->samples || *column < 0 || (uint64_t)*column >= head->columns) {
        mr__fail(e, MR_E_USAGE, "sample %llu has no file in column %d", (unsigned long long)*sample,
                 *column);
        return NULL;
    }
    const struct mr_index_part *part = mr__index_part(m->index, *sample);
    uint8_t own = part->column[*column];
    if (own == MR_INDEX_NO_COLUMN) {
        mr__fail(e, MR_E_DATA, "part '%s' of the mixture has no column '%s'", part->name,
                 head->column[*column].name);
        return NULL;
    }
    *sample -= part->first;
    *column = own;
    return &m->reader[part - mr__index_parts(m->index)];
}

/* Where no path tells whose file it is. */
static int name_part(const struct reader *r, int column, int rc, struct mr_errbuf *e)
{
    bool made = r->index.head->column[column].kind == MR_COL_MADE;
    return rc < 0 && made ? mr__context(e, "part '%s' of the mixture", r->part->name) : rc;
}

static int mixture_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                        struct mr_errbuf *e)
{
    const struct reader *r = find_file(self, &sample, &column, e);
    if (!r)
        return e->code;
    return name_part(r, column, r->source->read(r->self, sample, column, out, e), e);
}

static int mixture_ranges(void *self, uint64_t sample, int column, struct mr_ranges *out,
                          struct mr_errbuf *e)
{
    const struct reader *r = find_file(self, &sample, &column, e);
    *out = (struct mr_ranges){0};
    if (!r || !r->source->ranges)
        return r ? MR_OK : e->code;
    return name_part(r, column, r->source->ranges(r->self, sample, column, out, e), e);
}

static int mixture_tensor(void *self, uint64_t sample, int column, bool at_once, void *to,
                          uint64_t bytes, struct mr_errbuf *e)
{
    const struct reader *r = find_file(self, &sample, &column, e);
    if (!r)
        return e->code;
    if (!r->source->tensor)
        return mr__fail(e, MR_E_USAGE, "part '%s' of the mixture has no tensors", r->part->name);
    return r->source->tensor(r->self, sample, column, at_once, to, bytes, e);
}

static enum mr_cached mixture_ahead(void *self, uint64_t sample, int column, uint64_t most)
{
    const struct reader *r = find_file(self, &sample, &column, NULL);
    if (!r || !r->source->ahead)
        return MR_CACHED_UNKNOWN;
    return r->source->ahead(r->self, sample, column, most);
}

static int mixture_roots(const void *params, struct mr_buf *paths, struct mr_errbuf *e)
{
    const struct mr_mixture_config *m = params;
    int rc = MR_OK;
    for (int i = 0; i < m->nparts && rc >= 0; i++) {
        const struct mr_source *source = m->parts[i].source.desc;
        rc = source->roots ? source->roots(m->parts[i].source.params, paths, e) : MR_OK;
    }
    return rc;
}

const struct mr_source mr__source_mixture = {
    .d = {.name = "mixture", .help = "several sources, one behind the other"},
    .index = mixture_index,
    .open = mixture_open,
    .read = mixture_read,
    .ranges = mixture_ranges,
    .close = mixture_close,
    .ahead = mixture_ahead,
    .tensor = mixture_tensor,
    .roots = mixture_roots,
};
