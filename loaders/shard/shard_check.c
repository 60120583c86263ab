/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shard_check.h"

#include <stdio.h>
#include <stdlib.h>

struct extent { /* of an item */
    uint64_t at, end;
};

static int by_place(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static bool has_bodies(const struct mr_shard_column *c)
{
    return c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS;
}

static int check_bodies(struct mr_shard_checker *k, const struct mr_shard *s,
                        const struct mr_shard_column *c, struct mr_errbuf *e)
{
    for (uint64_t i = 0; i < s->samples; i++) {
        struct mr_shard_place place = mr__shard_place(c, i);
        struct extent extent = {place.at,
                                place.at + mr__shard_sums_bytes(place.bytes) + place.bytes};
        const uint8_t *data;
        struct mr_errbuf why = {0};
        if (!place.bytes)
            continue;
        if (!mr__buf_append(&k->extents, &extent, sizeof extent))
            return mr__fail(e, MR_E_MEMORY, "not enough memory to check a shard");
        int rc = mr__body_begin(&k->body, s->file, &place, e);
        if (rc < 0)
            return rc;
        rc = mr__body_get(&k->body, 0, place.bytes, &data, &why);
        if (rc < 0)
            k->damage(k->ctx, s, c, i, why.text);
        if (k->step && !k->step(k->ctx, extent.end - extent.at))
            return mr__fail(e, MR_E_CLOSED, "the check was ended");
    }
    return MR_OK;
}

/* Items lie one behind the other: a byte that belongs to none would have no checksum. */
static void check_extents(struct mr_shard_checker *k, const struct mr_shard *s)
{
    struct extent *x = (struct extent *)(void *)k->extents.data;
    size_t n = k->extents.n / sizeof *x;
    uint64_t at = MR_SHARD_HEAD_BYTES;
    char why[120];
    if (n)
        qsort(x, n, sizeof *x, by_place);
    for (size_t i = 0; i <= n; i++) {
        uint64_t next = i < n ? x[i].at : s->index_at;
        if (next != at && !(i && i < n && !by_place(&x[i], &x[i - 1]))) {
            snprintf(why, sizeof why, "bytes %llu to %llu of the shard belong to %s",
                     (unsigned long long)(next < at ? next : at),
                     (unsigned long long)(next < at ? at : next) - 1,
                     next < at ? "two samples" : "no sample");
            k->damage(k->ctx, s, NULL, 0, why);
            return;
        }
        at = i < n ? x[i].end : at;
    }
}

int mr__shard_check(struct mr_shard_checker *k, const struct mr_shard *s, struct mr_errbuf *e)
{
    int rc = MR_OK;
    k->extents.n = 0;
    for (uint32_t i = 0; i < s->ncolumns && rc == MR_OK; i++)
        if (has_bodies(&s->column[i]))
            rc = check_bodies(k, s, &s->column[i], e);
    if (rc == MR_OK)
        check_extents(k, s);
    return rc;
}

void mr__shard_checker_free(struct mr_shard_checker *k)
{
    mr__body_free(&k->body);
    mr__buf_free(&k->extents);
}
