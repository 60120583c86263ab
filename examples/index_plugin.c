/* SPDX-License-Identifier: Apache-2.0
 *
 * index_plugin.c: a user's commander and producer, the ones that concurrent-buffer shows: the
 * commander sends an index that wraps at max_index, the producer fills its row (or, with `unit:
 * batch`, all rows) with it. Built as a plug-in for `context: spawn`; examples/callbacks.c uses the
 * same two as callbacks and examples/worker.c as a program of its own.
 */
#include "index_plugin.h"

#include <stdlib.h>

struct counter {
    int64_t index, max_index;
};

static int build(void **self, const mr_message *params)
{
    struct counter *c = calloc(1, sizeof *c);
    if (!c)
        return MR_E_MEMORY;
    c->max_index = 10;
    if (params)
        mr_message_get_i64(params, "max_index", &c->max_index);
    *self = c;
    return MR_OK;
}

static int next(void *self, mr_message *m)
{
    struct counter *c = self;
    if (c->index == c->max_index) {
        c->index = 0;
        return MR_END_EPOCH;
    }
    return mr_message_set_i64(m, "index", c->index++);
}

static int fill(void *self, mr_rows *rows)
{
    (void)self;
    const mr_tensor *x = mr_rows_field(rows, "image");
    int64_t n = x->strides[0] / (int64_t)sizeof(uint16_t);
    for (int32_t i = 0; i < mr_rows_count(rows); i++) {
        int64_t index;
        if (mr_message_get_i64(mr_rows_message(rows, i), "index", &index) < 0)
            return mr_rows_fail(rows, MR_E_CODE, "the message has no 'index'");
        uint16_t *row = (uint16_t *)x->data + i * n;
        for (int64_t k = 0; k < n; k++)
            row[k] = (uint16_t)index;
    }
    return MR_OK;
}

const mr_commander index_commander = {.size = sizeof(mr_commander),
                                      .abi = MR_PLUGIN_ABI,
                                      .build = build,
                                      .next = next,
                                      .destroy = free};
const mr_producer index_producer = {
    .size = sizeof(mr_producer), .abi = MR_PLUGIN_ABI, .fill = fill};

MR_API const mr_plugin mr_plugin_entry = {sizeof(mr_plugin), MR_PLUGIN_ABI, &index_commander,
                                          &index_producer};
