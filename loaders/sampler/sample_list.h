/* SPDX-License-Identifier: Apache-2.0
 *
 * sample_list.h: a list of samples, in 4 bytes each where their numbers allow it.
 */
#ifndef MR_SAMPLER_SAMPLE_LIST_H
#define MR_SAMPLER_SAMPLE_LIST_H

#include "base/buf.h"

struct mr_sample_list {
    struct mr_buf bytes;
    uint64_t n;
    bool wide; /* 8 bytes each */
};

/* An empty list for numbers below `samples`. */
static inline void mr__sample_list_begin(struct mr_sample_list *list, uint64_t samples)
{
    *list = (struct mr_sample_list){.wide = samples > UINT32_MAX};
}
/* Makes it one of n zeros, to be set. False: no memory. */
bool mr__sample_list_zeros(struct mr_sample_list *list, uint64_t n);
/* False: no memory. */
bool mr__sample_list_add(struct mr_sample_list *list, uint64_t sample);
void mr__sample_list_free(struct mr_sample_list *list);

static inline uint64_t mr__sample_list_at(const struct mr_sample_list *list, uint64_t i)
{
    const void *v = list->bytes.data;
    return list->wide ? ((const uint64_t *)v)[i] : ((const uint32_t *)v)[i];
}
static inline void mr__sample_list_set(struct mr_sample_list *list, uint64_t i, uint64_t sample)
{
    void *v = list->bytes.data;
    if (list->wide)
        ((uint64_t *)v)[i] = sample;
    else
        ((uint32_t *)v)[i] = (uint32_t)sample;
}

#endif
