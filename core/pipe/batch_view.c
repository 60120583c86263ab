/* SPDX-License-Identifier: Apache-2.0
 *
 * batch_view.c: what a leased batch shows.
 */
#include "pipe/loader.h"

#include <string.h>

static bool readable(const mr_batch *b)
{
    struct mr_errbuf e;
    if (b && b->loader->here[0] && b->leased)
        return true;
    if (!b)
        mr__fail(&e, MR_E_USAGE, "there is no batch");
    else if (!b->loader->here[0])
        mr__fail(&e, MR_E_FORKED, "the batch belongs to the process that this one was forked from");
    else
        mr__fail(&e, MR_E_STALE, "the batch was released already");
    mr__keep_error(&e);
    return false;
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
    for (int i = 0; i < b->loader->s.plan->nfields; i++)
        if (!strcmp(b->fields[i].name, name))
            return &b->fields[i];
    mr__fail(&e, MR_E_USAGE, "the config has no field '%s'", name);
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
    if (!readable(b))
        return b && !b->loader->here[0] ? MR_E_FORKED : MR_E_STALE;
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
