/* SPDX-License-Identifier: Apache-2.0
 *
 * batch_view.c: what a leased batch shows.
 */
#include "pipe/known.h"

#include <string.h>

mr_loader *mr__batch_loader(const mr_batch *b, struct mr_errbuf *e)
{
    mr_loader *l = b ? mr__known_batch(b) : NULL;
    if (!b)
        mr__fail(e, MR_E_USAGE, "there is no batch: NULL was given");
    else if (!l)
        mr__fail(e, MR_E_STALE,
                 "there is no such batch: it was released and its loader closed, or it never came "
                 "from mr_next");
    else if (!l->here[0])
        mr__fail(e, MR_E_FORKED,
                 "the batch belongs to the process that this one was forked from: open a loader "
                 "here");
    else if (!b->leased)
        mr__fail(e, MR_E_STALE, "the batch was released already");
    else
        return l;
    return NULL;
}

/* MR_OK, or what mr__batch_loader says, kept for mr_error. */
static int look(const mr_batch *b)
{
    struct mr_errbuf e;
    return mr__batch_loader(b, &e) ? MR_OK : mr__keep_error(&e);
}

static bool readable(const mr_batch *b)
{
    return look(b) == MR_OK;
}

int32_t mr_field_count(const mr_batch *b)
{
    return readable(b) ? b->loader->s.plan->nfields : 0;
}

const mr_tensor *mr_field_at(const mr_batch *b, int32_t number)
{
    struct mr_errbuf e;
    if (!readable(b))
        return NULL;
    if (number >= 0 && number < b->loader->s.plan->nfields)
        return &b->fields[number];
    mr__fail(&e, MR_E_USAGE, "there is no field %d, the batch has %d", number,
             b->loader->s.plan->nfields);
    mr__keep_error(&e);
    return NULL;
}

const mr_tensor *mr_field(const mr_batch *b, const char *name)
{
    struct mr_errbuf e;
    if (!readable(b))
        return NULL;
    for (int i = 0; name && i < b->loader->s.plan->nfields; i++)
        if (!strcmp(b->fields[i].name, name))
            return &b->fields[i];
    mr__fail(&e, MR_E_USAGE, "the config has no field '%s'", name ? name : "(null)");
    mr__keep_error(&e);
    return NULL;
}

static const uint8_t *slot_of(const mr_batch *b)
{
    return mr__slot_data(&b->loader->s.arena, b->slot);
}

const uint64_t *mr_sample_ids(const mr_batch *b)
{
    return readable(b) ? (const uint64_t *)(slot_of(b) + b->loader->s.plan->ids) : NULL;
}

const uint8_t *mr_valid(const mr_batch *b)
{
    return readable(b) ? slot_of(b) + b->loader->s.plan->valid : NULL;
}

int mr_batch_get_info(const mr_batch *b, mr_batch_info *info)
{
    int rc = info ? look(b) : mr__refuse("mr_batch_get_info needs a place for the answer");
    if (rc < 0)
        return rc;
    const uint8_t *valid = slot_of(b) + b->loader->s.plan->valid;
    *info = (mr_batch_info){.epoch = b->head.epoch,
                            .batch = b->head.batch,
                            .sequence = b->sequence,
                            .rows = (int32_t)b->head.rows,
                            .tainted = mr__trainer_tainted(&b->loader->s.arena, b->slot, b->seq)};
    for (uint32_t i = 0; i < b->head.rows; i++)
        info->valid += valid[i] != 0;
    return MR_OK;
}
