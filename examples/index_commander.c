/* SPDX-License-Identifier: Apache-2.0
 *
 * index_commander.c: an index that wraps at max_index, as a plug-in; the commander that
 * concurrent-buffer shows. examples/lua/index_commander.lua is the same in Lua.
 */
#include <millrace/plugin.h>
#include <string.h>

static struct counter {
    int64_t index, max_index;
} counter = {0, 10};

static int build(void **self, const mr_message *params)
{
    *self = &counter;
    return mr_message_get_i64(params, "max_index", &counter.max_index);
}

static int next(void *self, mr_message *m)
{
    struct counter *c = self;
    if (c->index < c->max_index)
        return mr_message_set_i64(m, "index", c->index++);
    c->index = 0;
    return MR_END_EPOCH;
}

static int save(void *self, void *state, size_t cap, size_t *bytes)
{
    *bytes = sizeof counter;
    return cap < *bytes ? MR_E_LIMIT : (memcpy(state, self, *bytes), MR_OK);
}

static int load(void *self, const void *state, size_t bytes)
{
    return bytes != sizeof counter ? MR_E_CONFIG : (memcpy(self, state, bytes), MR_OK);
}

static const mr_commander commander = {.size = sizeof(mr_commander),
                                       .abi = MR_PLUGIN_ABI,
                                       .build = build,
                                       .next = next,
                                       .save = save,
                                       .load = load};
extern MR_API const mr_plugin mr_plugin_entry;
MR_API const mr_plugin mr_plugin_entry = {sizeof(mr_plugin), MR_PLUGIN_ABI, &commander, NULL};
