/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_list.h"

#include <string.h>

bool mr__sample_list_zeros(struct mr_sample_list *list, uint64_t n)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, list->wide ? sizeof(uint64_t) : sizeof(uint32_t), &bytes) ||
        !mr__buf_reserve(&list->bytes, bytes))
        return false;
    if (bytes)
        memset(list->bytes.data, 0, bytes);
    list->bytes.n = bytes;
    list->n = n;
    return true;
}

bool mr__sample_list_add(struct mr_sample_list *list, uint64_t sample)
{
    uint32_t narrow = (uint32_t)sample;
    if (!(list->wide ? mr__buf_append(&list->bytes, &sample, sizeof sample)
                     : mr__buf_append(&list->bytes, &narrow, sizeof narrow)))
        return false;
    list->n++;
    return true;
}

void mr__sample_list_free(struct mr_sample_list *list)
{
    mr__buf_free(&list->bytes);
    list->n = 0;
}
