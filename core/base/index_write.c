/* SPDX-License-Identifier: Apache-2.0
 *
 * index_write.c: an index goes into its memfd front to back by pwrite(): a mapping of it that could
 * still be written would keep the kernel from sealing it. The parts of an index lie in it like
 * arrays, each an index.
 */
#include "index_format.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

struct writer {
    int fd;
    uint64_t start, at; /* where the index begins in the file; where it has come to, from there */
    XXH3_state_t hash;
    struct mr_errbuf *e;
    int rc; /* the first failure; later calls do nothing */
};

int mr__index_memfd(struct mr_errbuf *e)
{
    int fd = memfd_create("millrace-index", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return mr__fail_errno(e, MR_E_SYSTEM,
                              "cannot make shared memory for the index of the data set");
    return fd;
}

static void write_all(struct writer *w, const void *data, uint64_t n)
{
    const uint8_t *from = data;
    while (n && w->rc == MR_OK) {
        ssize_t done = pwrite(w->fd, from, n < 1 << 30 ? n : 1 << 30, (off_t)(w->start + w->at));
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            w->rc = mr__fail_errno(w->e, MR_E_SYSTEM,
                                   "cannot write the index of the data set to shared memory");
            return;
        }
        from += done;
        n -= (uint64_t)done;
        w->at += (uint64_t)done;
    }
}

static uint64_t align(struct writer *w)
{
    static const uint8_t zeros[MR_INDEX_ALIGN];
    write_all(w, zeros, (MR_INDEX_ALIGN - w->at % MR_INDEX_ALIGN) % MR_INDEX_ALIGN);
    return w->at;
}

/* Writes `data` at the next aligned place, which it returns, and lets the bytes go. */
static uint64_t place(struct writer *w, struct mr_buf *data)
{
    uint64_t at = align(w);
    write_all(w, data->data, data->n);
    mr__buf_free(data);
    return at;
}

static uint64_t place_hashed(struct writer *w, struct mr_buf *data)
{
    if (data->n)
        XXH3_64bits_update(&w->hash, data->data, data->n);
    return place(w, data);
}

static void place_ragged(struct writer *w, struct mr_ragged *r, uint64_t *offsets, uint64_t *data)
{
    uint64_t zero = 0;
    if (!r->offsets.n &&
        !mr__buf_append(&r->offsets, &zero, sizeof zero)) /* no value: one offset */
        w->rc = mr__fail(w->e, MR_E_MEMORY, "not enough memory for the index of the data set");
    *offsets = place_hashed(w, &r->offsets);
    *data = place_hashed(w, &r->data);
}

static void place_columns(struct writer *w, struct mr_index_builder *b)
{
    for (uint64_t i = 0; i < b->head.columns; i++) {
        struct mr_column *c = &b->head.column[i];
        if (c->kind == MR_COL_FIXED || c->kind == MR_COL_TENSOR)
            c->data = place_hashed(w, &b->column[i].data);
        else if (c->kind != MR_COL_MADE)
            place_ragged(w, &b->column[i], &c->offsets, &c->data);
    }
}

/* What the columns are goes into the hash before where they are is known: offsets depend on the
 * root's length. */
static void hash_shape(struct writer *w, const struct mr_index_head *head)
{
    uint64_t sizes[3] = {head->samples, head->columns, head->classes};
    XXH3_64bits_reset(&w->hash);
    XXH3_64bits_update(&w->hash, sizes, sizeof sizes);
    XXH3_64bits_update(&w->hash, head->column, sizeof head->column);
}

static int check_columns(struct mr_index_builder *b, struct mr_errbuf *e)
{
    if (!b->head.columns)
        return mr__fail(e, MR_E_USAGE, "an index needs at least one column");
    b->head.samples = mr__index_samples(b);
    for (uint64_t i = 0; i < b->head.columns; i++)
        if (b->samples[i] != b->head.samples)
            return mr__fail(e, MR_E_USAGE, "column '%s' has %llu values for %llu samples",
                            b->head.column[i].name, (unsigned long long)b->samples[i],
                            (unsigned long long)b->head.samples);
    return MR_OK;
}

static int write_index(struct mr_index_builder *b, int fd, uint64_t start, struct mr_errbuf *e);

/* What each part is goes into the hash of the whole; its name and its root do not. */
static void place_parts(struct writer *w, struct mr_index_builder *b)
{
    uint64_t zero_bytes = 1;
    struct mr_buf zeros = {0};
    for (uint64_t i = 0; i < b->head.parts && w->rc == MR_OK; i++) {
        struct mr_index_part *part = &b->table[i];
        part->at = align(w);
        w->rc = write_index(b->part[i], w->fd, w->start + w->at, w->e);
        part->bytes = b->part[i]->head.bytes;
        w->at += part->bytes;
        uint64_t numbers[3] = {part->first, part->samples, b->part[i]->head.hash};
        XXH3_64bits_update(&w->hash, numbers, sizeof numbers);
    }
    b->head.part_table = align(w);
    write_all(w, b->table, b->head.parts * sizeof *b->table);
    for (uint64_t i = 0; i < b->head.columns; i++) {
        const struct mr_column *c = &b->head.column[i];
        uint64_t entry = c->width * mr_dtype_size(c->dtype);
        bool stored = c->kind != MR_COL_TENSOR;
        zero_bytes = stored && entry > zero_bytes ? entry : zero_bytes;
    }
    if (mr__buf_reserve(&zeros, zero_bytes)) {
        memset(zeros.data, 0, zero_bytes);
        zeros.n = zero_bytes;
    } else if (w->rc == MR_OK) {
        w->rc = mr__fail(w->e, MR_E_MEMORY, "not enough memory for the index of the data set");
    }
    b->head.zeros = place(w, &zeros);
}

/* Everything but the seals, from `start` (aligned) of the file. */
static int write_index(struct mr_index_builder *b, int fd, uint64_t start, struct mr_errbuf *e)
{
    struct mr_index_head *head = &b->head;
    int rc = head->parts ? mr__index_unite(b, e) : check_columns(b, e);
    if (rc < 0)
        return rc;
    struct writer w = {.fd = fd, .start = start, .e = e};
    hash_shape(&w, head);
    w.at = sizeof *head; /* which is written when everything is known */
    head->root_bytes = b->root.n;
    head->root = place(&w, &b->root);
    place_ragged(&w, &b->classes, &head->class_offsets, &head->class_data);
    if (head->parts)
        place_parts(&w, b);
    else
        place_columns(&w, b);
    head->magic = MR_INDEX_MAGIC;
    head->bytes = w.at;
    head->hash = XXH3_64bits_digest(&w.hash);
    w.at = 0;
    write_all(&w, head, sizeof *head);
    return w.rc;
}

int mr__index_finish(struct mr_index_builder *b, int fd, struct mr_errbuf *e)
{
    int rc = write_index(b, fd, 0, e);
    if (rc == MR_OK && fcntl(fd, F_ADD_SEALS, MR_INDEX_SEALS) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot seal the index of the data set");
    return rc;
}
