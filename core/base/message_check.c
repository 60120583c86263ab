/* SPDX-License-Identifier: Apache-2.0
 *
 * message_check.c: is a piece of memory a message? Beyond what each entry says of itself, depths
 * and lists' counts have to fit.
 */
#include "message.h"

#include <stdbool.h>
#include <string.h>

size_t mr__message_bytes(const mr_message *m)
{
    return m->used;
}

/* The lists around the entry that comes next, and how many entries each still has to get. */
struct nest {
    uint32_t left[MR_MESSAGE_DEPTH], at[MR_MESSAGE_DEPTH];
    uint32_t depth;
};

static bool enter(struct nest *nest, const struct mr_entry_head *head, uint32_t offset)
{
    while (nest->depth && !nest->left[nest->depth - 1])
        nest->depth--;
    if (head->depth != nest->depth)
        return false;
    uint32_t around = nest->depth ? nest->at[nest->depth - 1] : 0;
    if (nest->depth)
        nest->left[nest->depth - 1]--;
    if (head->type != MR_T_LIST)
        return true;
    if (nest->depth == MR_MESSAGE_DEPTH || head->parent != around)
        return false;
    nest->left[nest->depth] = head->n;
    nest->at[nest->depth++] = offset;
    return true;
}

int mr__message_check(const mr_message *m, size_t cap)
{
    if (!m || (uintptr_t)m % 8 || cap < MR_MESSAGE_HEADER || m->capacity > cap)
        return MR_E_CORRUPT;
    uint32_t used = mr__message_used(m);
    if (!used)
        return MR_E_CORRUPT;
    if (m->depth || m->open)
        return m->depth && m->depth <= MR_MESSAGE_DEPTH && m->open ? MR_E_USAGE : MR_E_CORRUPT;
    struct nest nest = {.depth = 0};
    struct mr_entry_head head;
    mr_entry entry;
    for (uint32_t at = MR_MESSAGE_HEADER; at < used; at += head.bytes) {
        int rc = mr__message_entry(m, used, at, &head, &entry);
        if (rc < 0 || !enter(&nest, &head, at))
            return MR_E_CORRUPT;
    }
    for (uint32_t i = 0; i < nest.depth; i++)
        if (nest.left[i])
            return MR_E_CORRUPT;
    return MR_OK;
}

int mr__message_copy(void *dst, size_t dst_cap, const mr_message *src, size_t src_cap)
{
    if (!src || (uintptr_t)src % 8 || src_cap < MR_MESSAGE_HEADER)
        return MR_E_CORRUPT;
    uint32_t used = mr__message_used(src);
    if (!used || used > src_cap)
        return MR_E_CORRUPT;
    if (!mr__message_init(dst, dst_cap, 0, 0, 0))
        return MR_E_LIMIT;
    mr_message *copy = dst;
    uint32_t capacity = copy->capacity;
    if (used > capacity)
        return MR_E_LIMIT;
    memcpy(copy, src, used);
    copy->used = used; /* as judged, whatever the copied header says by now */
    copy->capacity = capacity;
    return mr__message_check(copy, dst_cap);
}
