/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.c: mr_pack(). Shards that an earlier call has left are kept where they stand; what is
 * missing between them is packed, and comes out as it was: where a shard ends follows from its
 * samples alone.
 */
#include "base/parallel.h"
#include "loaders/shard/shard_writer.h"
#include "pack/pack_call.h"
#include "pack/pack_folder.h"
#include "pack/pack_recipe.h"
#include "pipe/file_stamps.h"

#include <stdlib.h>
#include <string.h>

enum { SHARD_BYTES = 256 << 20, PASSED_OVER = MR_END };

struct packing {
    struct mr_pack_call call;
    struct mr_pack_data data;
    struct mr_pack_recipe recipe;
    struct mr_pack_folder folder;
    struct mr_shard_plan plan;
    uint64_t shard_bytes;
    struct mr_pack_maker *makers[MR_PARALLEL_MAX]; /* by worker, made when it begins */
    struct mr_shard_writer *writer;                /* of the shard that is being written */
    uint64_t in_shard;                             /* samples in it */
    uint64_t packed;                               /* samples in all shards so far */
    struct mr_shard_line *lines;                   /* of shards that are whole, in order */
    uint64_t nlines, room;
};

/* ---- making ---- */

static void make(void *ctx, int worker, struct mr_pack_made *made)
{
    struct packing *p = ctx;
    struct mr_pack_maker **maker = &p->makers[worker];
    if (mr__pack_folder_skips(&p->folder, made->sample)) {
        made->rc = PASSED_OVER;
        return;
    }
    if (!*maker)
        made->rc = mr__pack_maker_new(maker, &p->recipe, &p->data, &made->e);
    if (made->rc >= 0)
        mr__pack_make(*maker, made);
}

/* ---- taking ---- */

static int add_line(struct packing *p, const struct mr_shard_line *line, struct mr_errbuf *e)
{
    if (p->nlines == p->room) {
        uint64_t room = p->room ? 2 * p->room : 64;
        struct mr_shard_line *lines = realloc(p->lines, room * sizeof *lines);
        if (!lines)
            return mr__fail(e, MR_E_MEMORY, "not enough memory for the list of shards");
        p->lines = lines;
        p->room = room;
    }
    p->lines[p->nlines++] = *line;
    p->call.progress.shards = p->nlines;
    return MR_OK;
}

static int end_shard(struct packing *p, struct mr_errbuf *e)
{
    struct mr_shard_line line;
    if (!p->writer)
        return MR_OK;
    int rc = mr__pack_folder_sync(&p->folder, e);
    if (rc < 0)
        return rc;
    struct mr_shard_writer *writer = p->writer;
    p->writer = NULL;
    rc = mr__shard_writer_finish(writer, &line, e);
    if (rc >= 0)
        rc = add_line(p, &line, e);
    return rc < 0 ? rc : mr__pack_call_tell(&p->call, true, e);
}

static int begin_shard(struct packing *p, struct mr_errbuf *e)
{
    char *path;
    if (p->nlines >= MR_PACK_MOST_SHARDS)
        return mr__fail(e, MR_E_LIMIT, "more than %d shards: make them larger (shard_bytes)",
                        MR_PACK_MOST_SHARDS);
    path = mr__pack_folder_shard(&p->folder, p->nlines);
    if (!path)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a path");
    p->in_shard = 0;
    int rc = mr__shard_writer_begin(&p->writer, &p->plan, path, (uint32_t)p->nlines, p->packed, e);
    free(path);
    return rc;
}

static int add(struct packing *p, const struct mr_shard_sample *sample, struct mr_errbuf *e)
{
    int rc = MR_OK;
    if (p->writer && p->in_shard &&
        mr__shard_writer_bytes(p->writer) + mr__shard_writer_adds(p->writer, sample) >
            p->shard_bytes)
        rc = end_shard(p, e);
    if (rc >= 0 && !p->writer)
        rc = begin_shard(p, e);
    if (rc >= 0)
        rc = mr__shard_writer_add(p->writer, sample, e);
    p->in_shard++;
    p->packed++;
    return rc;
}

static int add_made(struct packing *p, struct mr_pack_made *made, struct mr_errbuf *e)
{
    struct mr_shard_sample sample = {
        .sample = made->sample, .image_w = made->image_w, .image_h = made->image_h};
    const struct mr_pack_recipe *r = &p->recipe;
    p->call.progress.bytes_in += made->bytes_in;
    if (made->boxes.n)
        sample.numbers[r->boxes] = made->boxes.data;
    bool smaller = made->scale_x != 1 || made->scale_y != 1;
    if (smaller && r->image_width >= 0 && r->image_height >= 0) {
        sample.numbers[r->image_width] = &made->image_w;
        sample.numbers[r->image_height] = &made->image_h;
    }
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++) {
        const struct mr_buf *body = &made->body[i];
        if (!body->n)
            continue;
        sample.bytes[i] = (struct mr_shard_bytes){body->data, body->n, made->sums[i].data};
        p->call.progress.bytes_out += body->n;
    }
    return add(p, &sample, e);
}

/* What is bad of a sample itself; all else ends the call. */
static bool is_bad(int rc)
{
    return rc == MR_E_DATA || rc == MR_E_LIMIT || rc == MR_E_VERSION;
}

static int leave_out(struct packing *p, const struct mr_pack_made *made, struct mr_errbuf *e)
{
    p->call.progress.skipped++;
    if (made->rc == PASSED_OVER)
        return MR_OK;
    mr__pack_call_log(&p->call, "left out: %s", made->e.text);
    return mr__pack_folder_skip(&p->folder, made->sample, e);
}

/* The sentence of a bad sample says what else there is to do than to mend it. */
static int end_at(const struct packing *p, const struct mr_pack_made *made, struct mr_errbuf *e)
{
    *e = made->e;
    if (is_bad(made->rc) && p->recipe.on_error == MR_PACK_FAIL) {
        size_t n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n,
                 " (on_error 'skip' leaves such samples out and goes on from here, 'keep' keeps "
                 "their bytes)");
    }
    return made->rc;
}

static int take(void *ctx, struct mr_pack_made *made, struct mr_errbuf *e)
{
    struct packing *p = ctx;
    int rc;
    if (made->rc == MR_OK) {
        rc = add_made(p, made, e);
    } else if (made->rc == PASSED_OVER ||
               (is_bad(made->rc) && p->recipe.on_error == MR_PACK_SKIP)) {
        rc = leave_out(p, made, e);
    } else {
        return end_at(p, made, e);
    }
    p->call.progress.done++;
    return rc < 0 ? rc : mr__pack_call_tell(&p->call, false, e);
}

/* ---- what is missing ---- */

static const struct mr_shard_line *kept(const struct packing *p, uint64_t number)
{
    const struct mr_pack_folder *f = &p->folder;
    return number < f->nkept && f->kept[number].file[0] ? &f->kept[number] : NULL;
}

/* The data set's sample that comes behind those that are packed. */
static uint64_t next_sample(const struct packing *p)
{
    return p->packed ? mr__pack_folder_source(&p->folder, p->packed - 1) + 1 : 0;
}

static int does_not_fit(const struct packing *p, uint64_t number, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_USAGE,
                    "shard %llu of '%s' does not follow those before it: remove the folder, or "
                    "this shard and all behind it",
                    (unsigned long long)number, p->folder.path);
}

/* Packs what lies before the shard `until`, or everything. */
static int fill_gap(struct packing *p, const struct mr_shard_line *until, uint64_t number,
                    struct mr_errbuf *e)
{
    const struct mr_pack_work work = {make, take, p};
    uint64_t from = next_sample(p), all = p->data.index.head->samples;
    uint64_t to = until ? mr__pack_folder_source(&p->folder, until->first) : all;
    if (from > to || to > all)
        return does_not_fit(p, number, e);
    int rc = mr__pack_line(from, to, mr__pack_call_threads(&p->call), &work, e);
    if (rc >= 0)
        rc = end_shard(p, e);
    bool fits = !until || (p->packed == until->first && p->nlines == number);
    return rc < 0 || fits ? rc : does_not_fit(p, number, e);
}

static int keep(struct packing *p, const struct mr_shard_line *line, struct mr_errbuf *e)
{
    uint64_t from = next_sample(p);
    if (line->first != p->packed)
        return does_not_fit(p, p->nlines, e);
    p->packed += line->samples;
    p->call.progress.done += next_sample(p) - from;
    p->call.progress.kept += line->samples;
    p->call.progress.skipped += next_sample(p) - from - line->samples;
    return add_line(p, line, e);
}

static int pack_all(struct packing *p, struct mr_errbuf *e)
{
    int rc = MR_OK;
    while (rc >= 0) {
        const struct mr_shard_line *line = kept(p, p->nlines);
        if (line) {
            rc = keep(p, line, e);
            continue;
        }
        uint64_t next = p->nlines;
        while (next < p->folder.nkept && !kept(p, next))
            next++;
        line = kept(p, next);
        if (!line && next_sample(p) >= p->data.index.head->samples)
            break;
        rc = fill_gap(p, line, next, e);
        if (!line)
            break;
    }
    if (rc >= 0 && !p->packed)
        rc = mr__fail(e, MR_E_DATA, "every sample of the data set is bad: nothing was packed");
    if (rc >= 0)
        rc = mr__pack_folder_sync(&p->folder, e);
    return rc;
}

/* ---- the call ---- */

static int open_all(struct packing *p, const char *path, const char *out, struct mr_errbuf *e)
{
    const mr_pack_options *o = p->call.o;
    struct mr_file_stamps stamps = {0};
    p->shard_bytes = o->shard_bytes ? o->shard_bytes : SHARD_BYTES;
    int rc = mr__pack_data_open(&p->data, path, o->config_text, o->set, e);
    if (rc >= 0)
        rc = mr__pack_recipe(&p->recipe, o, &p->data, e);
    if (rc >= 0)
        rc = mr__file_stamps(&p->data.index, mr__pack_call_threads(&p->call), &stamps, e);
    if (rc < 0)
        return rc;
    p->call.progress.samples = p->data.index.head->samples;
    p->plan = (struct mr_shard_plan){.index = &p->data.index,
                                     .fingerprint =
                                         mr__pack_fingerprint(&p->recipe, &p->data, p->shard_bytes),
                                     .mode = p->recipe.mode_name,
                                     .sizes = p->recipe.image >= 0};
    p->folder.log = o->log;
    p->folder.user = o->user;
    const struct mr_pack_origin origin = {p->plan.fingerprint,
                                          stamps.hash + mr__pack_data_origins(&p->data)};
    rc = mr__pack_folder_open(&p->folder, out, &origin, e);
    if (rc >= 0 && p->folder.listed.n && p->recipe.on_error != MR_PACK_SKIP)
        rc = mr__fail(e, MR_E_USAGE,
                      "'%s' was packed with on_error 'skip', which has left samples out: give that "
                      "again, remove the folder, or pack into another one",
                      out);
    return rc;
}

static void close_all(struct packing *p)
{
    mr__shard_writer_drop(p->writer);
    for (int i = 0; i < MR_PARALLEL_MAX; i++)
        mr__pack_maker_free(p->makers[i]);
    free(p->lines);
    mr__pack_folder_close(&p->folder);
    mr__pack_data_close(&p->data);
}

static int run(struct packing *p, const char *path, const char *out, struct mr_errbuf *e)
{
    int rc = open_all(p, path, out, e);
    if (rc >= 0)
        rc = pack_all(p, e);
    if (rc >= 0)
        rc = mr__shard_set_write(p->folder.path, &p->plan, p->lines, p->nlines, e);
    return rc < 0 ? rc : mr__pack_call_tell(&p->call, true, e);
}

int mr_pack(const char *path, const char *out, const mr_pack_options *options,
            mr_pack_progress *result)
{
    struct mr_errbuf e = {0};
    struct packing *p = calloc(1, sizeof *p);
    if (!p) {
        mr__fail(&e, MR_E_MEMORY, "not enough memory to pack");
        return mr__pack_call_end(&(struct mr_pack_call){0}, NULL, e.code, &e);
    }
    p->folder.fd = p->folder.origin_fd = -1;
    int rc = mr__pack_call_begin(&p->call, path, out, options, &e);
    if (rc >= 0)
        rc = run(p, path, out, &e);
    close_all(p);
    rc = mr__pack_call_end(&p->call, result, rc, &e);
    free(p);
    return rc;
}
