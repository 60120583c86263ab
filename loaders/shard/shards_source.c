/* SPDX-License-Identifier: Apache-2.0
 *
 * shards_source.c: the source `shards`: what 'millrace pack' has made, in the order in which it was
 * packed. The index says where a body lies; here it is read, in ranges or whole.
 */
#include "loaders/shard/body_reader.h"
#include "loaders/shard/checked_rows.h"
#include "loaders/shard/http_file.h"
#include "loaders/shard/shards_index.h"
#include "loaders/source/read_file.h"

#include "base/descriptor.h"
#include "base/printable.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_OPEN 512            /* shards that a thread has open */
#define FEWEST_OPEN 2           /* of a row that is being made */
#define AHEAD_BYTES (256 << 10) /* of a large body: a crop needs but a part of it */

struct shards_params {
    const char *path;
};

struct open_shard {
    struct mr_shard shard; /* its head and foot */
    uint64_t used;         /* when it was last; 0: it is not open */
};

struct shards;

struct one_body { /* of a column */
    struct shards *of;
    int column;
    uint64_t sample;
    struct mr_body body;
};

struct shards {
    const struct mr_index *index;
    uint64_t max_bytes, clock;
    struct mr_shard_set set;
    struct open_shard *open; /* [set.n] */
    uint64_t nopen;
    int place[MR_INDEX_MAX_COLUMNS]; /* of a column of files; -1: it is none */
    struct one_body body[MR_INDEX_MAX_COLUMNS];
    struct mr_checked checked; /* tensors */
};

/* ---- the set ---- */

static int find_places(struct shards *s, struct mr_errbuf *e)
{
    const struct mr_index_head *head = s->index->head;
    int identity = mr__index_column(s->index, MR_SHARDS_PLACE);
    for (int i = 0; i < (int)head->columns; i++) {
        char name[MR_INDEX_NAME + sizeof MR_SHARDS_PLACE];
        snprintf(name, sizeof name, "%s" MR_SHARDS_PLACE, head->column[i].name);
        bool placed = head->column[i].kind == MR_COL_PATH || head->column[i].kind == MR_COL_TENSOR;
        s->place[i] = placed ? mr__index_column(s->index, name) : -1;
        s->body[i] = (struct one_body){.of = s, .column = i};
    }
    if (identity >= 0 && mr__index_whole(s->index, identity, 0) == mr__shards_identity(&s->set))
        return MR_OK;
    return mr__fail(e, MR_E_DATA,
                    "the shards in '%s' are no longer those that the index was made "
                    "from: they were packed again meanwhile; begin the run anew",
                    mr__printable(s->set.folder, strlen(s->set.folder)).text);
}

static void shards_close(void *self)
{
    struct shards *s = self;
    for (uint64_t i = 0; s->open && i < s->set.n; i++)
        mr__shard_close(&s->open[i].shard);
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++)
        mr__body_free(&s->body[i].body);
    mr__checked_free(&s->checked);
    mr__shard_set_free(&s->set);
    free(s->open);
    free(s);
}

/* What the process that made the index has found. */
static void know_host(const struct mr_index *index, const char *url)
{
    int column = mr__index_column(index, MR_SHARDS_ADDRESS);
    uint64_t entries;
    if (column < 0 || !mr__shard_is_url(url) || !index->head->samples ||
        index->head->column[column].width != MR_HTTP_ADDRESS)
        return;
    const char *address = mr__index_numbers(index, column, 0, &entries);
    if (memchr(address, 0, MR_HTTP_ADDRESS))
        mr__http_know(url, address);
}

static int shards_open(const void *params, const struct mr_index *index,
                       const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    struct shards *s = calloc(1, sizeof *s);
    char *path = mr__shards_path(index);
    (void)params; /* a confined process cannot follow its links; the index has done it */
    if (path)
        know_host(index, path);
    int rc = s && path ? mr__shard_set_read(&s->set, path, e)
                       : mr__fail(e, MR_E_MEMORY, "not enough memory to open the shards");
    free(path);
    if (!s)
        return rc;
    s->index = index;
    s->max_bytes = (uint64_t)limits->max_file_bytes;
    if (rc == MR_OK && !(s->open = calloc(s->set.n + 1, sizeof *s->open)))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu shards",
                      (unsigned long long)s->set.n);
    if (rc == MR_OK && !mr__checked_begin(&s->checked, index->head->samples, s->set.n))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu shards",
                      (unsigned long long)s->set.n);
    if (rc == MR_OK)
        rc = find_places(s, e);
    if (rc == MR_OK)
        *self = s;
    else
        shards_close(s);
    return rc;
}

static void close_oldest(struct shards *s)
{
    struct open_shard *oldest = NULL;
    for (uint64_t i = 0; i < s->set.n; i++)
        if (s->open[i].used && (!oldest || s->open[i].used < oldest->used))
            oldest = &s->open[i];
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++) /* who reads of it has to begin again */
        if (oldest && s->body[i].body.file == oldest->shard.file)
            s->body[i].body.file = NULL;
    if (oldest) {
        mr__shard_close(&oldest->shard);
        oldest->used = 0;
        s->nopen--;
    }
}

/* `for_row`: it is worth another one's place when no more can be open. */
static int need_shard(struct shards *s, uint64_t number, bool for_row, struct mr_shard_file **file,
                      struct mr_errbuf *e)
{
    struct open_shard *o = &s->open[number];
    if (!o->used) {
        if (s->nopen >= MAX_OPEN)
            close_oldest(s);
        int rc = mr__shard_set_open(&s->set, number, false, &o->shard, e);
        if (rc == MR_E_IO && for_row && s->nopen > FEWEST_OPEN) { /* too many open files */
            close_oldest(s);
            rc = mr__shard_set_open(&s->set, number, false, &o->shard, e);
        }
        if (rc < 0)
            return rc;
        s->nopen++;
    }
    o->used = ++s->clock;
    *file = o->shard.file;
    return MR_OK;
}

/* ---- a body ---- */

static int find_body(const struct shards *s, uint64_t sample, int column, uint64_t *shard,
                     struct mr_shard_place *place, struct mr_errbuf *e)
{
    const struct mr_index_head *head = s->index->head;
    uint64_t entries;
    if (sample >= head->samples || column < 0 || (uint64_t)column >= head->columns ||
        s->place[column] < 0)
        return mr__fail(e, MR_E_USAGE, "sample %llu has no file in column %d",
                        (unsigned long long)sample, column);
    const int64_t *numbers = mr__index_numbers(s->index, s->place[column], sample, &entries);
    *shard = (uint64_t)numbers[MR_PLACE_SHARD];
    *place = (struct mr_shard_place){.at = (uint64_t)numbers[MR_PLACE_AT],
                                     .bytes = (uint64_t)numbers[MR_PLACE_BYTES],
                                     .check = (uint64_t)numbers[MR_PLACE_CHECK]};
    if (*shard >= s->set.n)
        return mr__fail(e, MR_E_DATA, "sample %llu lies in shard %llu of %llu",
                        (unsigned long long)sample, (unsigned long long)*shard,
                        (unsigned long long)s->set.n);
    if (!place->bytes)
        return mr__fail(e, MR_E_DATA, "sample %llu has no %s", (unsigned long long)sample,
                        head->column[column].name);
    return MR_OK;
}

/* Puts the sample's name before what went wrong with it. A tensor has none but its number. */
static int name_it(const struct one_body *one, int rc, struct mr_errbuf *e)
{
    const char *folder = one->of->set.folder;
    const struct mr_column *c = &one->of->index->head->column[one->column];
    if (rc == MR_OK || rc == MR_E_USAGE)
        return rc;
    if (c->kind == MR_COL_TENSOR)
        return mr__context(e, "'%s', sample %llu of '%s'",
                           mr__printable(folder, strlen(folder)).text,
                           (unsigned long long)one->sample, c->name);
    char *name = mr__index_name(one->of->index, one->column, one->sample);
    mr__context(e, "%s", name ? name : "?");
    free(name);
    return rc;
}

/* The numbers of a tensor, as they lie in the shard, straight to where they are wanted. */
static int read_tensor(struct shards *s, uint64_t shard, struct mr_shard_file *file,
                       const struct mr_shard_place *place, const struct one_body *one, bool at_once,
                       void *to, struct mr_errbuf *e)
{
    struct mr_checked *checked = &s->checked;
    struct mr_body *body = &s->body[one->column].body;
    if (mr__checked_same(checked, file, shard)) {
        bool known = mr__checked_has(checked, one->column, one->sample);
        int rc = known ? mr__body_again(file, place, !at_once, to, e)
                       : mr__body_straight(body, file, place, !at_once, to, e);
        if (rc < 0)
            return rc;
        if (mr__checked_same(checked, file, shard)) {
            mr__checked_add(checked, one->column, one->sample);
            return MR_OK;
        }
    } /* it changes, or changed under the read: nothing is known of it now */
    return mr__body_straight(body, file, place, false, to, e);
}

static int shards_tensor(void *self, uint64_t sample, int column, bool at_once, void *to,
                         uint64_t bytes, struct mr_errbuf *e)
{
    struct shards *s = self;
    struct mr_shard_place place = {0};
    struct mr_shard_file *file = NULL;
    uint64_t shard = 0;
    int rc = find_body(s, sample, column, &shard, &place, e);
    if (rc < 0)
        return rc;
    const struct mr_column *c = &s->index->head->column[column];
    struct one_body *one = &s->body[column];
    one->sample = sample;
    one->body.file = NULL;
    if (c->kind != MR_COL_TENSOR)
        return mr__fail(e, MR_E_USAGE, "column '%s' holds files, no tensors", c->name);
    if (place.bytes != bytes)
        rc = mr__fail(e, MR_E_DATA, "it has %llu bytes, not %llu", (unsigned long long)place.bytes,
                      (unsigned long long)bytes);
    if (rc == MR_OK)
        rc = need_shard(s, shard, true, &file, e);
    if (rc == MR_OK)
        rc = read_tensor(s, shard, file, &place, one, at_once, to, e);
    if (rc == MR_OK)
        mr__le_turn(to, c->width, mr_dtype_size((mr_dtype)c->dtype));
    return name_it(one, rc, e);
}

static int begin_body(struct shards *s, uint64_t sample, int column, struct one_body **out,
                      struct mr_errbuf *e)
{
    struct mr_shard_place place = {0};
    struct mr_shard_file *file = NULL;
    uint64_t shard = 0;
    int rc = find_body(s, sample, column, &shard, &place, e);
    if (rc < 0)
        return rc;
    struct one_body *one = *out = &s->body[column];
    one->sample = sample;
    one->body.file = NULL;
    if (place.bytes > s->max_bytes)
        rc = mr__fail(e, MR_E_DATA,
                      "it has %llu bytes, more than limits.max_file_bytes (%llu) allows",
                      (unsigned long long)place.bytes, (unsigned long long)s->max_bytes);
    if (rc == MR_OK)
        rc = need_shard(s, shard, true, &file, e);
    if (rc == MR_OK)
        rc = mr__body_begin(&one->body, file, &place, e);
    return name_it(one, rc, e);
}

static int get_range(void *ctx, uint64_t at, uint64_t bytes, const uint8_t **data,
                     struct mr_errbuf *e)
{
    struct one_body *one = ctx;
    return name_it(one, mr__body_get(&one->body, at, bytes, data, e), e);
}

static int shards_ranges(void *self, uint64_t sample, int column, struct mr_ranges *out,
                         struct mr_errbuf *e)
{
    struct one_body *one;
    int rc = begin_body(self, sample, column, &one, e);
    *out = (struct mr_ranges){0};
    if (rc == MR_OK)
        *out = (struct mr_ranges){.n = one->body.place.bytes, .get = get_range, .ctx = one};
    return rc;
}

static int shards_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                       struct mr_errbuf *e)
{
    struct one_body *one;
    out->n = 0;
    int rc = begin_body(self, sample, column, &one, e);
    if (rc < 0)
        return rc;
    uint64_t n = one->body.place.bytes;
    if (!mr__buf_reserve(out, n + MR_READ_PADDING))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu bytes", (unsigned long long)n);
    else
        rc = mr__body_into(&one->body, out->data, e);
    if (rc == MR_OK) {
        memset(out->data + n, 0, MR_READ_PADDING);
        out->n = n;
    }
    return name_it(one, rc, e);
}

static enum mr_cached shards_ahead(void *self, uint64_t sample, int column, uint64_t most)
{
    struct shards *s = self;
    struct mr_shard_place place = {0};
    struct mr_shard_file *file = NULL;
    uint64_t shard = 0;
    if (find_body(s, sample, column, &shard, &place, NULL) < 0 || place.bytes > s->max_bytes ||
        need_shard(s, shard, false, &file, NULL) < 0)
        return MR_CACHED_UNKNOWN;
    uint64_t n = mr__shard_sums_bytes(place.bytes) + place.bytes;
    bool whole = s->index->head->column[column].kind == MR_COL_TENSOR || n <= 2 * AHEAD_BYTES;
    uint64_t wanted = whole ? n : AHEAD_BYTES;
    return mr__shard_file_ahead(file, place.at, wanted < most ? wanted : most);
}

/* ---- the source ---- */

static bool add_root(struct mr_buf *paths, const char *path)
{
    return path && mr__buf_append(paths, path, strlen(path) + 1);
}

/* The folder, and every shard, which may be a link. */
static int shards_roots(const void *params, struct mr_buf *paths, struct mr_errbuf *e)
{
    const struct shards_params *p = params;
    char real[PATH_MAX];
    struct mr_shard_set set = {0};
    if (!realpath(p->path, real))
        return MR_OK; /* what is not there cannot be read */
    int rc = mr__shard_set_read(&set, real, e);
    bool kept = rc < 0 || add_root(paths, real);
    for (uint64_t i = 0; i < set.n && kept && rc >= 0; i++) {
        char *path = mr__shard_set_path(&set, i);
        kept = add_root(paths, path);
        free(path);
    }
    mr__shard_set_free(&set);
    return kept ? rc : mr__fail(e, MR_E_MEMORY, "not enough memory to list the shards");
}

static int shards_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    return mr__shards_index(((const struct shards_params *)params)->path, b, e);
}

static const struct mr_opt shards_opts[] = {
    {.name = "path",
     .type = MR_OPT_PATH,
     .off = offsetof(struct shards_params, path),
     .help = "the folder that 'millrace pack' has filled, or one of its shards"},
    MR_OPTS_END,
};

const struct mr_source mr__source_shards = {
    .d = {.name = "shards",
          .help = "packed data: what 'millrace pack' has made of another source, in its order",
          .params_size = sizeof(struct shards_params),
          .opts = shards_opts},
    .resolved = true,
    .index = shards_index,
    .open = shards_open,
    .read = shards_read,
    .ranges = shards_ranges,
    .close = shards_close,
    .ahead = shards_ahead,
    .tensor = shards_tensor,
    .roots = shards_roots,
};

/* ---- on a web server ---- */

static int remote_check(const void *params, struct mr_errbuf *e)
{
    const struct shards_params *p = params;
    if (mr__shard_is_url(p->path))
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG, "url: '%s' is no URL such as http://host:port/folder",
                    mr__printable(p->path, strlen(p->path)).text);
}

static const struct mr_opt remote_opts[] = {
    {.name = "url",
     .type = MR_OPT_STR,
     .off = offsetof(struct shards_params, path),
     .help = "http://host:port/folder, where a server sends ranges of what 'millrace pack' has "
             "made, or one of its shards"},
    MR_OPTS_END,
};

const struct mr_source mr__source_remote_shards = {
    .d = {.name = "remote_shards",
          .help = "packed data on a web server, read by range requests",
          .params_size = sizeof(struct shards_params),
          .opts = remote_opts,
          .check = remote_check},
    .network = true,
    .resolved = true,
    .index = shards_index,
    .open = shards_open,
    .read = shards_read,
    .ranges = shards_ranges,
    .close = shards_close,
    .tensor = shards_tensor,
};
