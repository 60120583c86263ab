/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c: making messages. message_read.c reads them.
 */
#include "message.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct mr_message) == 40, "messages lie in shared memory: fix their layout");
_Static_assert(sizeof(struct mr_entry_head) == 16, "payloads are 8-byte aligned behind the head");

mr_message *mr__message_init(void *mem, size_t cap, uint64_t epoch, uint64_t position,
                             uint64_t sample)
{
    if (!mem || (uintptr_t)mem % 8 || cap < MR_MESSAGE_HEADER)
        return NULL;
    if (cap > UINT32_MAX)
        cap = UINT32_MAX;
    mr_message *m = mem;
    *m = (mr_message){.position = position, .sample = sample, .epoch = epoch};
    m->used = MR_MESSAGE_HEADER;
    m->capacity = (uint32_t)(cap & ~(size_t)7);
    return m;
}

void mr__message_clear(mr_message *m)
{
    m->used = MR_MESSAGE_HEADER;
    m->open = m->depth = 0;
}

/* True when the new entry's key would stand twice in the list (or top level) that is being written.
 */
static bool key_taken(const mr_message *m, uint32_t used, const char *key, size_t key_bytes)
{
    uint32_t at = m->open ? m->open : (uint32_t)MR_MESSAGE_HEADER;
    struct mr_entry_head head;
    mr_entry entry;
    while (at < used && mr__message_entry(m, used, at, &head, &entry) == MR_OK) {
        if (head.depth == m->depth && head.key_bytes == key_bytes &&
            !memcmp(entry.key, key, key_bytes))
            return true;
        at += head.bytes;
    }
    return false;
}

static int check_key(const mr_message *m, uint32_t used, const char *key, size_t *key_bytes)
{
    *key_bytes = 0;
    if (!key)
        return m->depth > 0 ? MR_OK : MR_E_USAGE;
    *key_bytes = strnlen(key, 256);
    if (*key_bytes == 0 || *key_bytes > 255)
        return MR_E_USAGE;
    return key_taken(m, used, key, *key_bytes) ? MR_E_USAGE : MR_OK;
}

/* Counts the new entry in the list that is open. */
static int count_in_list(mr_message *m, uint32_t used)
{
    struct mr_entry_head head;
    mr_entry entry;
    if (!m->open)
        return m->depth ? MR_E_CORRUPT : MR_OK;
    int rc = mr__message_entry(m, used, m->open, &head, &entry);
    if (rc < 0 || head.type != MR_T_LIST)
        return MR_E_CORRUPT;
    head.n++;
    memcpy((uint8_t *)m + m->open, &head, sizeof head);
    return MR_OK;
}

/* Appends an entry of `n` elements whose payload is `bytes` bytes; a text gets a NUL behind it. */
static int append(mr_message *m, const char *key, mr_type type, const void *data, size_t n,
                  size_t bytes)
{
    if (!m)
        return MR_E_USAGE;
    uint32_t used = mr__message_used(m);
    if (!used)
        return MR_E_CORRUPT;
    size_t key_bytes, room = m->capacity - used;
    int rc = check_key(m, used, key, &key_bytes);
    if (rc < 0)
        return rc;
    if (bytes > room)
        return MR_E_LIMIT;
    size_t payload = bytes + (type == MR_T_STR);
    size_t whole = sizeof(struct mr_entry_head) + payload + (key_bytes ? key_bytes + 1 : 0);
    whole = (whole + 7) & ~(size_t)7;
    if (whole > room)
        return MR_E_LIMIT;
    rc = count_in_list(m, used);
    if (rc < 0)
        return rc;
    struct mr_entry_head head = {.bytes = (uint32_t)whole,
                                 .n = (uint32_t)n,
                                 .parent = type == MR_T_LIST ? m->open : 0,
                                 .type = (uint8_t)type,
                                 .depth = (uint8_t)m->depth,
                                 .key_bytes = (uint8_t)key_bytes};
    uint8_t *p = (uint8_t *)m + used;
    memset(p, 0, whole);
    memcpy(p, &head, sizeof head);
    if (bytes)
        memcpy(p + sizeof head, data, bytes);
    if (key_bytes)
        memcpy(p + sizeof head + payload, key, key_bytes);
    m->used = used + (uint32_t)whole;
    return MR_OK;
}

int mr_message_set_i64(mr_message *m, const char *key, int64_t value)
{
    return append(m, key, MR_T_I64, &value, 1, sizeof value);
}

int mr_message_set_f64(mr_message *m, const char *key, double value)
{
    return append(m, key, MR_T_F64, &value, 1, sizeof value);
}

int mr_message_set_str(mr_message *m, const char *key, const char *value)
{
    if (!value)
        return MR_E_USAGE;
    size_t n = strlen(value);
    return append(m, key, MR_T_STR, value, n, n);
}

int mr_message_set_bytes(mr_message *m, const char *key, const void *data, size_t bytes)
{
    if (!data && bytes)
        return MR_E_USAGE;
    return append(m, key, MR_T_BYTES, data, bytes, bytes);
}

static int append_numbers(mr_message *m, const char *key, mr_type type, const void *data, size_t n)
{
    if (!data && n)
        return MR_E_USAGE;
    if (n > UINT32_MAX / 8)
        return MR_E_LIMIT;
    return append(m, key, type, data, n, n * 8);
}

int mr_message_set_i64s(mr_message *m, const char *key, const int64_t *values, size_t n)
{
    return append_numbers(m, key, MR_T_I64, values, n);
}

int mr_message_set_f64s(mr_message *m, const char *key, const double *values, size_t n)
{
    return append_numbers(m, key, MR_T_F64, values, n);
}

int mr_message_begin_list(mr_message *m, const char *key)
{
    if (!m || m->depth >= MR_MESSAGE_DEPTH)
        return m ? MR_E_LIMIT : MR_E_USAGE;
    uint32_t at = m->used;
    int rc = append(m, key, MR_T_LIST, NULL, 0, 0);
    if (rc < 0)
        return rc;
    m->open = at;
    m->depth++;
    return MR_OK;
}

int mr_message_end_list(mr_message *m)
{
    if (!m || !m->depth)
        return MR_E_USAGE;
    struct mr_entry_head head;
    mr_entry entry;
    uint32_t used = mr__message_used(m);
    if (!used || mr__message_entry(m, used, m->open, &head, &entry) < 0 || head.type != MR_T_LIST)
        return MR_E_CORRUPT;
    m->open = head.parent;
    m->depth--;
    return MR_OK;
}

int mr_message_set_sample(mr_message *m, uint64_t sample)
{
    if (!m)
        return MR_E_USAGE;
    m->sample = sample;
    return MR_OK;
}
