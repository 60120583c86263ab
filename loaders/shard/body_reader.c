/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/body_reader.h"

#include "loaders/shard/shard_sums.h"

#include "base/stream_copy.h"

#include <string.h>

enum { PADDING = 64, COPIED_AT_ONCE = 16 };

int mr__body_begin(struct mr_body *b, struct mr_shard_file *file,
                   const struct mr_shard_place *place, struct mr_errbuf *e)
{
    uint64_t sums = mr__shard_sums_bytes(place->bytes), chunks = mr__shard_chunks(place->bytes);
    b->memory.n = b->held.n = 0;
    b->file = NULL;
    if (place->bytes > SIZE_MAX / 2 || !mr__buf_reserve(&b->held, chunks) ||
        !mr__buf_reserve(&b->memory, PADDING + sums + PADDING + place->bytes + PADDING))
        return mr__fail(e, MR_E_MEMORY, "not enough memory for %llu bytes",
                        (unsigned long long)place->bytes);
    memset(b->held.data, 0, chunks);
    b->file = file;
    b->place = *place;
    b->sums_held = false;
    b->data = b->memory.data + sums + PADDING; /* 64-byte aligned, the sums right before it */
    b->data -= (uintptr_t)b->data % PADDING;
    b->sums = b->data - sums;
    memset(b->data + place->bytes, 0, PADDING);
    return MR_OK;
}

static int damaged(const struct mr_body *b, uint64_t from, uint64_t to, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_DATA,
                    "bytes %llu to %llu of the shard are damaged: copy it again, or pack it again",
                    (unsigned long long)(b->place.at + from),
                    (unsigned long long)(b->place.at + to - 1));
}

/* Chunks [first, first + n) that lie at `data`. */
static int check(struct mr_body *b, const uint8_t *data, uint64_t first, uint64_t n,
                 struct mr_errbuf *e)
{
    uint64_t bad = mr__shard_sums_differ(data, b->place.bytes, b->sums, first, n);
    uint64_t sums = mr__shard_sums_bytes(b->place.bytes), from = bad * MR_SHARD_CHUNK_BYTES;
    uint64_t to = from + MR_SHARD_CHUNK_BYTES;
    if (bad == first + n)
        return MR_OK;
    return damaged(b, sums + from, sums + (to < b->place.bytes ? to : b->place.bytes), e);
}

static uint64_t end_of(const struct mr_body *b, uint64_t chunk)
{
    uint64_t end = chunk * MR_SHARD_CHUNK_BYTES;
    return end < b->place.bytes ? end : b->place.bytes;
}

static uint64_t numbers_at(const struct mr_shard_place *place)
{
    return place->at + mr__shard_sums_bytes(place->bytes);
}

/* Reads and checks chunks into `to`, where chunk `first` begins. */
static int read_chunks(struct mr_body *b, uint64_t first, uint64_t n, uint8_t *to,
                       struct mr_errbuf *e)
{
    uint64_t at = numbers_at(&b->place), last = first + n;
    uint64_t most = b->file->transport->at_once / MR_SHARD_CHUNK_BYTES;
    int rc = MR_OK;
    for (uint64_t i = first; rc == MR_OK && i < last; i += most) {
        uint64_t many = last - i < most ? last - i : most;
        uint64_t from = i * MR_SHARD_CHUNK_BYTES, end = end_of(b, i + many);
        uint8_t *into = to + (from - first * MR_SHARD_CHUNK_BYTES);
        rc = mr__shard_file_read(b->file, at + from, into, end - from, e);
        if (rc == MR_OK)
            rc = check(b, into, i, many, e);
    }
    return rc;
}

/* The sums, and with them the first `chunks` chunks of the body, which lie behind them. */
static int read_first(struct mr_body *b, uint64_t chunks, struct mr_errbuf *e)
{
    uint64_t sums = mr__shard_sums_bytes(b->place.bytes);
    int rc = mr__shard_file_read(b->file, b->place.at, b->sums, sums + end_of(b, chunks), e);
    if (rc < 0)
        return rc;
    if (mr__shard_hash(b->sums, sums) != b->place.check)
        return damaged(b, 0, sums, e);
    b->sums_held = true;
    rc = check(b, b->data, 0, chunks, e);
    if (rc == MR_OK && chunks)
        memset(b->held.data, 1, chunks);
    return rc;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int need_sums(struct mr_body *b, uint64_t first, uint64_t end, struct mr_errbuf *e)
{
    const struct mr_shard_transport *t = b->file->transport;
    uint64_t chunks = mr__shard_chunks(b->place.bytes);
    uint64_t with = least(chunks, t->first_bytes / MR_SHARD_CHUNK_BYTES);
    if (b->sums_held)
        return MR_OK;
    if (first < with && end > with)
        with = least(end, first + t->at_once / MR_SHARD_CHUNK_BYTES);
    return read_first(b, with, e);
}

int mr__body_get(struct mr_body *b, uint64_t at, uint64_t bytes, const uint8_t **data,
                 struct mr_errbuf *e)
{
    if (!b->file || !bytes || at > b->place.bytes || bytes > b->place.bytes - at)
        return mr__fail(e, MR_E_DATA, "it has %llu bytes, and goes on at byte %llu all the same",
                        (unsigned long long)b->place.bytes, (unsigned long long)at);
    uint64_t first = at / MR_SHARD_CHUNK_BYTES, end = mr__shard_chunks(at + bytes);
    int rc = need_sums(b, first, end, e);
    while (rc == MR_OK && first < end) {
        uint64_t n = 0;
        for (; first < end && b->held.data[first]; first++)
            ;
        for (; first + n < end && !b->held.data[first + n]; n++)
            ;
        rc = read_chunks(b, first, n, b->data + first * MR_SHARD_CHUNK_BYTES, e);
        if (rc == MR_OK && n)
            memset(b->held.data + first, 1, n);
        first += n;
    }
    *data = b->data + at;
    return rc;
}

int mr__body_into(struct mr_body *b, void *to, struct mr_errbuf *e)
{
    int rc = b->sums_held ? MR_OK : read_first(b, 0, e);
    return rc == MR_OK ? read_chunks(b, 0, mr__shard_chunks(b->place.bytes), to, e) : rc;
}

/* ---- without memory of its own ---- */

struct copied {              /* from a mapping */
    const struct mr_body *b; /* its sums are held */
    uint8_t *to;
    bool good;
};

/* A few chunks at a time: copying leaves them in the cache, faster than summing gets them. */
static void check_and_copy(void *ctx, const uint8_t *bytes)
{
    struct copied *c = ctx;
    uint64_t all = c->b->place.bytes, chunks = mr__shard_chunks(all);
    for (uint64_t i = 0; i < chunks && c->good; i += COPIED_AT_ONCE) {
        uint64_t n = least(COPIED_AT_ONCE, chunks - i), from = i * MR_SHARD_CHUNK_BYTES;
        mr__stream_copy(c->to + from, bytes + from, end_of(c->b, i + n) - from);
        c->good = mr__shard_sums_differ(bytes + from, all, c->b->sums, i, n) == i + n;
    }
}

int mr__body_again(struct mr_shard_file *file, const struct mr_shard_place *place, bool look,
                   void *to, struct mr_errbuf *e)
{
    struct mr_mapped_copy copy = {to, place->bytes};
    if (look && mr__shard_file_look(file, numbers_at(place), place->bytes, mr__mapped_copy, &copy))
        return MR_OK;
    return mr__shard_file_read(file, numbers_at(place), to, place->bytes, e);
}

int mr__body_straight(struct mr_body *b, struct mr_shard_file *file,
                      const struct mr_shard_place *place, bool look, void *to, struct mr_errbuf *e)
{
    uint64_t sums = mr__shard_sums_bytes(place->bytes);
    b->memory.n = 0;
    b->file = NULL;
    b->sums_held = false;
    if (!mr__buf_reserve(&b->memory, sums))
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the sums of %llu bytes",
                        (unsigned long long)place->bytes);
    b->file = file;
    b->place = *place;
    b->sums = b->memory.data;
    b->data = NULL;
    int rc = read_first(b, 0, e);
    struct copied c = {b, to, true};
    bool copied = rc == MR_OK && look &&
                  mr__shard_file_look(file, numbers_at(place), place->bytes, check_and_copy, &c);
    if (rc == MR_OK && !(copied && c.good)) /* else this tells what is wrong */
        rc = read_chunks(b, 0, mr__shard_chunks(place->bytes), to, e);
    b->file = NULL;
    return rc;
}

void mr__body_free(struct mr_body *b)
{
    mr__buf_free(&b->memory);
    mr__buf_free(&b->held);
    *b = (struct mr_body){0};
}
