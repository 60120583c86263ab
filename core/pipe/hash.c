/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.c: the stream hash: what was delivered, as one number. A row is its id (u64), its valid
 * byte, then every field's bytes in the config's order, each ragged one followed by its count
 * (u32).
 */
#include "pipe/loader.h"

#include <xxhash.h>

static void add_row(XXH3_state_t *x, const struct mr_batch *b, uint32_t row)
{
    const struct mr_plan *plan = b->loader->s.plan;
    const uint8_t *slot = mr__slot_data(&b->loader->s.arena, b->slot);
    XXH3_64bits_update(x, slot + plan->ids + row * sizeof(uint64_t), sizeof(uint64_t));
    XXH3_64bits_update(x, slot + plan->valid + row, 1);
    for (int i = 0; i < plan->nfields; i++) {
        const struct mr_plan_field *f = &plan->fields[i];
        XXH3_64bits_update(x, slot + f->offset + row * f->p.row_bytes, f->p.row_bytes);
        if (f->p.max_entries)
            XXH3_64bits_update(x, slot + f->counts + row * sizeof(uint32_t), sizeof(uint32_t));
    }
}

uint64_t mr__hash_rows(const struct mr_batch *b, bool sum)
{
    XXH3_state_t x;
    uint64_t total = 0;
    XXH3_64bits_reset(&x);
    for (uint32_t row = 0; row < b->head.rows; row++) {
        add_row(&x, b, row);
        if (sum) { /* rows one by one: the order does not matter */
            total += XXH3_64bits_digest(&x);
            XXH3_64bits_reset(&x);
        }
    }
    return sum ? total : XXH3_64bits_digest(&x);
}

void mr__hash_deliver(mr_loader *l, const struct mr_batch *b)
{
    if (!l->hashing)
        return;
    if (l->s.plan->config->deterministic) {
        uint64_t chain[2] = {l->hash, mr__hash_rows(b, false)};
        l->hash = XXH3_64bits(chain, sizeof chain);
    } else {
        l->hash += mr__hash_rows(b, true);
    }
}

int mr_batch_hash(const mr_batch *b, uint64_t *hash)
{
    mr_batch_info info;
    int rc = hash ? mr_batch_get_info(b, &info) : mr__refuse("mr_batch_hash needs a place");
    if (rc < 0)
        return rc;
    *hash = mr__hash_rows(b, false);
    return MR_OK;
}

int mr_stream_hash_begin(mr_loader *l)
{
    struct mr_errbuf e;
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    l->hashing = true;
    mr__loader_leave(l);
    return MR_OK;
}

int mr_stream_hash(const mr_loader *loader, uint64_t *hash)
{
    struct mr_errbuf e;
    mr_loader *l = (mr_loader *)(uintptr_t)loader; /* only its lock changes */
    if (!hash)
        return mr__refuse("mr_stream_hash needs a place for the hash");
    int rc = mr__loader_enter(l, &e);
    if (rc < 0)
        return mr__keep_error(&e);
    *hash = l->hash;
    mr__loader_leave(l);
    return MR_OK;
}
